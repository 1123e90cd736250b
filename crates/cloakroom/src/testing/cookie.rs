use std::fmt;
use std::sync::Arc;

use crate::{Error, Sessions};

/// A session's cookie, as the next request carries it: `name=value`. Not printed by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionCookie(String);

impl SessionCookie {
    pub(super) fn new(pair: String) -> Self {
        Self(pair)
    }

    /// The value of a `Cookie` field.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SessionCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionCookie(…)")
    }
}

/// Stores a session as a sign-in does, and answers its cookie.
///
/// # Errors
/// As [`resave`](crate::CurrentSession::resave).
pub async fn sign_in<T: Send + Sync + 'static>(
    sessions: &Sessions<T>,
    data: T,
) -> Result<SessionCookie, Error> {
    let request = sessions.for_request([""]);
    request.resave(data).await?;
    let response = request.finish().await;
    let set_cookie = response.set_cookie().expect("a sign-in sends a cookie");
    let pair = set_cookie.split(';').next().unwrap_or_default();
    Ok(SessionCookie::new(pair.to_owned()))
}

/// What is stored under a cookie; `None` if the session has ended.
///
/// # Errors
/// As [`LazySession::load`](crate::LazySession::load).
pub async fn stored<T: Send + Sync + 'static>(
    sessions: &Sessions<T>,
    cookie: &SessionCookie,
) -> Result<Option<Arc<T>>, Error> {
    let request = sessions.for_request([cookie.as_str().to_owned()]);
    Ok(request.load().await?.data())
}
