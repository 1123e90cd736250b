use actix_web::HttpResponse;
use actix_web::web::{Json, Path};
use cloakroom::{Handle, SessionInfo};
use cloakroom_actix::{CurrentSession, SessionError};
use serde::Serialize;

use crate::User;

/// What the user is shown of one of their sessions: neither its id nor the hash of it.
#[derive(Serialize)]
pub(crate) struct Device {
    handle: String,
    user_agent: Option<String>,
    address: Option<String>,
    /// Milliseconds since 1970, UTC.
    signed_in_at: i64,
    last_seen_at: i64,
    this_one: bool,
}

pub(crate) async fn list(session: CurrentSession<User>) -> Result<Json<Vec<Device>>, SessionError> {
    let devices = session.devices().await?;
    Ok(Json(devices.iter().map(Device::of).collect()))
}

/// Says the same of another user's session as of one that is not there.
pub(crate) async fn end(
    session: CurrentSession<User>,
    handle: Path<String>,
) -> Result<HttpResponse, SessionError> {
    let Ok(handle) = handle.parse::<Handle>() else {
        return Ok(HttpResponse::NotFound().finish());
    };
    Ok(match session.destroy_device(handle).await? {
        true => HttpResponse::NoContent().finish(),
        false => HttpResponse::NotFound().finish(),
    })
}

pub(crate) async fn end_others(session: CurrentSession<User>) -> Result<String, SessionError> {
    Ok(session.destroy_others().await?.to_string())
}

pub(crate) async fn end_all(session: CurrentSession<User>) -> Result<String, SessionError> {
    Ok(session.logout_everywhere().await?.to_string())
}

impl Device {
    fn of(info: &SessionInfo<User>) -> Self {
        let client = info.client();
        let user_agent = client.and_then(|client| client.user_agent());
        let address = client.and_then(|client| client.address());
        Self {
            handle: info.handle().to_string(),
            user_agent: user_agent.map(ToOwned::to_owned),
            address: address.map(|address| address.to_string()),
            signed_in_at: info.created_at().as_millis(),
            last_seen_at: info.last_seen_at().as_millis(),
            this_one: info.is_current(),
        }
    }
}
