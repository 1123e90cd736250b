//! What is particular to actix-web: errors that become `None`, and errors that become responses late.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{RETRY_AFTER, SET_COOKIE, VARY};
use actix_web::middleware::{Next, from_fn};
use actix_web::test::{self, TestRequest};
use actix_web::{App, Error, FromRequest, HttpResponse, error, web};
use cloakroom::{ErrorKind, ManualClock, Secret, Sessions};
use cloakroom_actix::{CurrentSession, LazySession, SessionData, SessionError, SessionMiddleware};
use cloakroom_testkit::{FaultyStore, Op};

/// Sessions, their store, and the cookie of one that lives.
async fn sessions() -> (Sessions<String>, FaultyStore<String>, String) {
    let store = FaultyStore::new(ManualClock::starting_now());
    let sessions = Sessions::builder(store.clone(), Secret::generate().unwrap());
    let sessions = sessions.build().unwrap();
    let request = sessions.for_request([""]);
    request.resave("ada".to_owned()).await.unwrap();
    let effect = request.respond();
    let cookie = effect.set_cookie().unwrap().split(';').next().unwrap();
    (sessions, store, cookie.to_owned())
}

async fn with_data(data: Option<SessionData<String>>) -> String {
    data.map_or("nobody".to_owned(), |data| data.to_string())
}

async fn with_session(session: Option<CurrentSession<String>>) -> &'static str {
    session.map_or("no session", |_| "a session")
}

async fn with_result(data: Result<SessionData<String>, SessionError>) -> String {
    match data {
        Ok(data) => data.to_string(),
        Err(error) if error.kind() == ErrorKind::NoSession => "nobody".to_owned(),
        Err(error) => format!("sorry, {}", error.status()),
    }
}

/// The status of `GET path`, its text, and the fields of its response.
async fn get(sessions: &Sessions<String>, path: &str, cookie: Option<&str>) -> ServiceResponse {
    let app = App::new()
        .wrap(SessionMiddleware::new(sessions.clone()))
        .route("/data", web::get().to(with_data))
        .route("/session", web::get().to(with_session))
        .route("/result", web::get().to(with_result));
    let app = test::init_service(app).await;
    let mut request = TestRequest::get().uri(path);
    if let Some(cookie) = cookie {
        request = request.insert_header(("cookie", cookie));
    }
    let request = request.to_request();
    match test::try_call_service(&app, request).await {
        Ok(response) => response.map_into_boxed_body(),
        // As the server does it.
        Err(error) => {
            let request = TestRequest::default().to_http_request();
            ServiceResponse::new(request, error.error_response())
        }
    }
}

async fn text(response: ServiceResponse) -> String {
    String::from_utf8(test::read_body(response).await.to_vec()).unwrap()
}

#[actix_web::test]
async fn an_outage_is_not_taken_for_nobody_where_the_extractor_is_optional() {
    let (sessions, store, cookie) = sessions().await;
    assert_eq!(
        text(get(&sessions, "/data", Some(&cookie)).await).await,
        "ada"
    );
    assert_eq!(text(get(&sessions, "/data", None).await).await, "nobody");

    store.fail(&Op::ALL);
    for path in ["/data", "/session"] {
        let response = get(&sessions, path, Some(&cookie)).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(response.headers().get(RETRY_AFTER).unwrap(), "5");
        assert!(!response.headers().contains_key(SET_COOKIE));
        assert_eq!(text(response).await, "Service Unavailable");
        // Those for whom the store was not needed are not concerned.
        assert_eq!(get(&sessions, path, None).await.status(), StatusCode::OK);
    }
    store.recover();
    assert_eq!(
        text(get(&sessions, "/data", Some(&cookie)).await).await,
        "ada"
    );
}

#[actix_web::test]
async fn a_handler_that_looked_at_the_error_answers_as_it_likes() {
    let (sessions, store, cookie) = sessions().await;
    assert_eq!(text(get(&sessions, "/result", None).await).await, "nobody");
    store.fail(&Op::ALL);
    let response = get(&sessions, "/result", Some(&cookie)).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(text(response).await, "sorry, 503 Service Unavailable");
}

#[actix_web::test]
async fn an_error_that_a_middleware_returns_keeps_its_response() {
    async fn refuse(
        session: LazySession<String>,
        _: ServiceRequest,
        _: Next<actix_web::body::BoxBody>,
    ) -> Result<ServiceResponse, Error> {
        session
            .resave("bob".to_owned())
            .await
            .map_err(SessionError::from)?;
        Err(error::ErrorImATeapot("short and stout"))
    }
    let (sessions, store, cookie) = sessions().await;
    let app = App::new()
        .service(
            web::resource("/")
                .wrap(from_fn(refuse))
                .to(HttpResponse::Ok),
        )
        .wrap(SessionMiddleware::new(sessions.clone()));
    let app = test::init_service(app).await;
    let request = TestRequest::get().insert_header(("cookie", cookie));
    let error = test::try_call_service(&app, request.to_request()).await;
    let error = error.err().unwrap();
    assert_eq!(error.to_string(), "short and stout");
    assert_eq!(
        error.as_response_error().status_code(),
        StatusCode::IM_A_TEAPOT
    );
    let response = error.error_response();
    assert_eq!(response.status(), StatusCode::IM_A_TEAPOT);
    assert_eq!(response.headers().get_all(SET_COOKIE).count(), 1);
    assert_eq!(response.headers().get(VARY).unwrap(), "Cookie");
    assert_eq!(store.live().await, 1);
}

#[actix_web::test]
async fn the_middleware_goes_around_scopes_and_resources_too() {
    let (sessions, _, cookie) = sessions().await;
    let app = App::new()
        .service(
            web::resource("/resource")
                .wrap(SessionMiddleware::new(sessions.clone()))
                .to(with_data),
        )
        .service(
            web::scope("/scope")
                .wrap(SessionMiddleware::new(sessions.clone()))
                .route("/inner", web::get().to(with_data)),
        )
        .route(
            "/outside",
            web::get().to(async |_: SessionData<String>| "ok"),
        );
    let app = test::init_service(app).await;
    for (path, status) in [
        ("/resource", StatusCode::OK),
        ("/scope/inner", StatusCode::OK),
        ("/outside", StatusCode::INTERNAL_SERVER_ERROR),
    ] {
        let request = TestRequest::get().uri(path);
        let request = request
            .insert_header(("cookie", cookie.as_str()))
            .to_request();
        let response = test::call_service(&app, request).await;
        assert_eq!(response.status(), status, "{path}");
        if status == StatusCode::OK {
            assert_eq!(test::read_body(response).await, "ada");
        }
    }
}

#[actix_web::test]
async fn several_middlewares_of_one_type_send_one_cookie() {
    async fn sign_in(session: CurrentSession<String>) -> Result<&'static str, SessionError> {
        session.resave("ada".to_owned()).await?;
        Ok("ok")
    }
    let (sessions, _, _) = sessions().await;
    let app = App::new()
        .route("/", web::get().to(sign_in))
        .wrap(SessionMiddleware::new(sessions.clone()))
        .wrap(SessionMiddleware::new(sessions));
    let app = test::init_service(app).await;
    let response = test::call_service(&app, TestRequest::get().to_request()).await;
    assert_eq!(response.headers().get_all(SET_COOKIE).count(), 1);
}

/// So that it can travel through code that knows no actix-web.
#[test]
fn what_the_application_gets_can_go_to_another_thread() {
    fn send<T: Send + Sync + 'static>() {}
    send::<SessionError>();
    send::<CurrentSession<String>>();
    send::<LazySession<String>>();
    send::<SessionData<String>>();
    send::<SessionMiddleware<String>>();
}

/// A request's extensions are the same for all its middleware.
#[actix_web::test]
async fn behind_a_middleware_of_other_sessions_the_outer_ones_are_found_again() {
    async fn outer_after_inner(
        request: ServiceRequest,
        next: Next<actix_web::body::BoxBody>,
    ) -> Result<ServiceResponse, Error> {
        let response = next.call(request).await?;
        let session = LazySession::<String>::extract(response.request()).await?;
        let data = session.data().await.map_err(SessionError::from)?;
        let data = data.map_or("nobody".to_owned(), |data| (*data).clone());
        Ok(response.map_body(|_, _| data).map_into_boxed_body())
    }
    let ((outer, _, cookie), (inner, ..)) = (sessions().await, sessions().await);
    let app = App::new()
        .service(
            web::resource("/data")
                .wrap(SessionMiddleware::new(inner))
                .to(with_data),
        )
        .wrap(from_fn(outer_after_inner))
        .wrap(SessionMiddleware::new(outer));
    let app = test::init_service(app).await;
    let request = TestRequest::get()
        .uri("/data")
        .insert_header(("cookie", cookie));
    let response = test::call_service(&app, request.to_request()).await;
    assert_eq!(text(response.map_into_boxed_body()).await, "ada");
}

/// Middleware that logs the fields of responses prints them by `Debug`.
#[actix_web::test]
async fn the_fields_of_a_response_print_no_id() {
    async fn sign_in(session: LazySession<String>) -> Result<&'static str, SessionError> {
        session.resave("ada".to_owned()).await?;
        Ok("ok")
    }
    let (sessions, ..) = sessions().await;
    let app = App::new()
        .wrap(SessionMiddleware::new(sessions))
        .route("/", web::to(sign_in));
    let app = test::init_service(app).await;
    let response = test::call_service(&app, TestRequest::get().to_request()).await;
    let fields = response.headers();
    let cookie = fields.get(SET_COOKIE).unwrap().to_str().unwrap();
    let value = cookie.split(['=', ';']).nth(1).unwrap();
    assert!(!format!("{fields:?}").contains(value));
}
