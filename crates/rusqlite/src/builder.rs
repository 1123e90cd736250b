use std::fmt;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cloakroom_store::{AtRest, Clock, Seal, StoreError, SystemClock};

use crate::codec::Codec;
use crate::engine::{Db, Engine, Options};
use crate::error::{DbError, DbErrorKind};
use crate::operations::Inner;
use crate::purge::PurgePlan;
use crate::settings::{Durability, Reads};
use crate::statement::{Bindings, Param};
use crate::statements::Statements;
use crate::store::SqliteStore;
use crate::table_name::TableName;

/// Longer is as good as for ever. It can be added to any moment.
const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The options of a [`SqliteStore`]. Every one has a default.
///
/// ```
/// use cloakroom_rusqlite::{Durability, SqliteStore};
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("sessions.db");
/// let store = SqliteStore::<Vec<u32>>::builder(&path)
///     .durability(Durability::ProcessCrash)
///     .table("shop_sessions".parse()?)
///     .timeout(Duration::from_secs(2))
///     .open()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "there is no store before `open` is awaited"]
pub struct SqliteStoreBuilder<T> {
    path: PathBuf,
    table: TableName,
    durability: Durability,
    reads: Reads,
    readers: usize,
    codec: Codec,
    at_rest: AtRest,
    clock: Arc<dyn Clock>,
    timeout: Duration,
    payload_limit: usize,
    purge: PurgePlan,
    types: PhantomData<fn() -> T>,
}

impl<T> SqliteStoreBuilder<T> {
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            table: TableName::default(),
            durability: Durability::default(),
            reads: Reads::default(),
            readers: 4,
            codec: Codec::default(),
            at_rest: AtRest::default(),
            clock: Arc::new(SystemClock),
            timeout: Duration::from_secs(5),
            payload_limit: 1024 * 1024,
            purge: PurgePlan::default(),
            types: PhantomData,
        }
    }

    /// What an acknowledged write outlives. Default: [`Durability::PowerLoss`].
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Where a session is read from the file. Default: [`Reads::InPlace`], on the thread that asks.
    pub fn reads(mut self, reads: Reads) -> Self {
        self.reads = reads;
        self
    }

    /// How many connections read; with [`Reads::OnThreads`] each has a thread. Default: 4. At least 1. One for each
    /// thread of the runtime is enough.
    pub fn readers(mut self, connections: usize) -> Self {
        self.readers = connections.max(1);
        self
    }

    /// The table. Default: `cloakroom_sessions`. Session types that have nothing to do with each other use
    /// tables of their own.
    pub fn table(mut self, table: TableName) -> Self {
        self.table = table;
        self
    }

    /// How data is written. Default: [`Codec::Json`]. Rows of any codec are read.
    pub fn codec(mut self, codec: Codec) -> Self {
        self.codec = codec;
        self
    }

    /// Encrypts data before it is written, with `EncryptionKeys` of `cloakroom` (feature `encryption`) or a [`Seal`]
    /// of your own. Default: no encryption. A row that was written without is still read, and encrypted when its
    /// data is written next. What this guards, and what it does not, is told in the [guide](crate::guide).
    pub fn encrypted_with(mut self, keys: impl Seal) -> Self {
        self.at_rest = AtRest::encrypted_with(keys);
        self
    }

    /// The same, and a row that is not encrypted is `Undecodable`. For a store that was encrypted from its first
    /// session, or in which none is left that was not.
    pub fn only_encrypted_with(mut self, keys: impl Seal) -> Self {
        self.at_rest = AtRest::only_encrypted_with(keys);
        self
    }

    /// Reads a row that is encrypted, and writes without encryption: for the time before all instances have keys,
    /// and for giving encryption up.
    pub fn only_decrypted_with(mut self, keys: impl Seal) -> Self {
        self.at_rest = AtRest::only_decrypted_with(keys);
        self
    }

    /// Where the time comes from. Default: [`SystemClock`].
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// How long an operation may wait before it answers `Unavailable`. Default: 5 seconds. Purging and walks
    /// through all sessions have that time for each batch. A read on the thread that asks waits for nothing but
    /// the disk, and is not watched. At most a year.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.min(YEAR);
        self
    }

    /// The most bytes of encoded data that a session may have. Default: 1 MiB. What is larger is refused with
    /// `TooLarge` before anything is written. Counted before encryption, which adds a few.
    pub fn payload_limit(mut self, bytes: usize) -> Self {
        self.payload_limit = bytes;
        self
    }

    /// How often expired sessions are purged, on average: each wait is half of this to one and a half,
    /// so that many instances do not purge in step. Default: every minute. Zero counts as a millisecond.
    pub fn purge_every(mut self, interval: Duration) -> Self {
        self.purge.interval = Some(interval.max(Duration::from_millis(1)));
        self
    }

    /// No purging by itself. Something else has to call
    /// [`purge_expired`](cloakroom_store::Enumerate::purge_expired), or the table grows for ever. Expired sessions
    /// are never returned either way.
    pub fn without_purge_task(mut self) -> Self {
        self.purge.interval = None;
        self
    }

    /// How many rows one statement purges. Default: 500. At least 1.
    pub fn purge_batch(mut self, rows: u32) -> Self {
        self.purge.batch = rows.max(1);
        self
    }

    /// The store: makes file and table if they are missing, and starts its threads.
    ///
    /// # Errors
    /// Those of [`SqliteStore::open`].
    pub async fn open(self) -> Result<SqliteStore<T>, StoreError> {
        let path = file_path(&self.path).map_err(DbError::into_store_error)?;
        let statements = Arc::new(Statements::of(&self.table));
        let options = Options {
            path: path.into(),
            table: self.table,
            durability: self.durability,
            timeout: self.timeout,
            reads: self.reads,
            readers: self.readers,
            purge: self.purge,
        };
        let (all, clock, batch) = (
            Arc::clone(&statements),
            Arc::clone(&self.clock),
            i64::from(self.purge.batch),
        );
        let purge = move |db: &Db| {
            let mut bindings = Bindings::new();
            bindings
                .int(Param::Now, clock.now().as_millis())
                .int(Param::Limit, batch);
            all.purge(db, &bindings)
        };
        let engine = Engine::open(options, Box::new(purge)).await;
        let inner = Inner {
            engine: engine.map_err(DbError::into_store_error)?,
            statements,
            codec: self.codec,
            at_rest: self.at_rest,
            clock: self.clock,
            payload_limit: self.payload_limit,
            purge_batch: self.purge.batch,
        };
        Ok(SqliteStore::from_inner(Arc::new(inner)))
    }
}

/// Absolute, so that the file stays the same when the process changes its directory, and SQLite takes it for
/// neither a URI nor a database in memory.
fn file_path(path: &Path) -> Result<PathBuf, DbError> {
    let text = path.to_string_lossy();
    let elsewhere = [":memory:", "sqlite:", "file:"];
    if let Some(prefix) = elsewhere.iter().find(|prefix| text.starts_with(**prefix)) {
        return Err(DbError::new(
            DbErrorKind::Other,
            format!(
                "`{prefix}` is no path of a file; sessions in memory are kept by `MemoryStore`"
            ),
        ));
    }
    std::path::absolute(path).map_err(|error| {
        let message = format!("the path of the database file cannot be used: {error}");
        DbError::new(DbErrorKind::Other, message)
    })
}

impl<T> fmt::Debug for SqliteStoreBuilder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStoreBuilder")
            .field("path", &self.path)
            .field("table", &self.table)
            .field("durability", &self.durability)
            .field("reads", &self.reads)
            .field("readers", &self.readers)
            .field("codec", &self.codec)
            .field("at_rest", &self.at_rest)
            .field("clock", &self.clock)
            .field("timeout", &self.timeout)
            .field("payload_limit", &self.payload_limit)
            .field("purge", &self.purge)
            .finish()
    }
}
