use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cloakroom::CurrentSession;
use serde::{Deserialize, Serialize};

use super::{Session, Unloaded};
use crate::error::ApiError;
use crate::json::JsonBody;
use crate::settings::Settings;
use crate::shopper::{Item, Name, Shopper};

#[derive(Debug, Deserialize)]
pub(super) struct Login {
    name: String,
    #[serde(default)]
    remember: bool,
}

/// What a shopper is told about their session.
#[derive(Debug, Serialize)]
pub(super) struct Account {
    name: Name,
    cart: Vec<Item>,
}

/// A fresh id and fresh data. Of an anonymous session before it, only the visits are carried over, and of
/// another shopper's nothing.
///
/// Whoever wants to be remembered gets a session that lasts longer, and a cookie that outlasts the browser.
pub(super) async fn login(
    session: Unloaded,
    State(settings): State<Settings>,
    JsonBody(login): JsonBody<Login>,
) -> Result<Json<Account>, ApiError> {
    let name = Name::new(&login.name)?;
    let session = session?.load().await?;
    let visitor = session.data().filter(|before| before.name().is_none());
    let visits = visitor.map_or(0, |visitor| visitor.visits());
    let fresh = session.resave(Shopper::signed_in(name, visits));
    if login.remember {
        fresh.max_age(settings.remembered()).await?;
    } else {
        fresh.browser_session().await?;
    }
    account(&session)
}

pub(super) async fn me(session: Session) -> Result<Json<Account>, ApiError> {
    let session = session?;
    account(&session)
}

/// The session is not loaded: whatever is in it, it ends.
pub(super) async fn destroy(session: Unloaded) -> Result<StatusCode, ApiError> {
    session?.destroy().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// As [`destroy`], and the browser forgets the cookie.
pub(super) async fn logout(session: Unloaded) -> Result<StatusCode, ApiError> {
    session?.logout().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The session's data, if somebody signed in to it: one that only counts visits is not enough.
pub(super) fn signed_in(
    session: &CurrentSession<Shopper>,
) -> Result<(Name, Arc<Shopper>), ApiError> {
    let shopper = session.data().ok_or(ApiError::NotSignedIn)?;
    let name = shopper.name().cloned().ok_or(ApiError::NotSignedIn)?;
    Ok((name, shopper))
}

/// The session as it is after this request's writes.
pub(super) fn account(session: &CurrentSession<Shopper>) -> Result<Json<Account>, ApiError> {
    let (name, shopper) = signed_in(session)?;
    let cart = shopper.cart().to_vec();
    Ok(Json(Account { name, cart }))
}
