use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use cloakroom::{MemoryStore, Store, StoreError};
use cloakroom_sqlx::SqliteStore;

use crate::shopper::Shopper;
use crate::start_error::StartError;

/// Where sessions are kept, as `--store` names it.
///
/// ```
/// use cloakroom_demo::StoreUrl;
///
/// let url: StoreUrl = "sqlite://cloakroom-demo.db".parse()?;
/// assert_eq!(url.to_string(), "sqlite://cloakroom-demo.db");
/// assert!("mongodb://localhost".parse::<StoreUrl>().is_err());
/// # Ok::<(), cloakroom_demo::InvalidStoreUrl>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreUrl(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Memory,
    Sqlite(String),
}

/// The text names no store that the demo knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidStoreUrl {
    _private: (),
}

impl StoreUrl {
    /// Whether sessions outlive the program.
    #[must_use]
    pub fn is_durable(&self) -> bool {
        !matches!(self.0, Kind::Memory)
    }

    /// Opens the store; makes what is missing.
    pub(crate) async fn open(&self) -> Result<OpenStore, StartError> {
        match &self.0 {
            Kind::Memory => Ok(OpenStore::Memory(Arc::new(MemoryStore::new()))),
            Kind::Sqlite(url) => {
                let store = SqliteStore::open(url).await;
                Ok(OpenStore::Sqlite(
                    store.map_err(|error| self.unusable(error))?,
                ))
            }
        }
    }

    fn unusable(&self, error: StoreError) -> StartError {
        StartError::because(format!("cannot use the store {self}"), error)
    }
}

/// A store in use.
#[derive(Debug)]
pub(crate) enum OpenStore {
    Memory(Arc<MemoryStore<Shopper>>),
    Sqlite(SqliteStore<Shopper>),
}

impl OpenStore {
    /// What the sessions work with.
    pub(crate) fn shared(&self) -> Arc<dyn Store<Shopper>> {
        match self {
            Self::Memory(store) => store.clone(),
            Self::Sqlite(store) => Arc::new(store.clone()),
        }
    }

    /// Leaves everything tidy: SQLite moves its write-ahead log into the database. Nothing would be lost
    /// without.
    pub(crate) async fn close(self) {
        match self {
            Self::Memory(_) => {}
            Self::Sqlite(store) => store.pool().close().await,
        }
    }
}

impl FromStr for StoreUrl {
    type Err = InvalidStoreUrl;

    fn from_str(text: &str) -> Result<Self, InvalidStoreUrl> {
        let kind = match text.split_once(':') {
            Some(("memory", "")) => Kind::Memory,
            Some(("sqlite", place)) if !place.trim_matches('/').is_empty() => {
                Kind::Sqlite(text.to_owned())
            }
            _ => return Err(InvalidStoreUrl { _private: () }),
        };
        Ok(Self(kind))
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Kind::Memory => "memory:",
            Kind::Sqlite(url) => url,
        })
    }
}

impl fmt::Display for InvalidStoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a store is `memory:` or `sqlite://` and the path of a file")
    }
}

impl Error for InvalidStoreUrl {}
