use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use cloakroom::{Carrier, Error, ErrorKind, ResponseEffect};

use crate::headers::apply_copy;
use crate::unseen::Trouble;

/// Why there is no session to work with, or why a verb failed, as a response: use it as a handler's error, with
/// `?` on every verb.
///
/// 401 where the session is not there or ended, 403 where it is not enough, 409 where another request changed it,
/// 503 with `Retry-After` where the store does not answer, 500 otherwise. The body says no more than that, but with
/// a 403 it names the [reason](SessionError::reason) for programs: `{"error":"not_fresh"}`. The cause goes to the log.
#[derive(Debug)]
pub struct SessionError {
    cause: Cause,
    /// Set once somebody has looked at it; only for errors of extractors.
    seen: Option<Arc<AtomicBool>>,
}

#[derive(Debug)]
enum Cause {
    MissingMiddleware(&'static str),
    Session(Error),
    NoData,
    /// An extractor's error that nobody looked at.
    Unseen(Trouble),
}

impl SessionError {
    /// There is no middleware for sessions of `T`. Logged here, as nobody may look at it: outside of all session
    /// middleware an optional extractor is `None` then, and nothing can be done about it.
    pub(crate) fn missing_middleware<T>() -> Self {
        let error = Self::new(Cause::MissingMiddleware(std::any::type_name::<T>()));
        tracing::error!(target: "cloakroom", %error, "a handler or middleware asked for a session");
        error
    }

    /// Somebody must be signed in, and nobody is.
    pub(crate) fn no_data() -> Self {
        Self::new(Cause::NoData)
    }

    /// An extractor failed with that, and nobody looked.
    pub(crate) fn unseen(trouble: Trouble) -> Self {
        Self::new(Cause::Unseen(trouble))
    }

    /// The same, which notes there that somebody looked.
    pub(crate) fn when_seen(mut self, seen: Arc<AtomicBool>) -> Self {
        self.seen = Some(seen);
        self
    }

    fn new(cause: Cause) -> Self {
        Self { cause, seen: None }
    }

    /// What sort of trouble it is. `Configuration` where the middleware is missing.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.see();
        match &self.cause {
            Cause::MissingMiddleware(_) => ErrorKind::Configuration,
            Cause::Session(error) => error.kind(),
            Cause::NoData => ErrorKind::NoSession,
            Cause::Unseen(trouble) => trouble.kind,
        }
    }

    /// The status of the response.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.see();
        match &self.cause {
            Cause::MissingMiddleware(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Cause::Session(error) => {
                StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
            Cause::NoData => StatusCode::UNAUTHORIZED,
            Cause::Unseen(trouble) => trouble.status,
        }
    }

    fn see(&self) {
        if let Some(seen) = &self.seen {
            seen.store(true, Ordering::Relaxed);
        }
    }

    /// A word for programs, with a 403: see [`Error::reason`].
    #[must_use]
    pub fn reason(&self) -> Option<&'static str> {
        match &self.cause {
            Cause::Session(error) => error.reason(),
            // A session that does not load is never a 403.
            Cause::MissingMiddleware(_) | Cause::NoData | Cause::Unseen(_) => None,
        }
    }

    /// What belongs into `Retry-After`, with a 503.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match &self.cause {
            Cause::Session(error) => error.retry_after(),
            Cause::Unseen(trouble) => trouble.retry_after,
            Cause::MissingMiddleware(_) | Cause::NoData => None,
        }
    }
}

impl From<Error> for SessionError {
    fn from(error: Error) -> Self {
        Self::new(Cause::Session(error))
    }
}

impl ResponseError for SessionError {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    fn error_response(&self) -> HttpResponse {
        let status = self.status();
        // A missing middleware was logged where it was noticed.
        if status.is_server_error() && !matches!(self.cause, Cause::MissingMiddleware(_)) {
            tracing::error!(target: "cloakroom", error = %self, cause = ?self.source().map(ToString::to_string), "answered {status}");
        }
        let mut builder = HttpResponse::build(status);
        let mut response = match self.reason() {
            Some(reason) => builder
                .content_type("application/json")
                .body(format!(r#"{{"error":"{reason}"}}"#)),
            None => builder
                .content_type("text/plain; charset=utf-8")
                .body(status.canonical_reason().unwrap_or_default()),
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
        match &self.cause {
            Cause::MissingMiddleware(data) => write!(
                f,
                "no session middleware for `{data}`: add `.wrap(SessionMiddleware::new(sessions))` with `Sessions<{data}>` to the application"
            ),
            Cause::Session(error) => error.fmt(f),
            Cause::NoData => f.write_str("there is no session"),
            Cause::Unseen(_) => f.write_str(
                "an extractor failed and nobody looked at its error; take the error, or the session without `Option`",
            ),
        }
    }
}

impl StdError for SessionError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.cause {
            Cause::Session(error) => error.source(),
            Cause::MissingMiddleware(_) | Cause::NoData | Cause::Unseen(_) => None,
        }
    }
}

/// An error of an inner middleware with what its response needs on account of the session. actix-web makes a
/// response of it only when it has left all middleware, too late to add a cookie.
pub(crate) struct ErrorWithSession {
    error: actix_web::Error,
    effect: ResponseEffect,
    carrier: Carrier,
}

impl ErrorWithSession {
    pub(crate) fn new(error: actix_web::Error, effect: ResponseEffect, carrier: Carrier) -> Self {
        Self {
            error,
            effect,
            carrier,
        }
    }
}

impl ResponseError for ErrorWithSession {
    fn status_code(&self) -> StatusCode {
        self.error.as_response_error().status_code()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = self.error.error_response();
        apply_copy(&self.effect, &self.carrier, response.headers_mut());
        response
    }
}

impl fmt::Display for ErrorWithSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl fmt::Debug for ErrorWithSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}
