use std::error::Error;
use std::fmt;

/// Why a store could not do what it was asked. That a session is not there is not among the reasons.
///
/// The message and the [source](Error::source) are for logs, never for a response.
///
/// ```
/// use cloakroom_store::{StoreError, StoreErrorKind};
///
/// let error = StoreError::new(StoreErrorKind::Unavailable, "no answer within 5 s");
/// assert_eq!(error.kind(), StoreErrorKind::Unavailable);
/// ```
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    source: Box<dyn Error + Send + Sync>,
}

/// What sort of trouble a [`StoreError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The store did not answer in time, refused, or is full of other work. Trying later may help. Whether a
    /// write took effect is unknown.
    Unavailable,
    /// There is a record, but it does not decode into the application's type. Nothing was changed.
    Undecodable,
    /// The data is larger than the store's limit. Nothing was written.
    TooLarge,
    /// The store holds as many sessions as it was told to. Nothing was written.
    Full,
    /// The data does not encode. Nothing was written.
    Unencodable,
    /// Anything else: a broken schema, a bug.
    Internal,
}

impl StoreError {
    /// An error of that kind; `source` is a message or the driver's own error.
    pub fn new(kind: StoreErrorKind, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            kind,
            source: source.into(),
        }
    }

    /// What sort of trouble it is.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            StoreErrorKind::Unavailable => "the session store is unavailable",
            StoreErrorKind::Undecodable => "the stored session does not decode",
            StoreErrorKind::TooLarge => "the session data is too large for the store",
            StoreErrorKind::Full => "the session store is full",
            StoreErrorKind::Unencodable => "the session data does not encode",
            StoreErrorKind::Internal => "the session store failed",
        })
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}
