use std::error::Error;
use std::fmt;
use std::time::Duration;

use cloakroom_store::{StoreError, StoreErrorKind};

use crate::dialect::{Engine, Trouble};

/// What went wrong between the store and its database: the [source](Error::source) of the [`StoreError`]s
/// that this crate returns.
///
/// Its text is for logs and for operators. It never holds session data, keys or owners: where a database
/// quotes a value in its message, only the code is kept.
///
/// ```
/// use cloakroom_sqlx::{DbError, DbErrorKind};
/// use cloakroom_store::StoreError;
///
/// fn is_overloaded(error: &StoreError) -> bool {
///     let source = std::error::Error::source(error);
///     source
///         .and_then(|source| source.downcast_ref::<DbError>())
///         .is_some_and(|error| error.kind() == DbErrorKind::Busy)
/// }
/// ```
#[derive(Debug)]
pub struct DbError {
    kind: DbErrorKind,
    message: String,
    source: Option<sqlx::Error>,
}

/// What sort of trouble a [`DbError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DbErrorKind {
    /// No answer within the store's time-out, or no free connection within the pool's.
    TimedOut,
    /// The connection could not be made, or broke, or the pool was closed.
    Unreachable,
    /// The database is locked, a deadlock persisted, or the server has no room for another connection.
    Busy,
    /// The database takes no writes.
    ReadOnly,
    /// The disk is full or broken, or the file is not a database.
    Storage,
    /// The database file, or the table in it, is not where it was. See the guide to SQLite.
    Missing,
    /// The table was made by a later release of this crate.
    NewerSchema,
    /// The table was made by a state of this crate that this release does not bring up to date.
    OlderSchema,
    /// A row does not hold what this crate writes.
    MalformedRow,
    /// Called outside a tokio runtime.
    NoRuntime,
    /// Anything else.
    Other,
}

impl DbError {
    /// What sort of trouble it is.
    #[must_use]
    pub fn kind(&self) -> DbErrorKind {
        self.kind
    }

    pub(crate) fn new(kind: DbErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    pub(crate) fn timed_out(after: Duration) -> Self {
        Self::new(DbErrorKind::TimedOut, format!("no answer within {after:?}"))
    }

    pub(crate) fn no_runtime() -> Self {
        Self::new(
            DbErrorKind::NoRuntime,
            "a SQL store works inside a tokio runtime only",
        )
    }

    pub(crate) fn into_store_error(self) -> StoreError {
        let kind = match self.kind {
            DbErrorKind::TimedOut
            | DbErrorKind::Unreachable
            | DbErrorKind::Busy
            | DbErrorKind::ReadOnly
            | DbErrorKind::Storage
            | DbErrorKind::Missing => StoreErrorKind::Unavailable,
            DbErrorKind::MalformedRow => StoreErrorKind::Undecodable,
            DbErrorKind::NewerSchema
            | DbErrorKind::OlderSchema
            | DbErrorKind::NoRuntime
            | DbErrorKind::Other => StoreErrorKind::Internal,
        };
        StoreError::new(kind, self)
    }
}

impl fmt::Display for DbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for DbError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_ref()
            .map(|source| source as &(dyn Error + 'static))
    }
}

/// How a statement failed, as far as the code that sent it decides something by it.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The primary key is taken; nothing was written.
    Taken,
    /// The engine undid the statement in favour of another one; sending it again is safe.
    Undone(DbError),
    /// Anything else.
    Failed(DbError),
}

impl Failure {
    pub(crate) fn into_error(self) -> DbError {
        match self {
            Self::Taken => DbError::new(DbErrorKind::Other, "a key is taken against expectation"),
            Self::Undone(error) | Self::Failed(error) => error,
        }
    }

    pub(crate) fn of<DB: Engine>(error: sqlx::Error) -> Self {
        let trouble = trouble_of::<DB>(&error);
        let kind = match trouble {
            Trouble::Taken => return Self::Taken,
            Trouble::Undone | Trouble::Busy => DbErrorKind::Busy,
            Trouble::Unreachable => DbErrorKind::Unreachable,
            Trouble::TimedOut => DbErrorKind::TimedOut,
            Trouble::ReadOnly => DbErrorKind::ReadOnly,
            Trouble::Storage => DbErrorKind::Storage,
            Trouble::Missing => DbErrorKind::Missing,
            Trouble::MalformedRow => DbErrorKind::MalformedRow,
            Trouble::Value | Trouble::Other => DbErrorKind::Other,
        };
        let error = match (&error, trouble) {
            (sqlx::Error::Database(database), Trouble::Value) => {
                let code = database.code().unwrap_or_default();
                DbError::new(
                    kind,
                    format!("the database refused a value (code {code}); its message is withheld"),
                )
            }
            (_, Trouble::MalformedRow) => {
                DbError::new(kind, "a column does not hold what was written there")
            }
            _ => DbError {
                kind,
                message: error.to_string(),
                source: Some(error),
            },
        };
        match trouble {
            Trouble::Undone => Self::Undone(error),
            _ => Self::Failed(error),
        }
    }
}

fn trouble_of<DB: Engine>(error: &sqlx::Error) -> Trouble {
    match error {
        sqlx::Error::Database(error) => DB::trouble(&**error),
        sqlx::Error::PoolTimedOut => Trouble::TimedOut,
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => Trouble::Unreachable,
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Trouble::MalformedRow,
        sqlx::Error::Encode(_) => Trouble::Value,
        _ => Trouble::Other,
    }
}
