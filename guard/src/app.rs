use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::routing::get;
use axum::{Extension, Router};
use cloakroom::{MemoryStore, Secret, Sessions};
use cloakroom_tower::{CurrentSession, SessionData, SessionError, SessionService};
use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

/// A small application in this process.
pub(crate) trait App:
    Service<Request<Body>, Response = Response<Body>, Error = Infallible>
{
}

impl<S> App for S where S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> {}

#[derive(Clone, Debug)]
struct User {
    id: u64,
    name: String,
    visits: u32,
}

pub(crate) fn bare() -> impl App {
    bare_router()
}

fn bare_router() -> Router {
    let handler = || get(async || "ok");
    Router::new()
        .route("/ignore", handler())
        .route("/read", handler())
        .route("/write", handler())
        .route("/sign-in", handler())
}

/// What it costs to bring any value to a handler, with axum's own layer for that. Not compared with anything: for whoever
/// wants to know how much of a request that ignores its session is that.
pub(crate) fn with_extension() -> impl App {
    Extension(Arc::new(0_u8)).layer(bare_router())
}

/// The layer goes around the whole router: axum's own price for a layer inside of it is not ours.
pub(crate) fn with_sessions() -> impl App {
    // Without its thread, which would be counted whenever it happens to run.
    let store = MemoryStore::builder()
        .purge_interval(Duration::ZERO)
        .build();
    let secret = Secret::generate().expect("randomness");
    let sessions: Sessions<User> = Sessions::builder(store, secret)
        .build()
        .expect("a good configuration");
    let router = Router::new()
        .route("/ignore", get(async || "ok"))
        .route("/read", get(read))
        .route("/write", get(write))
        .route("/sign-in", get(sign_in));
    SessionService::new(router, sessions)
}

async fn read(user: SessionData<User>) -> &'static str {
    std::hint::black_box((user.id, &user.name));
    "ok"
}

async fn write(session: CurrentSession<User>) -> Result<&'static str, SessionError> {
    let mut user = session
        .data()
        .map(|user| (*user).clone())
        .expect("signed in");
    user.visits += 1;
    session.save(user).await?;
    Ok("ok")
}

async fn sign_in(session: CurrentSession<User>) -> Result<&'static str, SessionError> {
    let user = User {
        id: 17,
        name: "ada".to_owned(),
        visits: 0,
    };
    session.resave(user).await?;
    Ok("ok")
}
