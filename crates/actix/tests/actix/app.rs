//! The application that the scenarios want, in actix-web.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::fmt;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Path, ThinData};
use actix_web::{App, Error, HttpRequest, HttpResponse, HttpServer, ResponseError};
use cloakroom_actix::{CurrentSession, LazySession, SessionData, SessionError, SessionMiddleware};
use cloakroom_testkit::{Admin, Answer, Body, Data, Failure, Framework, Stop, TestApp, Unlayered};

pub(crate) struct Actix;

impl Framework for Actix {
    const MISSING_LAYER_HINT: Option<&'static str> = Some("SessionMiddleware::new");

    fn serve(listener: std::net::TcpListener, app: TestApp, stop: Stop) {
        actix_web::rt::System::new().block_on(async {
            let server = HttpServer::new(move || {
                App::new()
                    .app_data(ThinData(app.clone()))
                    .configure(routes(&app))
                    .wrap(SessionMiddleware::new(app.sessions.clone()))
                    .wrap(SessionMiddleware::new(app.admins.clone()))
            });
            let server = server.workers(2).disable_signals();
            let server = server.listen_auto_h2c(listener).unwrap().run();
            let handle = server.handle();
            let server = actix_web::rt::spawn(server);
            stop.asked().await;
            handle.stop(false).await;
            server.await.unwrap().unwrap();
        });
    }
}

fn routes(app: &TestApp) -> impl FnOnce(&mut web::ServiceConfig) {
    let (sessions, apart) = (app.sessions.clone(), app.apart.clone());
    move |routes| {
        routes
            .route("/ignore", web::to(async || "ignored"))
            .route("/current/{action}", web::to(current))
            .route("/lazy/{action}", web::to(lazy))
            .route("/data", web::to(data))
            .route("/optional", web::to(optional))
            .route("/two/{action}", web::to(two))
            .route("/socket", web::to(socket))
            .route(
                "/missing",
                web::to(async |_: CurrentSession<Unlayered>| "found"),
            )
            .route(
                "/missing-optional",
                web::to(async |_: Option<SessionData<Unlayered>>| "found"),
            )
            .service(
                web::resource("/apart/{action}")
                    .wrap(SessionMiddleware::new(apart))
                    .to(current),
            )
            .service(
                web::scope("/guarded").wrap(from_fn(guard)).service(
                    web::resource("/{action}")
                        .wrap(SessionMiddleware::new(sessions))
                        .to(current),
                ),
            );
    }
}

async fn current(
    app: ThinData<TestApp>,
    action: Path<String>,
    session: CurrentSession<Data>,
    argument: String,
) -> Result<HttpResponse, AppError> {
    let answer = app.current(&action, &session, &argument).await?;
    Ok(respond(answer))
}

async fn lazy(
    app: ThinData<TestApp>,
    action: Path<String>,
    session: LazySession<Data>,
    argument: String,
) -> Result<HttpResponse, AppError> {
    let answer = app.lazy(&action, &session, &argument).await?;
    Ok(respond(answer))
}

async fn data(SessionData(data): SessionData<Data>) -> String {
    data.name.clone()
}

async fn optional(data: Option<SessionData<Data>>) -> String {
    data.map_or("nobody".to_owned(), |data| data.name.clone())
}

async fn two(
    app: ThinData<TestApp>,
    action: Path<String>,
    session: CurrentSession<Data>,
    admin: CurrentSession<Admin>,
    argument: String,
) -> Result<HttpResponse, AppError> {
    let answer = app.two(&action, &session, &admin, &argument).await?;
    Ok(respond(answer))
}

async fn guard(
    app: ThinData<TestApp>,
    session: CurrentSession<Data>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let refuse = TestApp::guard_refuses(request.path());
    app.guard(&session, refuse).await.map_err(AppError::from)?;
    next.call(request).await
}

async fn socket(
    app: ThinData<TestApp>,
    session: CurrentSession<Data>,
    request: HttpRequest,
    body: web::Payload,
) -> Result<HttpResponse, Error> {
    app.before_socket(&session).await.map_err(AppError::from)?;
    let (response, mut socket, _) = actix_ws::handle(&request, body)?;
    actix_web::rt::spawn(async move {
        let text = app.on_socket(&session).await;
        socket.text(text).await.unwrap();
        socket.close(None).await.unwrap();
    });
    Ok(response)
}

fn respond(answer: Answer) -> HttpResponse {
    let mut response = HttpResponse::build(StatusCode::from_u16(answer.status).unwrap());
    for field in answer.fields {
        response.append_header(field);
    }
    match answer.body {
        Body::Text(text) => response.body(text),
        Body::Chunks(chunks) => response.streaming(chunks),
    }
}

#[derive(Debug)]
enum AppError {
    Session(SessionError),
    Own(StatusCode),
}

impl From<Failure> for AppError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Session(error) => Self::Session(error.into()),
            Failure::Own(status) => Self::Own(StatusCode::from_u16(status).unwrap()),
        }
    }
}

impl ResponseError for AppError {
    fn error_response(&self) -> HttpResponse {
        match self {
            Self::Session(error) => error.error_response(),
            Self::Own(status) => HttpResponse::new(*status),
        }
    }
}

impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(error) => error.fmt(f),
            Self::Own(status) => status.fmt(f),
        }
    }
}
