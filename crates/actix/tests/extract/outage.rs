//! An outage is not a sign-out, though errors of extractors become `None`.

use std::fmt;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{RETRY_AFTER, SET_COOKIE};
use actix_web::middleware::{Next, from_fn};
use actix_web::test::{self, TestRequest};
use actix_web::{App, Error, HttpResponse, ResponseError, error, web};
use cloakroom::{ErrorKind, Sessions};
use cloakroom_actix::{CurrentSession, LazySession, SessionData, SessionError, SessionMiddleware};
use cloakroom_testkit::Op;

use crate::site::{answered, others, sessions, text, with_data};

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
    answered(test::try_call_service(&app, request.to_request()).await)
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

/// A guard may refuse with a response or with an error; an error comes back without the request.
#[actix_web::test]
async fn an_outage_is_not_taken_for_nobody_by_a_guard_either() {
    type Answer = Result<ServiceResponse, Error>;
    async fn with_response(
        user: Option<SessionData<String>>,
        request: ServiceRequest,
        next: Next<BoxBody>,
    ) -> Answer {
        match user {
            Some(_) => next.call(request).await,
            None => Ok(request.into_response(HttpResponse::Unauthorized().finish())),
        }
    }
    async fn with_error(
        user: Option<SessionData<String>>,
        request: ServiceRequest,
        next: Next<BoxBody>,
    ) -> Answer {
        user.ok_or_else(|| error::ErrorUnauthorized("sign in, please"))?;
        next.call(request).await
    }
    async fn with_data(
        _: SessionData<String>,
        request: ServiceRequest,
        next: Next<BoxBody>,
    ) -> Answer {
        next.call(request).await
    }
    let (sessions, store, cookie) = sessions().await;
    let app = App::new()
        .service(
            web::resource("/response")
                .wrap(from_fn(with_response))
                .to(HttpResponse::Ok),
        )
        .service(
            web::resource("/error")
                .wrap(from_fn(with_error))
                .to(HttpResponse::Ok),
        )
        .service(
            web::resource("/data")
                .wrap(from_fn(with_data))
                .to(HttpResponse::Ok),
        )
        .wrap(SessionMiddleware::new(sessions.clone()))
        .wrap(SessionMiddleware::new(others()));
    let app = test::init_service(app).await;
    for path in ["/response", "/error", "/data"] {
        let request = |cookie: &str| {
            let request = TestRequest::get().uri(path);
            request.insert_header(("cookie", cookie)).to_request()
        };
        let error = test::try_call_service(&app, request("")).await;
        assert_eq!(answered(error).status(), StatusCode::UNAUTHORIZED, "{path}");
        store.fail(&Op::ALL);
        let response = answered(test::try_call_service(&app, request(&cookie)).await);
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(response.headers().get(RETRY_AFTER).unwrap(), "5", "{path}");
        assert!(!response.headers().contains_key(SET_COOKIE), "{path}");
        store.recover();
        let response = answered(test::try_call_service(&app, request(&cookie)).await);
        assert_eq!(response.status(), StatusCode::OK, "{path}");
    }
}

/// The application's own, which says only with its response what the session's error says.
#[derive(Debug)]
struct Wrapped(SessionError);

impl fmt::Display for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl ResponseError for Wrapped {
    fn error_response(&self) -> HttpResponse {
        self.0.error_response()
    }
}

/// What an extractor says by itself goes out as it is, with its cause for the log.
#[actix_web::test]
async fn an_extractors_own_error_keeps_its_cause() {
    type Answer = Result<ServiceResponse, Error>;
    async fn as_it_is(
        _: CurrentSession<String>,
        request: ServiceRequest,
        next: Next<BoxBody>,
    ) -> Answer {
        next.call(request).await
    }
    async fn wrapped(
        session: Result<CurrentSession<String>, SessionError>,
        request: ServiceRequest,
        next: Next<BoxBody>,
    ) -> Answer {
        session.map_err(Wrapped)?;
        next.call(request).await
    }
    let (sessions, store, cookie) = sessions().await;
    let app = App::new()
        .service(
            web::resource("/as-it-is")
                .wrap(from_fn(as_it_is))
                .to(HttpResponse::Ok),
        )
        .service(
            web::resource("/wrapped")
                .wrap(from_fn(wrapped))
                .to(HttpResponse::Ok),
        )
        .wrap(SessionMiddleware::new(sessions));
    let app = test::init_service(app).await;
    store.fail(&Op::ALL);
    for path in ["/as-it-is", "/wrapped"] {
        let request = TestRequest::get()
            .uri(path)
            .insert_header(("cookie", cookie.as_str()));
        let error = test::try_call_service(&app, request.to_request()).await;
        let error = error.err().unwrap();
        assert_eq!(error.to_string(), "the session store is unavailable");
        let response = error.error_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    }
}

/// The outer sessions' middleware says what it has to say without taking away what the inner one sends.
#[actix_web::test]
async fn trouble_with_other_sessions_takes_no_cookie_away() {
    async fn sign_in(
        user: Option<SessionData<String>>,
        other: LazySession<u64>,
    ) -> Result<HttpResponse, SessionError> {
        other.resave(user.map_or(0, |_| 1)).await?;
        Ok(HttpResponse::Ok().finish())
    }
    let (sessions, store, cookie) = sessions().await;
    let app = App::new()
        .route("/", web::get().to(sign_in))
        .wrap(SessionMiddleware::new(others()))
        .wrap(SessionMiddleware::new(sessions));
    let app = test::init_service(app).await;
    store.fail(&Op::ALL);
    let request = TestRequest::get().insert_header(("cookie", cookie));
    let response = answered(test::try_call_service(&app, request.to_request()).await);
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    let sent = response.headers().get(SET_COOKIE).unwrap();
    assert!(sent.to_str().unwrap().starts_with("__Host-other="));
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
