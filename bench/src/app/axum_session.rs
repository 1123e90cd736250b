use ::axum_session::{Key, Session, SessionConfig, SessionLayer, SessionNullPool, SessionStore};
use axum::Router;
use axum::routing::get;

use super::tower::layered;
use super::{Service, Settings};
use crate::case::User;

pub async fn service(settings: &Settings) -> Service {
    let router = Router::new()
        .route("/ignore", get(async || "ok"))
        .route("/read", get(read))
        .route("/write", get(write))
        .route("/sign-in", get(sign_in));
    let ttl = time::Duration::try_from(settings.ttl).expect("a sane lifetime");
    let mut config = SessionConfig::default()
        .with_key(Key::generate())
        .with_lifetime(ttl)
        .with_memory_lifetime(ttl);
    if let Some(purge) = settings.purge {
        let purge = time::Duration::try_from(purge).expect("a sane interval");
        config = config.with_purge_update(purge).with_thread_sleep_duration(purge);
    }
    let store = SessionStore::<SessionNullPool>::new(None, config).await.expect("a store");
    layered(router, SessionLayer::new(store))
}

async fn read(session: Session<SessionNullPool>) -> &'static str {
    let user: Option<User> = session.get("user");
    std::hint::black_box(user.expect("signed in").id);
    "ok"
}

async fn write(session: Session<SessionNullPool>) -> &'static str {
    let user: Option<User> = session.get("user");
    let mut user = user.expect("signed in");
    user.visits += 1;
    session.set("user", user);
    "ok"
}

async fn sign_in(session: Session<SessionNullPool>) -> &'static str {
    session.renew();
    session.set("user", User::ada());
    "ok"
}
