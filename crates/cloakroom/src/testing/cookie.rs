use std::fmt;
use std::sync::Arc;

use crate::{Carrier, Error, Sessions};

/// A session's cookie, as the next request carries it: `name=value`. Or, with
/// [`id_in_header`](crate::SessionsBuilder::id_in_header), what that header carries. Not printed by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionCookie {
    field: String,
    value: String,
}

impl SessionCookie {
    /// `sent` is the cookie's pair, or the header's value in the response.
    pub(super) fn new(carrier: &Carrier, sent: &str) -> Self {
        let value = match carrier {
            Carrier::Cookie(_) => sent.to_owned(),
            Carrier::Header(header) => header.request_value(sent),
        };
        Self {
            field: carrier.request_field().to_owned(),
            value,
        }
    }

    /// The request's field: `cookie`, or the header's name.
    #[must_use]
    pub fn field_name(&self) -> &str {
        &self.field
    }

    /// The value of that field.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.value
    }
}

impl fmt::Debug for SessionCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionCookie(…)")
    }
}

/// Stores a session as a sign-in does, and answers its cookie, or what its header carries.
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
    let sent = response.set_cookie().or(response.set_header());
    let sent = sent.expect("a sign-in sends the id");
    let pair = sent.split(';').next().unwrap_or_default();
    Ok(SessionCookie::new(sessions.carrier(), pair))
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
