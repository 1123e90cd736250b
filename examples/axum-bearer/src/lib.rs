//! One application for browsers and for programs. Pages find the session by a cookie; what is below `/api` finds it by
//! `Authorization: Bearer`, and answers a sign-in with the value in `x-session-id`. Both keep their sessions in one store,
//! so a user sees all devices in one list, and signs out the lost telephone in the browser.
//!
//! The routes of the one know nothing of the other: a cookie means nothing below `/api`, so no page of another site can
//! do anything there in a visitor's name, and no route there needs a CSRF token.
//!
//! `cargo run -p axum-bearer`, then:
//!
//! ```console
//! $ curl -i -d ada http://127.0.0.1:3000/api/sign-in
//! $ curl -H "Authorization: Bearer <what x-session-id said>" http://127.0.0.1:3000/api/me
//! ```

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use cloakroom::{CookieOptions, IdHeader, Secret, Sessions, Store};
use cloakroom_tower::{CurrentSession, LazySession, SessionData, SessionError, SessionLayer};

/// The sessions of the same users: those in browsers, and those of programs.
#[derive(Clone, Debug)]
pub struct Both {
    /// By a cookie.
    pub pages: Sessions<String>,
    /// By a bearer token.
    pub api: Sessions<String>,
}

impl Both {
    /// Over one store, with one secret: no value of the one is good for the other.
    ///
    /// # Errors
    /// `Configuration`, never as it stands here.
    pub fn over(store: impl Store<String>, secret: Secret) -> Result<Self, cloakroom::Error> {
        let store = Arc::new(store);
        let pages = Sessions::builder(Arc::clone(&store), secret.clone())
            .cookie(CookieOptions::insecure_for_local_http())
            .owned_by(|name: &String| name.clone());
        let api = Sessions::builder(store, secret)
            .id_in_header(IdHeader::bearer())
            .owned_by(|name: &String| name.clone());
        Ok(Self {
            pages: pages.build()?,
            api: api.build()?,
        })
    }
}

/// The application: each layer around its own routes.
pub fn app(sessions: Both) -> Router {
    let pages = Router::new()
        .route("/", get(devices))
        .route("/sign-in", post(sign_in))
        .route("/sign-out-everywhere", post(sign_out_everywhere))
        .layer(SessionLayer::new(sessions.pages));
    let api = Router::new()
        .route("/me", get(me))
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(sign_out))
        .layer(SessionLayer::new(sessions.api));
    pages.nest("/api", api)
}

/// The same for both: a program finds the value in a header, a browser in a cookie.
async fn sign_in(session: LazySession<String>, name: String) -> Result<(), SessionError> {
    Ok(session.resave(name).await?) // Once a password was right.
}

async fn sign_out(session: LazySession<String>) -> Result<(), SessionError> {
    Ok(session.logout().await?)
}

async fn me(SessionData(name): SessionData<String>) -> String {
    (*name).clone()
}

async fn devices(session: CurrentSession<String>) -> Result<String, SessionError> {
    let devices = session.devices().await?;
    Ok(format!("signed in {} times", devices.len()))
}

async fn sign_out_everywhere(session: CurrentSession<String>) -> Result<String, SessionError> {
    let ended = session.logout_everywhere().await?;
    Ok(format!("ended {ended}"))
}
