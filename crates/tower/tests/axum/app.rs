//! The application that the scenarios want, in axum.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::net::{IpAddr, SocketAddr};

use axum::body::Body;
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Router, http};
use cloakroom_testkit::{Admin, Answer, Data, Failure, Framework, Stop, TestApp, Unlayered};
use cloakroom_tower::{CurrentSession, LazySession, SessionData, SessionError, SessionLayer};

pub(crate) struct Axum;

impl Framework for Axum {
    const MISSING_LAYER_HINT: Option<&'static str> = Some("SessionLayer::new");

    fn serve(listener: std::net::TcpListener, app: TestApp, stop: Stop) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let service = router(app).into_make_service_with_connect_info::<SocketAddr>();
            tokio::select! {
                served = axum::serve(listener, service) => served.unwrap(),
                () = stop.asked() => {}
            }
        });
        runtime.shutdown_background();
    }
}

fn router(app: TestApp) -> Router {
    let guarded = any(current).layer(SessionLayer::new(app.sessions.clone()));
    let guarded = Router::new()
        .route("/guarded/{action}", guarded)
        .layer(from_fn_with_state(app.clone(), guard));
    let apart = any(current).layer(SessionLayer::new(app.apart.clone()));
    Router::new()
        .route("/ignore", any(async || "ignored"))
        .route("/current/{action}", any(current))
        .route("/lazy/{action}", any(lazy))
        .route("/data", any(data))
        .route("/optional", any(optional))
        .route("/two/{action}", any(two))
        .route("/apart/{action}", apart)
        .route("/socket", any(socket))
        .route(
            "/missing",
            any(async |_: CurrentSession<Unlayered>| "found"),
        )
        .route(
            "/missing-optional",
            any(async |_: Option<SessionData<Unlayered>>| "found"),
        )
        .merge(guarded)
        .layer(SessionLayer::new(app.sessions.clone()).peer_address(peer))
        .layer(SessionLayer::new(app.admins.clone()))
        .with_state(app)
}

fn peer(extensions: &http::Extensions) -> Option<IpAddr> {
    Some(extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip())
}

async fn current(
    State(app): State<TestApp>,
    Path(action): Path<String>,
    session: CurrentSession<Data>,
    argument: String,
) -> Result<Response, AppError> {
    let answer = app.current(&action, &session, &argument).await?;
    Ok(respond(answer))
}

async fn lazy(
    State(app): State<TestApp>,
    Path(action): Path<String>,
    session: LazySession<Data>,
    argument: String,
) -> Result<Response, AppError> {
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
    State(app): State<TestApp>,
    Path(action): Path<String>,
    session: CurrentSession<Data>,
    admin: CurrentSession<Admin>,
    argument: String,
) -> Result<Response, AppError> {
    let answer = app.two(&action, &session, &admin, &argument).await?;
    Ok(respond(answer))
}

async fn guard(
    State(app): State<TestApp>,
    session: CurrentSession<Data>,
    request: Request,
    next: Next,
) -> Result<Response, AppError> {
    let refuse = TestApp::guard_refuses(request.uri().path());
    app.guard(&session, refuse).await?;
    Ok(next.run(request).await)
}

async fn socket(
    State(app): State<TestApp>,
    session: CurrentSession<Data>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, AppError> {
    app.before_socket(&session).await?;
    Ok(upgrade.on_upgrade(async move |mut socket| {
        let text = app.on_socket(&session).await;
        socket.send(Message::text(text)).await.unwrap();
    }))
}

fn respond(answer: Answer) -> Response {
    let mut response = http::Response::builder().status(answer.status);
    for (name, value) in answer.fields {
        response = response.header(name, value);
    }
    let body = match answer.body {
        cloakroom_testkit::Body::Text(text) => Body::from(text),
        cloakroom_testkit::Body::Chunks(chunks) => Body::from_stream(chunks),
    };
    response.body(body).unwrap()
}

struct AppError(Failure);

impl From<Failure> for AppError {
    fn from(failure: Failure) -> Self {
        Self(failure)
    }
}

impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        match self.0 {
            Failure::Session(error) => SessionError::from(error).into_response(),
            Failure::Own(status) => http::StatusCode::from_u16(status).unwrap().into_response(),
        }
    }
}
