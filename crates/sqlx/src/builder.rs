use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use cloakroom_store::{AtRest, Clock, Seal, StoreError, SystemClock};
use sqlx::Pool;
use tokio::sync::Semaphore;

use crate::codec::Codec;
use crate::connections::Connections;
use crate::dialect::{Dialect, Gate};
use crate::error::Failure;
use crate::io::{Io, within};
use crate::operations::Inner;
use crate::purge::{PurgePlan, Purger};
use crate::schema::{self, Schema};
use crate::statements::Statements;
use crate::store::DbStore;
use crate::table_name::TableName;

/// The options of a [`DbStore`]. Every one has a default.
///
#[cfg_attr(feature = "sqlite", doc = "```")]
#[cfg_attr(not(feature = "sqlite"), doc = "```ignore")]
/// use cloakroom_sqlx::{SqliteFile, SqliteStore};
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = SqliteFile::new(":memory:").open().await?;
/// let store = SqliteStore::<Vec<u32>>::builder(pool)
///     .table("shop_sessions".parse()?)
///     .timeout(Duration::from_secs(2))
///     .payload_limit(64 * 1024)
///     .create()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "there is no store before `create` is awaited"]
pub struct DbStoreBuilder<T, DB: Dialect> {
    pool: Pool<DB>,
    table: TableName,
    codec: Codec,
    at_rest: AtRest,
    clock: Arc<dyn Clock>,
    timeout: Duration,
    payload_limit: usize,
    purge: PurgePlan,
    announces: bool,
    types: PhantomData<fn() -> T>,
}

impl<T, DB: Dialect> DbStoreBuilder<T, DB> {
    pub(crate) fn new(pool: Pool<DB>) -> Self {
        Self {
            pool,
            table: TableName::default(),
            codec: Codec::default(),
            at_rest: AtRest::default(),
            clock: Arc::new(SystemClock),
            timeout: Duration::from_secs(5),
            payload_limit: 1024 * 1024,
            purge: PurgePlan::default(),
            announces: false,
            types: PhantomData,
        }
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
    /// data is written next. What this guards, and what it does not, is told in the [guide](crate::guide::encryption).
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

    /// How long an operation may take, waiting for a connection included, before it answers `Unavailable`.
    /// Default: 5 seconds. Purging and walks through all sessions have that time for each batch.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
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

    /// The store: makes the table if it is missing and starts the purge task on the current runtime.
    ///
    /// # Errors
    /// Those of [`DbStore::create`].
    pub async fn create(self) -> Result<DbStore<T, DB>, StoreError> {
        let schema = Arc::new(Schema::of::<DB>(&self.table));
        let gate = within(self.timeout, async {
            let connection = self.pool.acquire().await;
            let mut connection =
                connection.map_err(|error| Failure::of::<DB>(error).into_error())?;
            schema::ensure::<DB>(&mut connection, &schema).await?;
            drop(connection);
            <DB::Gate as Gate<DB>>::open(&self.pool, &schema).await
        });
        let gate = gate.await?;
        let announcer = match self.announces {
            true => DB::announcer(&self.pool, &self.table),
            false => None,
        };
        let connections = self.pool.options().get_max_connections();
        let half = usize::try_from(connections / 2).unwrap_or(usize::MAX);
        let half = half.clamp(1, Semaphore::MAX_PERMITS);
        let inner = Arc::new_cyclic(|store| Inner {
            io: Io {
                connections: Connections::of(self.pool, self.timeout),
                gate,
                timeout: self.timeout,
            },
            statements: Statements::of::<DB>(&self.table, self.announces),
            table: self.table,
            announcer,
            admissions: Arc::new(Semaphore::new(half)),
            codec: self.codec,
            at_rest: self.at_rest,
            clock: self.clock,
            payload_limit: self.payload_limit,
            purger: Purger::start(self.purge, store.clone()),
        });
        Ok(DbStore::from_inner(inner))
    }
}

#[cfg(feature = "postgres")]
impl<T> DbStoreBuilder<T, sqlx::Postgres> {
    /// Tells all processes at once when a session ends or moves to another key, with `NOTIFY`, and makes
    /// [`announcements`](cloakroom_store::Store::announcements) available. Default: off, and a process learns it by
    /// asking.
    ///
    /// The statement that ends the session does it, so it costs no round trip. It does cost the server: a
    /// transaction that notifies takes a lock on the whole database cluster while it commits, so that sign-ins over a
    /// live session, sign-outs and renewals commit one after the other. Reads, saves and touches do not notify.
    ///
    /// A listener has a connection of its own, beside the pool, made with the pool's options. It has to reach the
    /// server itself or through a proxy in session mode. What is announced is the session's key in hexadecimal
    /// digits, which opens nothing, on the channel `<table>_endings`; whoever may connect to the database may listen.
    pub fn announce_endings(mut self) -> Self {
        self.announces = true;
        self
    }
}

impl<T, DB: Dialect> fmt::Debug for DbStoreBuilder<T, DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DbStoreBuilder")
            .field("engine", &DB::NAME)
            .field("table", &self.table)
            .field("codec", &self.codec)
            .field("at_rest", &self.at_rest)
            .field("clock", &self.clock)
            .field("timeout", &self.timeout)
            .field("payload_limit", &self.payload_limit)
            .field("purge", &self.purge)
            .field("announces", &self.announces)
            .finish_non_exhaustive()
    }
}
