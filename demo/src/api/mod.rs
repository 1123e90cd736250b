//! The JSON interface: one file for each thing that it is about.

mod account;
mod cart;
mod devices;
mod live;
mod sudo;
mod visit;
mod work;

use axum::http::StatusCode;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use cloakroom_tower::{CurrentSession, LazySession, SessionError};
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::settings::Settings;
use crate::shopper::Shopper;

/// A handler's session, loaded, or why there is none: `session?` answers with JSON.
type Session = Result<CurrentSession<Shopper>, SessionError>;

/// A handler's session, not loaded.
type Unloaded = Result<LazySession<Shopper>, SessionError>;

/// Everything below `/api`.
pub(crate) fn routes(settings: Settings) -> Router {
    Router::new()
        .route("/ping", get(ping))
        .route("/login", post(account::login))
        .route("/me", get(account::me))
        .route("/destroy", post(account::destroy))
        .route("/logout", post(account::logout))
        .route("/sessions", get(devices::list))
        .route("/sessions/{handle}", delete(devices::end))
        .route("/logout-everywhere", post(devices::logout_everywhere))
        .route("/logout-others", post(devices::logout_others))
        .route("/live", get(live::follow))
        .route("/sudo", post(sudo::sudo))
        .route("/reauthenticate", post(sudo::reauthenticate))
        .route("/cart", post(cart::add))
        .route("/cart/save", post(cart::save))
        .route("/visit", post(visit::count))
        .fallback(|| async { refuse(StatusCode::NOT_FOUND, "there is nothing here") })
        .method_not_allowed_fallback(|| async {
            refuse(StatusCode::METHOD_NOT_ALLOWED, "not with this method")
        })
        .with_state(settings)
}

/// Shows that the server is up, and that a request without a use for the session pays nothing for it.
async fn ping() -> Json<Value> {
    Json(json!({ "ok": true }))
}

fn refuse(status: StatusCode, why: &str) -> ApiError {
    ApiError::Refused(status, why.to_owned())
}
