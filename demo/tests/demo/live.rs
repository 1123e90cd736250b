//! The event stream that ends with its session.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use cloakroom::{CookieOptions, ManualClock, MemoryStore, Sessions, Store};
use cloakroom_demo::{Settings, Shopper, Stop, app};
use http_body_util::BodyExt;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tower::ServiceExt;

use crate::client::Visitor;
use crate::server::{Server, every_store, secret};

/// No test measures time; this only turns one that hangs into one that fails.
const LONG: Duration = Duration::from_secs(60);

/// An open stream, as far as it was read.
pub(crate) struct Live {
    stream: TcpStream,
    text: String,
}

impl Live {
    /// Opens it and reads the first event.
    pub(crate) async fn of(visitor: &Visitor) -> Self {
        let stream = visitor.ask("GET", "/api/live", "", "").await.unwrap();
        let mut live = Self {
            stream,
            text: String::new(),
        };
        while !live.text.contains("event: live") {
            assert!(live.more().await, "{}", live.text);
        }
        assert!(
            live.text.starts_with("HTTP/1.1 200 OK\r\n"),
            "{}",
            live.text
        );
        let head = live.text.to_ascii_lowercase();
        for field in [
            "content-type: text/event-stream",
            "cache-control: no-cache",
            "vary: cookie",
        ] {
            assert!(head.contains(field), "{head}");
        }
        live
    }

    /// Reads to the end. What came.
    pub(crate) async fn ended(mut self) -> String {
        while self.more().await {}
        assert!(
            self.text.ends_with("\r\n0\r\n\r\n"),
            "cut off: {}",
            self.text
        );
        self.text
    }

    async fn more(&mut self) -> bool {
        let mut buffer = [0; 1024];
        let read = tokio::time::timeout(LONG, self.stream.read(&mut buffer)).await;
        let read = read.expect("something comes").unwrap();
        self.text += std::str::from_utf8(&buffer[..read]).unwrap();
        read > 0
    }

    /// Whether nothing came since.
    fn is_quiet(&self) -> bool {
        let read = self.stream.try_read(&mut [0; 1]);
        read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    }
}

fn says_ended(text: &str) -> bool {
    text.contains("event: ended")
}

async fn signed_in(server: &Server, name: &str) -> Visitor {
    let mut visitor = server.visitor();
    visitor.sign_in(name).await;
    visitor
}

#[tokio::test]
async fn it_ends_with_the_session_however_that_ends() {
    let (stores, _directory) = every_store().await;
    for store in stores {
        let server = Server::start(&[], store).await;
        let mut bob = signed_in(&server, "bob").await;
        let bobs = Live::of(&bob).await;
        let mut laptop = signed_in(&server, "ada").await;
        for path in ["/api/logout", "/api/destroy", "/api/logout-everywhere"] {
            let mut phone = signed_in(&server, "ada").await;
            let (one, two) = (Live::of(&phone).await, Live::of(&phone).await);
            assert_eq!(phone.post(path, "").await.status / 100, 2);
            assert!(says_ended(&one.ended().await) && says_ended(&two.ended().await));
        }
        laptop.sign_in("ada").await;
        let kept = Live::of(&laptop).await;
        let phone = signed_in(&server, "ada").await;
        let live = Live::of(&phone).await;
        assert_eq!(laptop.post("/api/logout-others", "").await.status, 200);
        assert!(says_ended(&live.ended().await));

        // Its id is another one then.
        assert!(kept.is_quiet());
        let body = r#"{"name":"ada"}"#;
        assert_eq!(laptop.post("/api/reauthenticate", body).await.status, 200);
        assert!(says_ended(&kept.ended().await));

        assert!(bobs.is_quiet());
        assert_eq!(bob.post("/api/logout", "").await.status, 204);
        assert!(says_ended(&bobs.ended().await));
    }
}

#[tokio::test]
async fn revoking_it_on_another_instance_ends_it_too() {
    let store = Arc::new(MemoryStore::new());
    let instance = async || {
        let sessions = Sessions::builder(Arc::clone(&store), secret())
            .cookie(CookieOptions::insecure_for_local_http())
            .owned_by(|shopper: &Shopper| shopper.name().map(|name| name.as_str().to_owned()))
            .check_ended_every(Duration::from_millis(10));
        Server::serve(sessions.build().unwrap()).await
    };
    let (one, other) = (instance().await, instance().await);
    let phone = signed_in(&one, "ada").await;
    let live = Live::of(&phone).await;
    let mut laptop = signed_in(&other, "ada").await;
    assert_eq!(laptop.post("/api/logout-others", "").await.status, 200);
    assert!(says_ended(&live.ended().await));
}

#[tokio::test]
async fn it_ends_when_the_session_expires() {
    let clock = ManualClock::starting_now();
    let store = MemoryStore::builder().clock(clock.clone()).build();
    let sessions = Sessions::builder(store, secret())
        .cookie(CookieOptions::insecure_for_local_http())
        .max_age(LONG)
        .check_ended_every(Duration::from_millis(10))
        .clock(clock.clone());
    let server = Server::serve(sessions.build().unwrap()).await;
    let live = Live::of(&signed_in(&server, "ada").await).await;
    clock.advance(LONG);
    assert!(says_ended(&live.ended().await));
}

#[tokio::test]
async fn when_the_client_is_gone_nobody_waits_any_more() {
    let store = Arc::new(MemoryStore::new());
    let weak = Arc::downgrade(&store);
    let server = Server::start(&[], store).await;
    let live = Live::of(&signed_in(&server, "ada").await).await;
    // From here on only the stream has use for the store.
    drop(server);
    tokio::task::yield_now().await;
    assert!(weak.upgrade().is_some() && live.is_quiet());

    drop(live);
    let nobody_waits = async {
        while weak.upgrade().is_some() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let waited = tokio::time::timeout(LONG, nobody_waits).await;
    waited.expect("the stream is dropped with its client");
}

#[tokio::test]
async fn it_ends_without_a_word_when_the_program_is_about_to_stop() {
    let store: Arc<dyn Store<Shopper>> = Arc::new(MemoryStore::new());
    let sessions = || {
        Sessions::builder(Arc::clone(&store), secret())
            .cookie(CookieOptions::insecure_for_local_http())
            .build()
            .unwrap()
    };
    let server = Server::serve(sessions()).await;
    let ada = signed_in(&server, "ada").await;
    let (switch, stop) = Stop::with_switch();
    let app = app(sessions(), Settings::default().stop(stop));
    let request = Request::get("/api/live")
        .header("cookie", ada.cookie.clone().unwrap())
        .extension(axum::extract::ConnectInfo(SocketAddr::from((
            [127, 0, 0, 1],
            1,
        ))))
        .body(Body::empty())
        .unwrap();
    let body = app.oneshot(request).await.unwrap().into_body();
    switch.flip();
    let text = tokio::time::timeout(LONG, body.collect()).await;
    let text = text.expect("it ends").unwrap().to_bytes();
    let text = std::str::from_utf8(&text).unwrap();
    assert!(text.contains("event: live") && !says_ended(text), "{text}");
}
