use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use cloakroom_store::{InvalidOwner, StoreError, StoreErrorKind};

/// Why Cloakroom could not do what it was asked.
///
/// Neither the message nor the [`source`](StdError::source) is meant for a response: the adapters answer with
/// [`status`](Error::status) and a body that says nothing of the cause.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What sort of trouble an [`Error`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The session ended while this request worked: signed out, revoked, rotated or expired. Nothing was
    /// written and nothing came back to life.
    Gone,
    /// Another request changed the session since this one read it. Nothing was written.
    Conflict,
    /// The verb needs a session and this request has none.
    NoSession,
    /// The user proved who they are too long ago for what was asked:
    /// [`require_fresh`](crate::CurrentSession::require_fresh).
    NotFresh,
    /// The user has as many sessions as allowed, and a further one was refused. Nothing was written.
    TooManySessions,
    /// The store did not answer. Whether a write took effect is unknown.
    Unavailable,
    /// The store holds as many sessions as it may. Nothing was written.
    Full,
    /// The data is larger than the store takes. Nothing was written.
    TooLarge,
    /// The stored data does not decode. Only with
    /// [`undecodable_is_an_error`](crate::SessionsBuilder::undecodable_is_an_error).
    Undecodable,
    /// A new id was asked for after the response's headers were handed over, or after the request had ended without a
    /// response, so its cookie could not be sent. Nothing was written; or, if that happened while the store was at
    /// work, what was stored under the new id was ended again.
    ResponseStarted,
    /// The operating system's random generator failed. There is no fallback.
    Randomness,
    /// The configuration asks for something that cannot work. The message says what and why.
    Configuration,
    /// The store cannot list, count or clear its sessions.
    Unsupported,
    /// Anything else: a store that failed otherwise, a text that cannot be an owner's name.
    Internal,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind) -> Self {
        Self { kind, source: None }
    }

    pub(crate) fn configuration(why: impl Into<String>) -> Self {
        Self {
            kind: ErrorKind::Configuration,
            source: Some(why.into().into()),
        }
    }

    pub(crate) fn randomness(source: getrandom::Error) -> Self {
        Self {
            kind: ErrorKind::Randomness,
            source: Some(Box::new(source)),
        }
    }

    pub(crate) fn store(source: StoreError) -> Self {
        let kind = match source.kind() {
            StoreErrorKind::Unavailable => ErrorKind::Unavailable,
            StoreErrorKind::Undecodable => ErrorKind::Undecodable,
            StoreErrorKind::TooLarge => ErrorKind::TooLarge,
            StoreErrorKind::Full => ErrorKind::Full,
            _ => ErrorKind::Internal,
        };
        Self {
            kind,
            source: Some(Box::new(source)),
        }
    }

    pub(crate) fn owner(source: InvalidOwner) -> Self {
        Self {
            kind: ErrorKind::Internal,
            source: Some(Box::new(source)),
        }
    }

    /// What sort of trouble it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The HTTP status (RFC 9110) that fits: 401 where the session is not there or ended, 403
    /// where it is not enough, 409 where another
    /// request was faster, 503 where trying later may help, 500 otherwise.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self.kind {
            ErrorKind::Gone | ErrorKind::NoSession => 401,
            ErrorKind::NotFresh | ErrorKind::TooManySessions => 403,
            ErrorKind::Conflict => 409,
            ErrorKind::Unavailable | ErrorKind::Full => 503,
            _ => 500,
        }
    }

    /// A word for programs, where the status does not say enough: `not_fresh` and `too_many_sessions`, with a 403.
    #[must_use]
    pub fn reason(&self) -> Option<&'static str> {
        match self.kind {
            ErrorKind::NotFresh => Some("not_fresh"),
            ErrorKind::TooManySessions => Some("too_many_sessions"),
            _ => None,
        }
    }

    /// What belongs into `Retry-After`: five seconds with a 503, else nothing.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        (self.status() == 503).then_some(Duration::from_secs(5))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            ErrorKind::Gone => "the session has ended",
            ErrorKind::Conflict => "another request changed the session",
            ErrorKind::NoSession => "there is no session",
            ErrorKind::NotFresh => "signing in again is required",
            ErrorKind::TooManySessions => "there are too many sessions of this user",
            ErrorKind::Unavailable => "the session store is unavailable",
            ErrorKind::Full => "the session store is full",
            ErrorKind::TooLarge => "the session data is too large",
            ErrorKind::Undecodable => "the stored session does not decode",
            ErrorKind::ResponseStarted => {
                "the response has started, or there is none: no new id can be sent"
            }
            ErrorKind::Randomness => "the random generator failed",
            ErrorKind::Unsupported => "the session store cannot enumerate its sessions",
            ErrorKind::Internal => "the session could not be stored or read",
            // The only message with a variable part: it is for whoever starts the program.
            ErrorKind::Configuration => {
                return match &self.source {
                    Some(why) => write!(f, "session configuration: {why}"),
                    None => f.write_str("session configuration"),
                };
            }
        })
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self.kind {
            // Already in the message.
            ErrorKind::Configuration => None,
            _ => self.source.as_deref().map(|source| source as _),
        }
    }
}
