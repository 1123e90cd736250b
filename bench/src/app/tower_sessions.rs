use axum::Router;
use axum::routing::get;
use tower_sessions::cookie::Key;
use tower_sessions::{Expiry, Session, SessionManagerLayer};

use super::tower::layered;
use super::{Service, Settings};
use crate::case::User;

pub fn service(settings: &Settings) -> Service {
    let store = tower_sessions::MemoryStore::default();
    let router = Router::new()
        .route("/ignore", get(async || "ok"))
        .route("/read", get(read))
        .route("/write", get(write))
        .route("/sign-in", get(sign_in));
    let ttl = time::Duration::try_from(settings.ttl).expect("a sane lifetime");
    let layer = SessionManagerLayer::new(store)
        .with_expiry(Expiry::OnInactivity(ttl))
        .with_signed(Key::generate());
    layered(router, layer)
}

async fn read(session: Session) -> &'static str {
    let user: Option<User> = session.get("user").await.expect("loaded");
    std::hint::black_box(user.expect("signed in").id);
    "ok"
}

async fn write(session: Session) -> &'static str {
    let user: Option<User> = session.get("user").await.expect("loaded");
    let mut user = user.expect("signed in");
    user.visits += 1;
    session.insert("user", user).await.expect("kept");
    "ok"
}

async fn sign_in(session: Session) -> &'static str {
    session.cycle_id().await.expect("cycled");
    session.insert("user", User::ada()).await.expect("kept");
    "ok"
}
