use axum::Router;
use axum::routing::get;
use cloakroom::{MemoryStore, Secret, Sessions, Store};
use cloakroom_tower::{CurrentSession, LazySession, SessionData, SessionLayer};

use super::tower::layered;
use super::{Service, Settings};
use crate::case::User;

pub fn memory_store(settings: &Settings) -> MemoryStore<User> {
    // A sign-in in flight is one session more.
    let most = usize::try_from(settings.sessions * 2 + 1000).expect("64 bits");
    MemoryStore::builder().max_sessions(most).build()
}

pub fn sessions(store: impl Store<User>, settings: &Settings) -> Sessions<User> {
    Sessions::builder(store, Secret::generate().expect("randomness"))
        .max_age(settings.ttl)
        .build()
        .expect("a good configuration")
}

pub fn service(store: impl Store<User>, settings: &Settings) -> Service {
    let router = Router::new()
        .route("/ignore", get(async || "ok"))
        .route("/read", get(read))
        .route("/write", get(write))
        .route("/sign-in", get(sign_in));
    layered(router, SessionLayer::new(sessions(store, settings)))
}

async fn read(user: SessionData<User>) -> &'static str {
    std::hint::black_box(user.id);
    "ok"
}

async fn write(session: CurrentSession<User>) -> &'static str {
    let mut user = session.data().map(|user| (*user).clone()).expect("signed in");
    user.visits += 1;
    session.save(user).await.expect("stored");
    "ok"
}

async fn sign_in(session: LazySession<User>) -> &'static str {
    session.resave(User::ada()).await.expect("stored");
    "ok"
}
