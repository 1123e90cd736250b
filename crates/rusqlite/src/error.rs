use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use cloakroom_store::{StoreError, StoreErrorKind};
use rusqlite::ffi;

/// What went wrong between the store and its file: the [source](Error::source) of the [`StoreError`]s that this
/// crate returns.
///
/// Its text is for logs and for operators. It never holds session data, keys or owners: where SQLite quotes a
/// value in its message, only the code is kept.
///
/// ```
/// use cloakroom_rusqlite::{DbError, DbErrorKind};
/// use cloakroom_store::StoreError;
///
/// fn is_locked(error: &StoreError) -> bool {
///     let source = std::error::Error::source(error);
///     source
///         .and_then(|source| source.downcast_ref::<DbError>())
///         .is_some_and(|error| error.kind() == DbErrorKind::Busy)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct DbError {
    kind: DbErrorKind,
    message: Arc<str>,
    // Shared: all writes of a transaction that failed have the same reason.
    source: Option<Arc<rusqlite::Error>>,
}

/// What sort of trouble a [`DbError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DbErrorKind {
    /// No answer within the store's time-out.
    TimedOut,
    /// The store was closed.
    Closed,
    /// Another process holds a lock on the file.
    Busy,
    /// The file takes no writes.
    ReadOnly,
    /// The disk is full or broken, or the file is not a database.
    Storage,
    /// The file, or the table in it, is not where it was. See the [guide](crate::guide).
    Missing,
    /// The table was made by a later release of Cloakroom.
    NewerSchema,
    /// A row does not hold what this crate writes.
    MalformedRow,
    /// Anything else.
    Other,
}

impl DbError {
    /// What sort of trouble it is.
    #[must_use]
    pub fn kind(&self) -> DbErrorKind {
        self.kind
    }

    pub(crate) fn new(kind: DbErrorKind, message: impl Into<Arc<str>>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    pub(crate) fn of(error: rusqlite::Error) -> Self {
        Failure::of(error).into_error()
    }

    pub(crate) fn timed_out(after: Duration) -> Self {
        Self::new(DbErrorKind::TimedOut, format!("no answer within {after:?}"))
    }

    pub(crate) fn closed() -> Self {
        Self::new(DbErrorKind::Closed, "the store is closed")
    }

    pub(crate) fn malformed() -> Self {
        Self::new(
            DbErrorKind::MalformedRow,
            "a column does not hold what was written there",
        )
    }

    pub(crate) fn into_store_error(self) -> StoreError {
        let kind = match self.kind {
            DbErrorKind::TimedOut
            | DbErrorKind::Closed
            | DbErrorKind::Busy
            | DbErrorKind::ReadOnly
            | DbErrorKind::Storage
            | DbErrorKind::Missing => StoreErrorKind::Unavailable,
            DbErrorKind::MalformedRow => StoreErrorKind::Undecodable,
            DbErrorKind::NewerSchema | DbErrorKind::Other => StoreErrorKind::Internal,
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
        let source = self.source.as_deref()?;
        Some(source)
    }
}

/// How a statement failed, as far as the code that ran it decides something by it.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The primary key is taken; nothing was written.
    Taken,
    /// Anything else.
    Failed(DbError),
}

impl Failure {
    pub(crate) fn into_error(self) -> DbError {
        match self {
            Self::Taken => DbError::new(DbErrorKind::Other, "a key is taken against expectation"),
            Self::Failed(error) => error,
        }
    }

    pub(crate) fn of(error: rusqlite::Error) -> Self {
        let (code, text) = match &error {
            rusqlite::Error::SqliteFailure(code, text) => (code.extended_code, text.as_deref()),
            rusqlite::Error::SqlInputError { error, msg, .. } => {
                (error.extended_code, Some(msg.as_str()))
            }
            rusqlite::Error::InvalidColumnType(..) => return Self::Failed(DbError::malformed()),
            _ => (ffi::SQLITE_OK, None),
        };
        let kind = match (code, code & 0xff) {
            (ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_UNIQUE, _) => {
                return Self::Taken;
            }
            (
                _,
                ffi::SQLITE_BUSY
                | ffi::SQLITE_LOCKED
                | ffi::SQLITE_NOMEM
                | ffi::SQLITE_INTERRUPT
                | ffi::SQLITE_PROTOCOL,
            ) => DbErrorKind::Busy,
            (_, ffi::SQLITE_READONLY) => DbErrorKind::ReadOnly,
            (
                _,
                ffi::SQLITE_PERM
                | ffi::SQLITE_IOERR
                | ffi::SQLITE_CORRUPT
                | ffi::SQLITE_FULL
                | ffi::SQLITE_CANTOPEN
                | ffi::SQLITE_AUTH
                | ffi::SQLITE_NOTADB,
            ) => DbErrorKind::Storage,
            (_, ffi::SQLITE_TOOBIG | ffi::SQLITE_CONSTRAINT | ffi::SQLITE_MISMATCH) => {
                return Self::Failed(DbError::new(
                    DbErrorKind::Other,
                    format!("the database refused a value (code {code}); its message is withheld"),
                ));
            }
            (_, ffi::SQLITE_ERROR)
                if text.is_some_and(|text| text.starts_with("no such table")) =>
            {
                DbErrorKind::Missing
            }
            _ => DbErrorKind::Other,
        };
        Self::Failed(DbError {
            kind,
            message: error.to_string().into(),
            source: Some(Arc::new(error)),
        })
    }
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        Self::Failed(error)
    }
}
