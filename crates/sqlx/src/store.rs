use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use cloakroom_store::{
    Announcements, Enumerate, Expect, OwnerLimits, Record, Renewal, RotateOutcome, SessionKey,
    SetOutcome, Store, StoreError, StoreFuture, Times, Timestamp,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Pool;

use crate::builder::DbStoreBuilder;
use crate::dialect::Dialect;
use crate::operations::{Inner, with_expected, with_key, with_times};
use crate::session::DbStoreSession;
use crate::statement::{Bindings, Param};

/// Sessions in a SQL database. Clones share everything.
///
/// `T` is the application's session data; `DB` the driver. The aliases `SqliteStore`, `PostgresStore` and
/// `MySqlStore` name it; each has a page in the [guide](crate::guide).
///
#[cfg_attr(feature = "sqlite", doc = "```")]
#[cfg_attr(not(feature = "sqlite"), doc = "```ignore")]
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

impl<T, DB: Dialect> DbStore<T, DB> {
    /// The store with all defaults: makes the table `cloakroom_sessions` if it is missing, and starts a task
    /// that purges expired sessions for as long as a clone of the store exists.
    ///
    /// Any number of processes may do so at once.
    ///
    /// # Errors
    /// `Unavailable` if the database does not answer; `Internal` if it refuses to make the table, if a later
    /// release made the table, if a connection to MySQL has a setting with which promises are not kept, such as
    /// `autocommit = 0`, or if there is no tokio runtime.
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
        self.inner.io.connections.pool()
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
                row.map(DB::stored).transpose()
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
                    row.map(DB::stored).transpose()
                })
                .await?;
            row.map(|row| row.decode(&inner.at_rest)).transpose()
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
            let bindings = with_expected(inner.at(&key), expect);
            let bindings = inner.record(bindings, &record)?;
            inner
                .within(async {
                    match expect {
                        Expect::Absent => inner.insert(&with_key(bindings, &key)).await,
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

    fn touch(&self, key: &SessionKey, last_seen_at: Timestamp) -> StoreFuture<'_, bool> {
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
                return inner.rotate_in_place(&bindings).await;
            }
            let answer = inner.over_dead(&inner.statements.rotate, &bindings).await?;
            Inner::<DB>::rotated(answer.map(|answer| DB::written_version(&answer)))
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
            let bindings = inner.record(with_key(inner.at(&from), &to), &record)?;
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

    fn owner_limits(&self) -> Option<&dyn OwnerLimits<T>> {
        Some(self)
    }

    fn renewal(&self) -> Option<&dyn Renewal> {
        Some(self)
    }

    fn announcements(&self) -> Option<&dyn Announcements> {
        let announcer = self.inner.announcer.as_ref()?;
        Some(announcer)
    }
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
            .field("at_rest", &self.inner.at_rest)
            .field("timeout", &self.inner.io.timeout)
            .finish_non_exhaustive()
    }
}
