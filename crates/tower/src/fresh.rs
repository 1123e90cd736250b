use std::fmt;
use std::ops::Deref;
use std::time::Duration;

use axum_core::extract::FromRequestParts;
use http::request::Parts;

use crate::{CurrentSession, SessionError};

/// The session of a user who proved who they are less than `SECONDS` seconds ago, loaded. Refuses with 403 and the reason
/// `not_fresh` if that was longer ago, with 401 if nobody is signed in: ask for the password, then
/// [`reauthenticate`](cloakroom::CurrentSession::reauthenticate).
///
/// ```
/// use cloakroom_tower::{FreshSession, SessionError};
///
/// async fn change_password(session: FreshSession<String, 300>) -> Result<(), SessionError> {
///     // First, as it refuses if the session was ended while the request's body arrived; and a copy of the cookie is out.
///     session.rotate().await?;
///     // Change it, then:
///     session.destroy_others().await?;
///     Ok(())
/// }
/// # let _: axum::routing::MethodRouter = axum::routing::post(change_password);
/// ```
pub struct FreshSession<T, const SECONDS: u64>(cloakroom::CurrentSession<T>);

impl<T, const SECONDS: u64> FreshSession<T, SECONDS> {
    /// The engine's type, to hand it to code that knows no axum.
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

impl<T, S, const SECONDS: u64> FromRequestParts<S> for FreshSession<T, SECONDS>
where
    T: Send + Sync + 'static,
    S: Sync,
{
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, SessionError> {
        let session = CurrentSession::from_request_parts(parts, state).await?;
        session.require_fresh(Duration::from_secs(SECONDS))?;
        Ok(Self(session.into_inner()))
    }
}
