use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use ruts::store::Ttl;
use ruts::store::moka::{MokaStore, MokaStoreBuilder};
use ruts::{CookieOptions, Session, SessionLayer};
use tower_cookies::{CookieManagerLayer, Key};
use tower::{Layer, layer::layer_fn};

use super::tower::layered;
use super::{Service, Settings};
use crate::case::User;

/// Each write of a field takes its lifetime.
#[derive(Clone, Copy)]
struct Lifetime(Ttl);

pub fn service(settings: &Settings) -> Service {
    let seconds = settings.ttl.as_secs();
    let lifetime = Lifetime(Ttl::new(seconds as i64).expect("a sane lifetime"));
    let router = Router::new()
        .route("/ignore", get(async || "ok"))
        .route("/read", get(read))
        .route("/write", get(async move |session| write(session, lifetime).await))
        .route("/sign-in", get(async move |session| sign_in(session, lifetime).await));
    let store = MokaStoreBuilder::new()
        .max_capacity(settings.sessions * 2 + 1000)
        .time_to_live(settings.ttl)
        .build();
    let options = CookieOptions::build()
        .name("session")
        .http_only(true)
        .same_site(ruts::cookie::SameSite::Lax)
        .secure(true)
        .max_age(seconds)
        .path("/")
        .signing_key(Key::generate());
    let sessions = SessionLayer::new(Arc::new(store)).with_cookie_options(options);
    let both = layer_fn(move |inner| CookieManagerLayer::new().layer(sessions.layer(inner)));
    layered(router, both)
}

async fn read(session: Session<MokaStore>) -> &'static str {
    let user: Option<User> = session.get("user").await.expect("loaded");
    std::hint::black_box(user.expect("signed in").id);
    "ok"
}

async fn write(session: Session<MokaStore>, lifetime: Lifetime) -> &'static str {
    let user: Option<User> = session.get("user").await.expect("loaded");
    let mut user = user.expect("signed in");
    user.visits += 1;
    session.set("user", &user, lifetime.0, None).await.expect("stored");
    "ok"
}

async fn sign_in(session: Session<MokaStore>, lifetime: Lifetime) -> &'static str {
    // As its documentation shows for a sign-in: a new id before the write.
    session.prepare_regenerate();
    session.set("user", &User::ada(), lifetime.0, None).await.expect("stored");
    "ok"
}
