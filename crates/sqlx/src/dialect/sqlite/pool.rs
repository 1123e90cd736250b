use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use cloakroom_store::StoreError;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Error, Sqlite};

use super::file;
use crate::DbStore;
use crate::error::{DbError, DbErrorKind, Failure};

/// How long SQLite waits for a lock of another process. Below the store's time-out, so that the store can say
/// what it waited for.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// How often a locked database is tried again while it is being opened, and how long between.
const OPEN_ATTEMPTS: u32 = 50;
const OPEN_PAUSE: Duration = Duration::from_millis(100);

/// Opens a pool on a database file with the settings that suit sessions: write-ahead log, one writer and
/// several readers at once, connections that are kept.
///
/// A file that is not there is made, readable by its owner only.
///
/// ```
/// use cloakroom_sqlx::{Durability, SqliteFile, SqliteStore};
///
/// # async fn example(path: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
/// let pool = SqliteFile::new(path)
///     .durability(Durability::ProcessCrash)
///     .open()
///     .await?;
/// let store = SqliteStore::<String>::create(pool).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is opened before `open` is awaited"]
pub struct SqliteFile {
    path: PathBuf,
    durability: Durability,
    max_connections: u32,
}

/// What an acknowledged write outlives. Either way the database is never corrupted, and a killed application
/// (`kill -9`) loses nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// The power cut too: each write waits for the disk (`synchronous = FULL`). The default.
    #[default]
    PowerLoss,
    /// The end of the process (`synchronous = NORMAL`). Many times as many writes per second, but after a
    /// power cut or a crash of the operating system the last writes may be missing: sessions that were just
    /// ended could be live again.
    ProcessCrash,
}

impl SqliteFile {
    /// A path, a URL such as `sqlite://sessions.db`, or `:memory:` for a database that ends with the pool.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self {
            path: path.as_ref().to_owned(),
            durability: Durability::default(),
            max_connections: 4,
        }
    }

    /// What an acknowledged write outlives. Default: [`Durability::PowerLoss`].
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// The most connections, each with a thread of its own. Default: 4. A database in memory has one.
    pub fn max_connections(mut self, max: u32) -> Self {
        self.max_connections = max.max(1);
        self
    }

    /// Opens the pool, with one connection in it.
    ///
    /// # Errors
    /// `Unavailable` if the file cannot be made or opened, stays locked, or is not a database; `Internal` if
    /// the URL is malformed or there is no tokio runtime.
    pub async fn open(self) -> Result<SqlitePool, StoreError> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(DbError::no_runtime().into_store_error());
        }
        self.connect().await.map_err(DbError::into_store_error)
    }

    async fn connect(self) -> Result<SqlitePool, DbError> {
        if self.is_in_memory() {
            let options = SqliteConnectOptions::from_str("sqlite::memory:").map_err(failed)?;
            return kept(1).connect_with(options).await.map_err(failed);
        }
        let synchronous = match self.durability {
            Durability::PowerLoss => SqliteSynchronous::Full,
            Durability::ProcessCrash => SqliteSynchronous::Normal,
        };
        let options = match self.path.to_str() {
            Some(url) if url.starts_with("sqlite:") => {
                SqliteConnectOptions::from_str(url).map_err(failed)?
            }
            _ => SqliteConnectOptions::new().filename(&self.path),
        };
        let options = options
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(synchronous)
            .busy_timeout(BUSY_TIMEOUT);
        file::create_private(options.get_filename()).map_err(|error| {
            let path = options.get_filename().display();
            DbError::new(
                DbErrorKind::Storage,
                format!("cannot make the database file {path}: {error}"),
            )
        })?;
        let mut attempt = 1;
        loop {
            let pool = kept(self.max_connections)
                .connect_with(options.clone())
                .await;
            let error = match pool {
                Ok(pool) => return Ok(pool),
                Err(error) => failed(error),
            };
            // Switching to the write-ahead log does not wait for locks: of many processes that open a new file
            // at once, some are turned away.
            if error.kind() != DbErrorKind::Busy || attempt == OPEN_ATTEMPTS {
                return Err(error);
            }
            attempt += 1;
            tokio::time::sleep(OPEN_PAUSE).await;
        }
    }

    fn is_in_memory(&self) -> bool {
        matches!(
            self.path.to_str(),
            Some(":memory:" | "sqlite::memory:" | "sqlite://:memory:")
        )
    }
}

impl<T> DbStore<T, Sqlite> {
    /// The store in that file, with all defaults: [`SqliteFile`] opens it, [`DbStore::create`] does the rest.
    ///
    /// # Errors
    /// Those of [`SqliteFile::open`] and [`DbStore::create`].
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::create(SqliteFile::new(path).open().await?).await
    }
}

/// Connections live as long as the pool. They go to a file, not over a network, so none is tested before use.
fn kept(max_connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(max_connections)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .acquire_timeout(Duration::from_secs(5))
}

fn failed(error: Error) -> DbError {
    Failure::of::<Sqlite>(error).into_error()
}
