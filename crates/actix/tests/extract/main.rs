//! What is particular to actix-web: errors that become `None`, and errors that become responses late.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod outage;
mod site;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{SET_COOKIE, VARY};
use actix_web::middleware::{Next, from_fn};
use actix_web::test::{self, TestRequest};
use actix_web::{App, Error, FromRequest, HttpResponse, error, web};
use cloakroom_actix::{CurrentSession, LazySession, SessionData, SessionError, SessionMiddleware};

use crate::site::{answered, others, sessions, text, with_data};

#[actix_web::test]
async fn an_error_that_a_middleware_returns_keeps_its_response() {
    async fn refuse(
        session: LazySession<String>,
        _: ServiceRequest,
        _: Next<BoxBody>,
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

/// With a middleware of other sessions around, whatever the answer is. Without any, an optional extractor is `None`: a
/// limit of actix-web.
#[actix_web::test]
async fn a_missing_middleware_is_not_taken_for_nobody() {
    async fn guard(
        user: Option<SessionData<String>>,
        request: ServiceRequest,
        next: Next<BoxBody>,
    ) -> Result<ServiceResponse, Error> {
        user.ok_or_else(|| error::ErrorUnauthorized("sign in, please"))?;
        next.call(request).await
    }
    let app = App::new()
        .service(
            web::scope("/other")
                .wrap(SessionMiddleware::new(others()))
                .route("/data", web::get().to(with_data))
                .route(
                    "/lazy",
                    web::get().to(async |_: Option<LazySession<String>>| "ok"),
                )
                .service(
                    web::resource("/guarded")
                        .wrap(from_fn(guard))
                        .to(HttpResponse::Ok),
                ),
        )
        .route("/data", web::get().to(with_data));
    let app = test::init_service(app).await;
    for (path, status) in [
        ("/other/data", StatusCode::INTERNAL_SERVER_ERROR),
        ("/other/lazy", StatusCode::INTERNAL_SERVER_ERROR),
        ("/other/guarded", StatusCode::INTERNAL_SERVER_ERROR),
        ("/data", StatusCode::OK),
    ] {
        let request = TestRequest::get().uri(path).to_request();
        let response = answered(test::try_call_service(&app, request).await);
        assert_eq!(response.status(), status, "{path}");
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
        next: Next<BoxBody>,
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
