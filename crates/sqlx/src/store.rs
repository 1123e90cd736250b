use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use cloakroom_store::{
    Clock, Enumerate, Expect, Record, RotateOutcome, SessionKey, SetOutcome, Store, StoreError,
    StoreFuture, Times, Timestamp,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Pool;

use crate::builder::DbStoreBuilder;
use crate::codec::Codec;
use crate::dialect::{Answer, Dialect, Engine, first_int};
use crate::error::{DbError, DbErrorKind};
use crate::io::{Io, within};
use crate::purge::Purger;
use crate::session::DbStoreSession;
use crate::statement::{Bindings, Param, Value};
use crate::statements::Statements;

/// How often a write is tried again whose way was barred by an expired row that has since gone.
const ATTEMPTS: u32 = 4;

/// Sessions in a SQL database. Clones share everything.
///
/// `T` is the application's session data; `DB` the driver: see [`SqliteStore`](crate::SqliteStore),
/// [`PostgresStore`](crate::PostgresStore), [`MySqlStore`](crate::MySqlStore).
///
/// ```
/// use cloakroom_sqlx::{SqliteFile, SqliteStore};
/// use cloakroom_store::{Clock, Expect, Record, SessionKey, Store, SystemClock, Times};
/// use std::sync::Arc;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = SqliteStore::<String>::create(SqliteFile::new(":memory:").open().await?).await?;
///
/// let key = SessionKey::from_bytes([1; 32]);
/// let record = Record::new(Arc::new("hello".to_owned()), Times::starting(SystemClock.now()));
/// store.set(&key, record, Expect::Absent).await?;
/// assert_eq!(*store.get(&key).await?.expect("just stored").data, "hello");
/// # Ok(())
/// # }
/// ```
pub struct DbStore<T, DB: Dialect> {
    pub(crate) inner: Arc<Inner<DB>>,
    // Sends and shares like a function: the store holds no `T`.
    types: PhantomData<fn() -> T>,
}

/// What clones share.
#[derive(Debug)]
pub(crate) struct Inner<DB: Engine> {
    pub(crate) io: Io<DB>,
    pub(crate) statements: Statements,
    pub(crate) codec: Codec,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) payload_limit: usize,
    /// Ends with the last clone.
    pub(crate) purger: Purger,
}

impl<T, DB: Dialect> DbStore<T, DB> {
    /// The store with all defaults: makes the table `cloakroom_sessions` if it is missing, and starts a task
    /// that purges expired sessions for as long as a clone of the store exists.
    ///
    /// Any number of processes may do so at once.
    ///
    /// # Errors
    /// `Unavailable` if the database does not answer; `Internal` if it refuses to make the table, if a later
    /// release made the table, or if there is no tokio runtime.
    pub async fn create(pool: Pool<DB>) -> Result<Self, StoreError> {
        Self::builder(pool).create().await
    }

    /// The same with options.
    pub fn builder(pool: Pool<DB>) -> DbStoreBuilder<T, DB> {
        DbStoreBuilder::new(pool)
    }

    pub(crate) fn from_inner(inner: Arc<Inner<DB>>) -> Self {
        Self {
            inner,
            types: PhantomData,
        }
    }

    /// The pool that the store works with.
    #[must_use]
    pub fn pool(&self) -> &Pool<DB> {
        &self.inner.io.pool
    }

    /// The row under that key as it is stored, expired and undecodable ones too. For administration.
    ///
    /// # Errors
    /// `Unavailable` if the store cannot tell; `Undecodable` if a column holds what does not belong there.
    pub async fn row(&self, key: &SessionKey) -> Result<Option<DbStoreSession>, StoreError> {
        let bindings = Bindings::new().bytes(Param::Key, key.as_bytes());
        let inner = &*self.inner;
        inner
            .within(async {
                let answer = inner.io.run(&inner.statements.row, &bindings).await?;
                let row = answer.rows.first();
                row.map(DbStoreSession::from_row::<DB>).transpose()
            })
            .await
    }
}

impl<T, DB> Store<T> for DbStore<T, DB>
where
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
    DB: Dialect,
{
    fn get(&self, key: &SessionKey) -> StoreFuture<'_, Option<Record<T>>> {
        let bindings = self.inner.at(key);
        let inner = &*self.inner;
        StoreFuture::new(async move {
            let row = inner
                .within(async {
                    let answer = inner.io.run(&inner.statements.get, &bindings).await?;
                    let row = answer.rows.first();
                    row.map(DbStoreSession::from_row::<DB>).transpose()
                })
                .await?;
            row.map(|row| row.decode()).transpose()
        })
    }

    fn set(
        &self,
        key: &SessionKey,
        record: Record<T>,
        expect: Expect,
    ) -> StoreFuture<'_, SetOutcome> {
        let key = *key;
        let inner = &*self.inner;
        StoreFuture::new(async move {
            let bindings = inner.at(&key);
            let bindings = inner.record(bindings, &key, &record)?;
            inner
                .within(async {
                    match expect {
                        Expect::Absent => inner.insert(&bindings).await,
                        Expect::Present => inner.update(&bindings, None).await,
                        Expect::Version(version) => inner.update(&bindings, Some(version)).await,
                    }
                })
                .await
        })
    }

    fn destroy(&self, key: &SessionKey) -> StoreFuture<'_, bool> {
        let bindings = self.inner.at(key);
        let inner = &*self.inner;
        StoreFuture::new(inner.within(async move {
            let answer = inner.io.run(&inner.statements.destroy, &bindings).await?;
            let was_live = DB::destroyed_live(&answer);
            if let Some(destroy_dead) = &inner.statements.destroy_dead
                && !was_live
            {
                inner.io.run(destroy_dead, &bindings).await?;
            }
            Ok(was_live)
        }))
    }

    fn touch(
        &self,
        key: &SessionKey,
        last_seen_at: Timestamp,
        _expires_at: Option<Timestamp>,
    ) -> StoreFuture<'_, bool> {
        // The statement computes the expiry from the row, which may have got another idle time-out since the
        // caller read it.
        let bindings = self
            .inner
            .at(key)
            .int(Param::LastSeenAt, last_seen_at.as_millis());
        let inner = &*self.inner;
        StoreFuture::new(inner.within(async move {
            let answer = inner.io.run(&inner.statements.touch, &bindings).await?;
            Ok(answer.affected > 0)
        }))
    }

    fn rotate(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        times: Times,
    ) -> StoreFuture<'_, RotateOutcome> {
        let in_place = from == to;
        let bindings = with_times(with_key(self.inner.at(from), to), &times);
        let inner = &*self.inner;
        StoreFuture::new(inner.within(async move {
            if in_place {
                return Ok(match inner.version_of(&bindings).await? {
                    Some(_) => RotateOutcome::Exists,
                    None => RotateOutcome::Gone,
                });
            }
            let Some(answer) = inner.over_dead(&inner.statements.rotate, &bindings).await? else {
                return Ok(RotateOutcome::Exists);
            };
            Ok(match DB::written_version(&answer) {
                Some(version) => {
                    let version = to_version(version)?;
                    RotateOutcome::Moved {
                        found: version,
                        version,
                    }
                }
                None => RotateOutcome::Gone,
            })
        }))
    }

    fn replace(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        record: Record<T>,
    ) -> StoreFuture<'_, SetOutcome> {
        let (from, to) = (*from, *to);
        let inner = &*self.inner;
        StoreFuture::new(async move {
            let bindings = inner.record(inner.at(&from), &to, &record)?;
            inner
                .within(async {
                    match inner
                        .over_dead(&inner.statements.replace, &bindings)
                        .await?
                    {
                        Some(answer) if answer.affected > 0 => Ok(SetOutcome::Stored(1)),
                        Some(_) => inner.insert(&bindings).await,
                        None => Ok(SetOutcome::Exists),
                    }
                })
                .await
        })
    }

    fn enumerate(&self) -> Option<&dyn Enumerate<T>> {
        Some(self)
    }
}

impl<DB: Engine> Inner<DB> {
    pub(crate) async fn within<R>(
        &self,
        work: impl Future<Output = Result<R, DbError>>,
    ) -> Result<R, StoreError> {
        within(self.io.timeout, work).await
    }

    /// What every statement about one key needs.
    pub(crate) fn at(&self, key: &SessionKey) -> Bindings {
        self.now().bytes(Param::Key, key.as_bytes())
    }

    pub(crate) fn now(&self) -> Bindings {
        Bindings::new().int(Param::Now, self.clock.now().as_millis())
    }

    /// A whole record, encoded, under the key `to`.
    fn record<T: Serialize>(
        &self,
        bindings: Bindings,
        to: &SessionKey,
        record: &Record<T>,
    ) -> Result<Bindings, StoreError> {
        let payload = self.codec.encode(&*record.data, self.payload_limit)?;
        let client = record.client.as_deref();
        let address = client
            .and_then(|client| client.address())
            .map(|address| address.to_string());
        let owner = record.owner.as_ref().map(|owner| owner.as_str());
        Ok(with_times(with_key(bindings, to), &record.times)
            .int(Param::BrowserSession, i64::from(record.browser_session))
            .text(Param::Owner, owner)
            .text(
                Param::UserAgent,
                client.and_then(|client| client.user_agent()),
            )
            .text(Param::Address, address.as_deref())
            .text(Param::Codec, Some(self.codec.tag()))
            .bind(Param::Data, Value::Payload(payload)))
    }

    async fn insert(&self, bindings: &Bindings) -> Result<SetOutcome, DbError> {
        let answer = self.io.run(&self.statements.insert, bindings).await?;
        Ok(match DB::inserted(&answer) {
            true => SetOutcome::Stored(1),
            false => SetOutcome::Exists,
        })
    }

    async fn update(
        &self,
        bindings: &Bindings,
        expected: Option<u64>,
    ) -> Result<SetOutcome, DbError> {
        let answer = match expected {
            None => self.io.run(&self.statements.update_any, bindings).await?,
            Some(version) => {
                // No stored version is beyond 63 bits; one that is asked for matches none.
                let version = i64::try_from(version).unwrap_or(-1);
                let bindings = bindings.clone().int(Param::Version, version);
                self.io
                    .run(&self.statements.update_version, &bindings)
                    .await?
            }
        };
        if let Some(version) = DB::written_version(&answer) {
            return Ok(SetOutcome::Stored(to_version(version)?));
        }
        if expected.is_none() {
            return Ok(SetOutcome::Gone);
        }
        // Nothing was written, that is decided. This asks why, and cannot change it: should the expected
        // version have come into being only now, it was not there when it counted.
        Ok(match self.version_of(bindings).await? {
            Some(found) if Some(found) != expected => SetOutcome::Conflict(found),
            _ => SetOutcome::Gone,
        })
    }

    async fn version_of(&self, bindings: &Bindings) -> Result<Option<u64>, DbError> {
        let answer = self.io.run(&self.statements.version_of, bindings).await?;
        first_int(&answer).map(to_version).transpose()
    }

    /// Runs a statement that moves a row to another key. Where an expired row is in the way it is removed.
    /// `None`: a live one is there.
    async fn over_dead(
        &self,
        statement: &crate::statement::Statement,
        bindings: &Bindings,
    ) -> Result<Option<Answer<DB>>, DbError> {
        for _ in 0..ATTEMPTS {
            if let Some(answer) = self.io.try_run(statement, bindings).await? {
                return Ok(Some(answer));
            }
            let freed = self.io.run(&self.statements.free, bindings).await?;
            if freed.affected == 0 {
                break;
            }
        }
        Ok(None)
    }
}

fn with_key(bindings: Bindings, to: &SessionKey) -> Bindings {
    bindings
        .bytes(Param::To, to.as_bytes())
        .text(Param::Handle, Some(&to.handle().to_string()))
}

fn with_times(bindings: Bindings, times: &Times) -> Bindings {
    let idle = times
        .idle_timeout
        .map(|idle| i64::try_from(idle.as_millis()).unwrap_or(i64::MAX));
    bindings
        .int(Param::CreatedAt, times.created_at.as_millis())
        .int(
            Param::AuthenticatedAt,
            times.authenticated_at.map(Timestamp::as_millis),
        )
        .int(Param::LastSeenAt, times.last_seen_at.as_millis())
        .int(Param::EndsAt, times.ends_at.map(Timestamp::as_millis))
        .int(Param::IdleTimeoutMs, idle)
        .int(
            Param::ExpiresAt,
            times.expires_at().map(Timestamp::as_millis),
        )
}

fn to_version(version: i64) -> Result<u64, DbError> {
    u64::try_from(version)
        .map_err(|_| DbError::new(DbErrorKind::MalformedRow, "a version is negative"))
}

// By hand: deriving would ask the same of `T`.
impl<T, DB: Dialect> Clone for DbStore<T, DB> {
    fn clone(&self) -> Self {
        Self::from_inner(Arc::clone(&self.inner))
    }
}

impl<T, DB: Dialect> fmt::Debug for DbStore<T, DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DbStore")
            .field("engine", &DB::NAME)
            .field("codec", &self.inner.codec)
            .field("timeout", &self.inner.io.timeout)
            .finish_non_exhaustive()
    }
}
