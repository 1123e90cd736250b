use std::time::Duration;

use axum::Json;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::account::{Account, account, signed_in};
use super::{Session, refuse};
use crate::error::ApiError;
use crate::json::JsonBody;
use crate::shopper::Name;

/// How long after a sign-in things may be done that need a fresh one.
const FRESH: Duration = Duration::from_secs(60);

#[derive(Debug, Deserialize)]
pub(super) struct Proof {
    name: String,
}

/// Something dangerous: only for those who signed in a moment ago. Else 403 with the reason `not_fresh`.
///
/// A handler that takes a [`FreshSession`](cloakroom_tower::FreshSession) says the same in its signature; here
/// whoever has not signed in at all is to hear that instead, even if they have counted a visit.
pub(super) async fn sudo(session: Session) -> Result<Json<Value>, ApiError> {
    let session = session?;
    signed_in(&session)?;
    session.require_fresh(FRESH)?;
    Ok(Json(json!({ "ok": true })))
}

/// The user proves anew who they are; the session goes on under a fresh id. This shop has no passwords, so the
/// name has to do.
pub(super) async fn reauthenticate(
    session: Session,
    JsonBody(proof): JsonBody<Proof>,
) -> Result<Json<Account>, ApiError> {
    let session = session?;
    let (name, _) = signed_in(&session)?;
    if Name::new(&proof.name)? != name {
        let why = "that is not the name that you signed in with";
        return Err(refuse(StatusCode::FORBIDDEN, why));
    }
    session.reauthenticate().await?;
    account(&session)
}
