use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use crate::{CurrentSession, SessionError};

/// The session of a user who proved who they are less than `SECONDS` seconds ago, loaded. Refuses with 403 and the reason
/// `not_fresh` if that was longer ago, with 401 if nobody is signed in: ask for the password, then
/// [`reauthenticate`](cloakroom::CurrentSession::reauthenticate).
///
/// ```
/// use actix_web::HttpResponse;
/// use cloakroom_actix::{FreshSession, SessionError};
///
/// async fn change_password(session: FreshSession<String, 300>) -> Result<HttpResponse, SessionError> {
///     // First, as it refuses if the session was ended while the request's body arrived; and a copy of the cookie is out.
///     session.rotate().await?;
///     // Change it, then:
///     session.destroy_others().await?;
///     Ok(HttpResponse::NoContent().finish())
/// }
/// # let _ = actix_web::web::post().to(change_password);
/// ```
pub struct FreshSession<T, const SECONDS: u64>(cloakroom::CurrentSession<T>);

impl<T, const SECONDS: u64> FreshSession<T, SECONDS> {
    /// The engine's type, to hand it to code that knows no actix-web.
    #[must_use]
    pub fn into_inner(self) -> cloakroom::CurrentSession<T> {
        self.0
    }
}

impl<T, const SECONDS: u64> Deref for FreshSession<T, SECONDS> {
    type Target = cloakroom::CurrentSession<T>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

// By hand: deriving would ask for `T: Debug`, and would print the data.
impl<T, const SECONDS: u64> fmt::Debug for FreshSession<T, SECONDS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: Send + Sync + 'static, const SECONDS: u64> FromRequest for FreshSession<T, SECONDS> {
    type Error = SessionError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, SessionError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let session = CurrentSession::from_request(request, payload);
        Box::pin(async move {
            let session = session.await?;
            session.require_fresh(Duration::from_secs(SECONDS))?;
            Ok(Self(session.into_inner()))
        })
    }
}
