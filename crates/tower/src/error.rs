use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use axum_core::response::{IntoResponse, Response};
use cloakroom::{Error, ErrorKind};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};

/// Why there is no session to work with, or why a verb failed, as a response: use it as a handler's error, with
/// `?` on every verb.
///
/// 401 where the session is not there or ended, 403 where it is not enough, 409 where another request changed it,
/// 503 with `Retry-After` where the store does not answer, 500 otherwise. The body says no more than that, but with
/// a 403 it names the [reason](SessionError::reason) for programs: `{"error":"not_fresh"}`. The cause goes to the log.
#[derive(Debug)]
pub struct SessionError(Cause);

#[derive(Debug)]
enum Cause {
    MissingLayer(&'static str),
    Session(Error),
    NoData,
}

impl SessionError {
    /// There is no layer for sessions of `T`.
    pub(crate) fn missing_layer<T>() -> Self {
        Self(Cause::MissingLayer(std::any::type_name::<T>()))
    }

    /// Somebody must be signed in, and nobody is.
    pub(crate) fn no_data() -> Self {
        Self(Cause::NoData)
    }

    /// What sort of trouble it is. `Configuration` where the layer is missing.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match &self.0 {
            Cause::MissingLayer(_) => ErrorKind::Configuration,
            Cause::Session(error) => error.kind(),
            Cause::NoData => ErrorKind::NoSession,
        }
    }

    /// The status of the response.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match &self.0 {
            Cause::MissingLayer(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Cause::Session(error) => {
                StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
            Cause::NoData => StatusCode::UNAUTHORIZED,
        }
    }

    /// A word for programs, with a 403: see [`Error::reason`].
    #[must_use]
    pub fn reason(&self) -> Option<&'static str> {
        match &self.0 {
            Cause::Session(error) => error.reason(),
            Cause::MissingLayer(_) | Cause::NoData => None,
        }
    }

    /// What belongs into `Retry-After`, with a 503.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match &self.0 {
            Cause::Session(error) => error.retry_after(),
            Cause::MissingLayer(_) | Cause::NoData => None,
        }
    }
}

impl From<Error> for SessionError {
    fn from(error: Error) -> Self {
        Self(Cause::Session(error))
    }
}

impl IntoResponse for SessionError {
    fn into_response(self) -> Response {
        let status = self.status();
        if status.is_server_error() {
            tracing::error!(target: "cloakroom", error = %self, cause = ?self.source().map(ToString::to_string), "answered {status}");
        }
        let mut response = match self.reason() {
            Some(reason) => {
                let json = HeaderValue::from_static("application/json");
                let body = format!(r#"{{"error":"{reason}"}}"#);
                (status, [(CONTENT_TYPE, json)], body).into_response()
            }
            None => (status, status.canonical_reason().unwrap_or_default()).into_response(),
        };
        if let Some(after) = self.retry_after() {
            let seconds = HeaderValue::from(after.as_secs());
            response.headers_mut().insert(RETRY_AFTER, seconds);
        }
        response
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Cause::MissingLayer(data) => write!(
                f,
                "no session layer for `{data}`: add `.layer(SessionLayer::new(sessions))` with `Sessions<{data}>` to the router, below the routes that use it"
            ),
            Cause::Session(error) => error.fmt(f),
            Cause::NoData => f.write_str("there is no session"),
        }
    }
}

impl StdError for SessionError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0 {
            Cause::Session(error) => error.source(),
            Cause::MissingLayer(_) | Cause::NoData => None,
        }
    }
}
