use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use cloakroom_actix::{CurrentSession, FreshSession, LazySession, SessionData, SessionError};
use serde::Deserialize;

use crate::{Passwords, User};

const REMEMBERED: Duration = Duration::from_secs(90 * 24 * 60 * 60);

#[derive(Deserialize)]
pub(crate) struct Credentials {
    name: String,
    password: String,
    #[serde(default)]
    remember: bool,
}

#[derive(Deserialize)]
pub(crate) struct Password {
    password: String,
}

pub(crate) async fn sign_in(
    session: LazySession<User>,
    passwords: Data<Passwords>,
    given: Json<Credentials>,
) -> Result<HttpResponse, SessionError> {
    let Json(given) = given;
    if !passwords.check(&given.name, &given.password) {
        return Ok(HttpResponse::Unauthorized().body("wrong name or password"));
    }
    let fresh = session.resave(User { name: given.name });
    if given.remember {
        fresh.max_age(REMEMBERED).await?;
    } else {
        // The day that is configured, and no longer than the browser is open.
        fresh.browser_session().await?;
    }
    Ok(HttpResponse::NoContent().finish())
}

/// The same session goes on under a fresh id, and its user has just proved who they are.
pub(crate) async fn confirm(
    user: SessionData<User>,
    session: CurrentSession<User>,
    passwords: Data<Passwords>,
    given: Json<Password>,
) -> Result<HttpResponse, SessionError> {
    if !passwords.check(&user.name, &given.password) {
        return Ok(HttpResponse::Forbidden().body("wrong password"));
    }
    session.reauthenticate().await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The extractor refuses with 403 and `{"error":"not_fresh"}` where five minutes are over: the page then asks for the
/// password, sends it to `/confirm`, and tries again.
pub(crate) async fn change_password(
    session: FreshSession<User, 300>,
    user: SessionData<User>,
    passwords: Data<Passwords>,
    given: Json<Password>,
) -> Result<HttpResponse, SessionError> {
    // First: the body may have come long after the session was read, and been held back until its user ended it. A copy of
    // this session's cookie is out as well.
    session.rotate().await?;
    passwords.set(&user.name, &given.password);
    // Whoever knew the old one is out.
    session.destroy_others().await?;
    Ok(HttpResponse::NoContent().finish())
}
