use std::net::IpAddr;

use axum::Json;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::StatusCode;
use cloakroom::{Handle, SessionInfo};
use serde::Serialize;
use serde_json::{Value, json};

use super::account::signed_in;
use super::{Session, refuse};
use crate::error::ApiError;
use crate::shopper::Shopper;

/// One of a shopper's sessions, as they are shown it: neither its id nor the hash of it.
#[derive(Debug, Serialize)]
pub(super) struct Device {
    handle: String,
    /// Milliseconds since 1970, UTC, as are the others.
    created_at: i64,
    last_seen_at: i64,
    expires_at: Option<i64>,
    user_agent: Option<String>,
    address: Option<IpAddr>,
    current: bool,
}

pub(super) async fn list(session: Session) -> Result<Json<Vec<Device>>, ApiError> {
    let session = session?;
    signed_in(&session)?;
    let devices = session.devices().await?;
    Ok(Json(devices.iter().map(Device::of).collect()))
}

/// Ends one of the shopper's own sessions. Of another shopper's it says the same as of one that is not there.
pub(super) async fn end(
    session: Session,
    handle: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, ApiError> {
    let session = session?;
    signed_in(&session)?;
    let handle = handle
        .ok()
        .and_then(|Path(text)| text.parse::<Handle>().ok());
    let ended = match handle {
        // The cookie is worth nothing then, so it goes too.
        Some(handle) if session.handle() == Some(handle) => {
            session.logout().await?;
            true
        }
        Some(handle) => session.destroy_device(handle).await?,
        None => false,
    };
    if !ended {
        return Err(refuse(StatusCode::NOT_FOUND, "you have no such session"));
    }
    Ok(StatusCode::NO_CONTENT)
}

/// This session too, and the browser forgets the cookie.
pub(super) async fn logout_everywhere(session: Session) -> Result<Json<Value>, ApiError> {
    let session = session?;
    signed_in(&session)?;
    let ended = session.logout_everywhere().await?;
    Ok(Json(json!({ "ended": ended })))
}

/// All but this one.
pub(super) async fn logout_others(session: Session) -> Result<Json<Value>, ApiError> {
    let session = session?;
    signed_in(&session)?;
    let ended = session.destroy_others().await?;
    Ok(Json(json!({ "ended": ended })))
}

impl Device {
    fn of(info: &SessionInfo<Shopper>) -> Self {
        let client = info.client();
        let user_agent = client.and_then(|client| client.user_agent());
        Self {
            handle: info.handle().to_string(),
            created_at: info.created_at().as_millis(),
            last_seen_at: info.last_seen_at().as_millis(),
            expires_at: info.expires_at().map(|at| at.as_millis()),
            user_agent: user_agent.map(ToOwned::to_owned),
            address: client.and_then(|client| client.address()),
            current: info.is_current(),
        }
    }
}
