//! A websocket that closes when its session ends: when its user signs out, here or on another device, and when the
//! session expires.
//!
//! A websocket outlives the request that opened it. What was checked then says nothing about now: without
//! [`ended`](cloakroom::CurrentSession::ended), whoever signs out goes on receiving messages.
//!
//! `cargo run -p axum-websocket`, then sign in with
//! `curl -i -d ada http://127.0.0.1:3000/sign-in`, open `ws://127.0.0.1:3000/chat` with that cookie, and sign out.

mod chat;
mod origin;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use cloakroom::Sessions;
use cloakroom_tower::{CurrentSession, LazySession, SessionError, SessionLayer};

use crate::origin::OwnOrigin;

/// The close code for "your session has ended": one of those that RFC 6455 leaves to applications.
pub const SESSION_ENDED: u16 = 4401;

/// The application, whose pages are from that origin. The data of a session is its user's name.
pub fn app(sessions: Sessions<String>, origin: &str) -> Router {
    Router::new()
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(sign_out))
        .route("/sign-out-others", post(sign_out_others))
        .route("/chat", get(chat::open))
        .with_state(OwnOrigin(origin.into()))
        .layer(SessionLayer::new(sessions))
}

/// A real application would ask for a password: see the example `axum-login`.
async fn sign_in(session: LazySession<String>, name: String) -> Result<StatusCode, SessionError> {
    session.resave(name).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn sign_out(session: LazySession<String>) -> Result<StatusCode, SessionError> {
    session.logout().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends the user's sessions on other devices, and with them their websockets.
async fn sign_out_others(session: CurrentSession<String>) -> Result<String, SessionError> {
    let count = session.destroy_others().await?;
    Ok(count.to_string())
}
