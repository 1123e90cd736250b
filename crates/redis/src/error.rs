use std::error::Error;
use std::fmt;
use std::time::Duration;

use cloakroom_store::{StoreError, StoreErrorKind};
use redis::{RedisError, ServerError};

/// What went wrong between the store and Redis: the [source](Error::source) of the [`StoreError`]s that this
/// crate returns.
///
/// Its text is for logs and for operators. It never holds passwords, session data, keys or owners.
///
/// ```
/// use cloakroom_redis::{RedisStoreError, RedisStoreErrorKind};
/// use cloakroom_store::StoreError;
///
/// fn is_read_only(error: &StoreError) -> bool {
///     let source = std::error::Error::source(error);
///     source
///         .and_then(|source| source.downcast_ref::<RedisStoreError>())
///         .is_some_and(|error| error.kind() == RedisStoreErrorKind::ReadOnly)
/// }
/// ```
#[derive(Debug)]
pub struct RedisStoreError {
    kind: RedisStoreErrorKind,
    message: String,
}

/// What sort of trouble a [`RedisStoreError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RedisStoreErrorKind {
    /// No answer within the store's time-out.
    TimedOut,
    /// No connection could be made, or it broke.
    Unreachable,
    /// The server has no room: for a connection, for memory, for another script.
    Busy,
    /// The server is loading its data, or a part of the cluster is down or being moved.
    NotReady,
    /// The server is a replica, or has too few replicas to take writes.
    ReadOnly,
    /// The server cannot write to its disk and takes no writes.
    Storage,
    /// The server wants another user or password, or forbids a command.
    Denied,
    /// The URL cannot be used.
    InvalidUrl,
    /// A key does not hold what this crate writes.
    MalformedSession,
    /// Called outside a tokio runtime.
    NoRuntime,
    /// Ended before its time, so that nobody knows how far it came: the runtime is being shut down, or something
    /// panicked.
    CutOff,
    /// Anything else.
    Other,
}

impl RedisStoreError {
    /// What sort of trouble it is.
    #[must_use]
    pub fn kind(&self) -> RedisStoreErrorKind {
        self.kind
    }

    pub(crate) fn new(kind: RedisStoreErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    pub(crate) fn timed_out(after: Duration) -> Self {
        let message = format!("no answer within {after:?}");
        Self::new(RedisStoreErrorKind::TimedOut, message)
    }

    pub(crate) fn no_runtime() -> Self {
        let message = "a Redis store works inside a tokio runtime only";
        Self::new(RedisStoreErrorKind::NoRuntime, message)
    }

    pub(crate) fn cut_off() -> Self {
        let message =
            "the operation did not come to its end: it panicked, or the runtime is being shut down";
        Self::new(RedisStoreErrorKind::CutOff, message)
    }

    pub(crate) fn malformed(what: &str) -> Self {
        Self::new(RedisStoreErrorKind::MalformedSession, what)
    }

    /// An answer that no server should give.
    pub(crate) fn unexpected() -> Self {
        let message = "the server gave an answer that this store does not understand";
        Self::new(RedisStoreErrorKind::Other, message)
    }

    /// Of a connection: it could not be made, or it broke.
    pub(crate) fn of_connection(error: &RedisError) -> Self {
        if let Some(code) = error.code() {
            let text = error.detail().unwrap_or_default();
            return Self::of_code(code, text);
        }
        let kind = match error.kind() {
            redis::ErrorKind::AuthenticationFailed => RedisStoreErrorKind::Denied,
            redis::ErrorKind::InvalidClientConfig => RedisStoreErrorKind::InvalidUrl,
            _ => RedisStoreErrorKind::Unreachable,
        };
        let message = match (kind, error.is_io_error()) {
            (RedisStoreErrorKind::Unreachable, true) => format!("no connection: {error}"),
            (RedisStoreErrorKind::Unreachable, false) => "the connection failed".to_owned(),
            (RedisStoreErrorKind::Denied, _) => {
                "the server did not take user and password".to_owned()
            }
            _ => "the client does not take this configuration".to_owned(),
        };
        Self::new(kind, message)
    }

    /// Of a command that the server refused.
    pub(crate) fn of_server(error: &ServerError) -> Self {
        Self::of_code(error.code(), error.details().unwrap_or_default())
    }

    fn of_code(code: &str, details: &str) -> Self {
        let kind = match code {
            "LOADING" | "CLUSTERDOWN" | "MASTERDOWN" | "TRYAGAIN" | "MOVED" | "ASK" => {
                RedisStoreErrorKind::NotReady
            }
            "OOM" | "BUSY" | "UNKILLABLE" => RedisStoreErrorKind::Busy,
            "READONLY" | "NOREPLICAS" => RedisStoreErrorKind::ReadOnly,
            "MISCONF" => RedisStoreErrorKind::Storage,
            "NOAUTH" | "WRONGPASS" | "NOPERM" => RedisStoreErrorKind::Denied,
            "WRONGTYPE" => RedisStoreErrorKind::MalformedSession,
            "ERR" if details.contains("max number of clients") => RedisStoreErrorKind::Busy,
            _ => RedisStoreErrorKind::Other,
        };
        if code == "TRYAGAIN" {
            let message = "a slot of the cluster is being moved, and its servers do nothing meanwhile that \
                concerns several keys of it";
            return Self::new(kind, message);
        }
        // The rest of the message may quote arguments, so only the code is kept. For the cause, the server
        // has a log.
        Self::new(kind, format!("the server refused with {code}"))
    }

    pub(crate) fn into_store_error(self) -> StoreError {
        let kind = match self.kind {
            RedisStoreErrorKind::TimedOut
            | RedisStoreErrorKind::Unreachable
            | RedisStoreErrorKind::Busy
            | RedisStoreErrorKind::NotReady
            | RedisStoreErrorKind::ReadOnly
            | RedisStoreErrorKind::Storage
            | RedisStoreErrorKind::Denied
            | RedisStoreErrorKind::CutOff => StoreErrorKind::Unavailable,
            RedisStoreErrorKind::MalformedSession => StoreErrorKind::Undecodable,
            RedisStoreErrorKind::InvalidUrl
            | RedisStoreErrorKind::NoRuntime
            | RedisStoreErrorKind::Other => StoreErrorKind::Internal,
        };
        StoreError::new(kind, self)
    }
}

impl fmt::Display for RedisStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for RedisStoreError {}

/// How a request failed, as far as the code that sent it decides something by it.
#[derive(Debug)]
pub(crate) enum Failure {
    /// There was no connection to send it on.
    NotSent(RedisStoreError),
    /// The server answered that it did not do it.
    Refused(ServerError),
    /// It was sent, and no answer came. Whether it was done is unknown.
    Unknown(RedisStoreError),
}

impl Failure {
    pub(crate) fn into_error(self) -> RedisStoreError {
        match self {
            Self::NotSent(error) | Self::Unknown(error) => error,
            Self::Refused(error) => RedisStoreError::of_server(&error),
        }
    }

    /// The code with which the server refused it.
    pub(crate) fn code(&self) -> Option<&str> {
        match self {
            Self::Refused(error) => Some(error.code()),
            _ => None,
        }
    }
}
