//! A user with several devices, and one who wants to meddle.

#![allow(clippy::unwrap_used)] // In a test a panic is the answer.

use std::task::{Context, Waker};
use std::time::Duration;

use actix_devices::{Passwords, app, sessions};
use actix_http::Request;
use actix_http::h1::Payload;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App, Error, http::Method};
use cloakroom::{ManualClock, MemoryStore, Secret};
use serde_json::{Value, json};

const MINUTE: Duration = Duration::from_secs(60);

/// One browser.
struct Browser<'a, S> {
    app: &'a S,
    user_agent: &'a str,
    cookie: String,
}

struct Reply {
    status: u16,
    set_cookie: Option<String>,
    body: String,
}

impl<'a, S, B> Browser<'a, S>
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    fn new(app: &'a S, user_agent: &'a str) -> Self {
        Self {
            app,
            user_agent,
            cookie: String::new(),
        }
    }

    async fn signed_in(app: &'a S, name: &str, user_agent: &'a str) -> Self {
        let mut browser = Self::new(app, user_agent);
        let given = json!({ "name": name, "password": name });
        assert_eq!(browser.post("/sign-in", given).await.status, 204);
        browser
    }

    async fn ask(&mut self, method: Method, path: &str, body: Value) -> Reply {
        let request = TestRequest::with_uri(path)
            .method(method)
            .insert_header(("cookie", &*self.cookie))
            .insert_header(("user-agent", self.user_agent))
            .insert_header(("x-forwarded-for", "203.0.113.66"))
            .peer_addr("192.0.2.7:4711".parse().unwrap())
            .set_json(body);
        let response = call_service(self.app, request.to_request()).await;
        let set_cookie = response.headers().get("set-cookie");
        let set_cookie = set_cookie.map(|value| value.to_str().unwrap().to_owned());
        if let Some(set_cookie) = &set_cookie {
            self.cookie = set_cookie.split(';').next().unwrap().to_owned();
        }
        Reply {
            status: response.status().as_u16(),
            set_cookie,
            body: String::from_utf8(read_body(response).await.to_vec()).unwrap(),
        }
    }

    async fn post(&mut self, path: &str, body: Value) -> Reply {
        self.ask(Method::POST, path, body).await
    }

    async fn devices(&mut self) -> Result<Vec<Value>, u16> {
        let reply = self.ask(Method::GET, "/devices", Value::Null).await;
        match reply.status {
            200 => Ok(serde_json::from_str(&reply.body).unwrap()),
            status => Err(status),
        }
    }

    async fn handle(&mut self) -> String {
        let devices = self.devices().await.unwrap();
        let own = devices.iter().find(|device| device["this_one"] == true);
        own.unwrap()["handle"].as_str().unwrap().to_owned()
    }

    async fn end(&mut self, handle: &str) -> u16 {
        let path = format!("/devices/{handle}");
        self.ask(Method::DELETE, &path, Value::Null).await.status
    }
}

/// The application with its accounts, whose passwords are their names.
macro_rules! start {
    ($clock:expr) => {{
        let store = MemoryStore::builder().clock($clock.clone()).build();
        let sessions = sessions(store, Secret::generate().unwrap(), $clock.clone()).unwrap();
        let passwords = Passwords::default();
        for name in ["ada", "eve"] {
            passwords.set(name, name);
        }
        init_service(App::new().configure(app(sessions, passwords))).await
    }};
}

#[actix_web::test]
async fn devices_are_listed_and_ended_from_afar() {
    let app = start!(ManualClock::starting_now());
    let mut laptop = Browser::signed_in(&app, "ada", "Laptop").await;
    let mut phone = Browser::signed_in(&app, "ada", "Phone").await;
    let devices = laptop.devices().await.unwrap();
    let seen = |field: &str| devices.iter().map(|device| device[field].clone()).collect();
    let agents: Vec<Value> = seen("user_agent");
    assert_eq!(agents, ["Laptop", "Phone"]);
    let current: Vec<Value> = seen("this_one");
    assert_eq!(current, [true, false]);
    // The connection's, not what the header claims.
    let addresses: Vec<Value> = seen("address");
    assert_eq!(addresses, ["192.0.2.7"; 2]);

    let phones = phone.handle().await;
    assert_eq!(laptop.end(&phones).await, 204);
    assert_eq!(phone.devices().await, Err(401));
    assert_eq!(laptop.end(&phones).await, 404);
    assert_eq!(laptop.devices().await.unwrap().len(), 1);
}

#[actix_web::test]
async fn nobody_ends_what_is_somebody_elses() {
    let app = start!(ManualClock::starting_now());
    let mut ada = Browser::signed_in(&app, "ada", "Laptop").await;
    let mut eve = Browser::signed_in(&app, "eve", "Evil").await;
    let handle = ada.handle().await;
    for forged in [&*handle, &handle.to_uppercase(), &handle[1..], "%ff", "*"] {
        assert_eq!(eve.end(forged).await, 404, "{forged}");
    }
    let mut nobody = Browser::new(&app, "Nobody");
    assert_eq!(nobody.end(&handle).await, 401);
    assert_eq!(nobody.devices().await, Err(401));
    for path in ["/sign-out-others", "/sign-out-everywhere"] {
        assert_eq!(nobody.post(path, Value::Null).await.status, 401);
    }
    assert_eq!(
        eve.post("/sign-out-everywhere", Value::Null).await.body,
        "1"
    );
    assert_eq!(ada.devices().await.unwrap().len(), 1);
}

#[actix_web::test]
async fn signing_out_the_others_or_everywhere() {
    let app = start!(ManualClock::starting_now());
    let mut laptop = Browser::signed_in(&app, "ada", "Laptop").await;
    let mut phone = Browser::signed_in(&app, "ada", "Phone").await;
    assert_eq!(laptop.post("/sign-out-others", Value::Null).await.body, "1");
    assert_eq!(phone.devices().await, Err(401));

    let mut phone = Browser::signed_in(&app, "ada", "Phone").await;
    let reply = laptop.post("/sign-out-everywhere", Value::Null).await;
    assert_eq!(reply.body, "2");
    assert!(reply.set_cookie.unwrap().contains("Max-Age=0"));
    assert_eq!(phone.devices().await, Err(401));
}

#[actix_web::test]
async fn a_password_is_changed_only_by_whoever_just_proved_who_they_are() {
    let clock = ManualClock::starting_now();
    let app = start!(clock);
    let new = json!({ "password": "countess" });
    let mut laptop = Browser::signed_in(&app, "ada", "Laptop").await;
    let mut phone = Browser::signed_in(&app, "ada", "Phone").await;
    clock.advance(6 * MINUTE);
    let refused = laptop.post("/password", new.clone()).await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.body, r#"{"error":"not_fresh"}"#);
    let mut nobody = Browser::new(&app, "Nobody");
    assert_eq!(nobody.post("/password", new.clone()).await.status, 401);

    let wrong = laptop.post("/confirm", json!({ "password": "eve" })).await;
    assert_eq!((wrong.status, wrong.set_cookie), (403, None));
    assert_eq!(laptop.post("/password", new.clone()).await.status, 403);
    let before = laptop.cookie.clone();
    let right = laptop.post("/confirm", json!({ "password": "ada" })).await;
    assert_eq!(right.status, 204);
    assert_ne!(laptop.cookie, before);

    assert_eq!(laptop.post("/password", new).await.status, 204);
    assert_eq!(phone.devices().await, Err(401));
    assert_eq!(laptop.devices().await.unwrap().len(), 1);
    let old = json!({ "name": "ada", "password": "ada" });
    assert_eq!(nobody.post("/sign-in", old).await.status, 401);
}

/// The request has read its session when its sender stops in the middle of the body.
#[actix_web::test]
async fn who_was_signed_out_meanwhile_changes_no_password() {
    let app = start!(ManualClock::starting_now());
    let mut thief = Browser::signed_in(&app, "ada", "Thief").await;
    let (mut body, payload) = Payload::create(false);
    let request = TestRequest::with_uri("/password").method(Method::POST);
    let request = request
        .insert_header(("cookie", &*thief.cookie))
        .insert_header(("content-type", "application/json"));
    let (request, _) = request.to_request().replace_payload(payload.into());
    let mut held = Box::pin(call_service(&app, request));
    let mut context = Context::from_waker(Waker::noop());
    assert!(held.as_mut().poll(&mut context).is_pending());

    let mut laptop = Browser::signed_in(&app, "ada", "Laptop").await;
    let reply = laptop.post("/sign-out-everywhere", Value::Null).await;
    assert_eq!(reply.body, "2");
    let mut laptop = Browser::signed_in(&app, "ada", "Laptop").await;

    body.feed_data(r#"{ "password": "stolen" }"#.into());
    body.feed_eof();
    assert_eq!(held.await.status(), 401);
    assert_eq!(thief.devices().await, Err(401));
    assert_eq!(laptop.devices().await.unwrap().len(), 1);
    Browser::signed_in(&app, "ada", "Phone").await;
}

#[actix_web::test]
async fn remember_me_outlasts_the_browser_and_the_day() {
    let clock = ManualClock::starting_now();
    let app = start!(clock);
    let mut brief = Browser::new(&app, "Brief");
    let mut long = Browser::new(&app, "Long");
    let given = json!({ "name": "ada", "password": "ada" });
    let reply = brief.post("/sign-in", given).await;
    assert!(!reply.set_cookie.unwrap().contains("Max-Age"));
    let given = json!({ "name": "ada", "password": "ada", "remember": true });
    let reply = long.post("/sign-in", given).await;
    assert!(reply.set_cookie.unwrap().contains("Max-Age=7776000"));
    clock.advance(24 * 60 * MINUTE);
    assert_eq!(brief.devices().await, Err(401));
    assert_eq!(long.devices().await.unwrap().len(), 1);
}
