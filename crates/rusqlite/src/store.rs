use std::fmt;
use std::marker::PhantomData;
use std::path::Path;
use std::sync::Arc;

use cloakroom_store::{
    Enumerate, Expect, OwnerLimits, Record, Renewal, RotateOutcome, SessionKey, SetOutcome, Store,
    StoreError, StoreFuture, Times, Timestamp,
};
use rusqlite::Row;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::builder::SqliteStoreBuilder;
use crate::engine::{Db, NoAnswer};
use crate::error::{DbError, Failure};
use crate::operations::{Inner, bind_new_key, bind_times};
use crate::session::{DbStoreSession, View};
use crate::statement::{Bindings, Param, Statement};
use crate::statements::Statements;

/// Sessions in a SQLite file. Clones share everything. See the [guide](crate::guide).
///
/// `T` is the application's session data. It runs on any async runtime, or on none: it has threads of its own.
///
/// ```
/// use cloakroom_rusqlite::SqliteStore;
/// use cloakroom_store::{Clock, Expect, Record, SessionKey, Store, SystemClock, Times};
/// use std::sync::Arc;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("sessions.db");
/// let store = SqliteStore::<String>::open(&path).await?;
///
/// let key = SessionKey::from_bytes([1; 32]);
/// let record = Record::new(Arc::new("hello".to_owned()), Times::starting(SystemClock.now()));
/// store.set(&key, record, Expect::Absent).await?;
/// assert_eq!(*store.get(&key).await?.expect("just stored").data, "hello");
/// # Ok(())
/// # }
/// ```
pub struct SqliteStore<T> {
    pub(crate) inner: Arc<Inner>,
    // Sends and shares like a function: the store holds no `T`.
    types: PhantomData<fn() -> T>,
}

impl<T> SqliteStore<T> {
    /// The store in that file, with all defaults: makes the file, readable by its owner only, and the table
    /// `cloakroom_sessions` if they are missing, and purges expired sessions for as long as a clone of the store
    /// exists.
    ///
    /// Any number of processes may do so at once.
    ///
    /// # Errors
    /// `Unavailable` if the file cannot be made or opened, stays locked, or is not a database; `Internal` if a
    /// later release made the table, if it is not a path of a file, or if there are no threads to be had.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::builder(path).open().await
    }

    /// The same with options.
    pub fn builder(path: impl AsRef<Path>) -> SqliteStoreBuilder<T> {
        SqliteStoreBuilder::new(path.as_ref())
    }

    pub(crate) fn from_inner(inner: Arc<Inner>) -> Self {
        Self {
            inner,
            types: PhantomData,
        }
    }

    /// The row under that key as it is stored, expired and undecodable ones too. For administration.
    ///
    /// # Errors
    /// `Unavailable` if the store cannot tell; `Undecodable` if a column holds what does not belong there.
    pub async fn row(&self, key: &SessionKey) -> Result<Option<DbStoreSession>, StoreError> {
        let inner = &*self.inner;
        inner.row(inner.at(key), |all| &all.row).await
    }

    /// Finishes the writes that were asked for, moves the write-ahead log into the file and closes it, for all
    /// clones. From then on every operation answers `Unavailable`. Whoever closes it as well, meanwhile or after a
    /// call that was dropped, waits for the same. Without it the same happens, a moment later, when the last clone
    /// is dropped; nothing is lost either way.
    pub async fn close(&self) {
        self.inner.engine.close().await;
    }
}

impl Inner {
    /// The row that a statement finds, read on a thread of the store. It is decoded by whoever asked: what an
    /// application's type does then is no business of that thread.
    async fn row(
        &self,
        bindings: Bindings,
        statement: fn(&Statements) -> &Statement,
    ) -> Result<Option<DbStoreSession>, StoreError> {
        let statements = Arc::clone(&self.statements);
        let read = move |db: &Db| {
            db.first(statement(&statements), &bindings, |row| {
                Ok(View::from_row(row)?.to_session())
            })
        };
        self.engine
            .read(read)
            .await
            .map_err(DbError::into_store_error)
    }

    /// What a statement finds under a key, in place if that takes no waiting.
    pub(crate) fn look<R: Send + 'static>(
        &self,
        bindings: Bindings,
        statement: fn(&Statements) -> &Statement,
        view: fn(&Row<'_>) -> Result<R, DbError>,
    ) -> StoreFuture<'_, Option<R>> {
        match self
            .engine
            .read_in_place(|db| db.first(statement(&self.statements), &bindings, view))
        {
            Ok(found) => StoreFuture::ready(Ok(found)),
            Err(NoAnswer::Failed(error)) => StoreFuture::ready(Err(error.into_store_error())),
            Err(NoAnswer::Later | NoAnswer::Reconcile) => {
                let statements = Arc::clone(&self.statements);
                let read = move |db: &Db| db.first(statement(&statements), &bindings, view);
                let read = self.engine.read(read);
                StoreFuture::new(async { read.await.map_err(DbError::into_store_error) })
            }
        }
    }

    /// Runs this in a transaction. The answer comes after its commit.
    pub(crate) async fn write<R: Send + 'static>(
        &self,
        mut bindings: Bindings,
        work: impl Fn(&Statements, &Db, &Bindings) -> Result<R, Failure> + Send + 'static,
    ) -> Result<R, StoreError> {
        let clock = Arc::clone(&self.clock);
        self.write_as_bound(move |all, db| {
            // Now, not when it was queued: what expired meanwhile has ended, and others may have seen it.
            bindings.int(Param::Now, clock.now().as_millis());
            work(all, db, &bindings)
        })
        .await
    }

    /// The same for what brings its own `now`.
    pub(crate) async fn write_as_bound<R: Send + 'static>(
        &self,
        mut work: impl FnMut(&Statements, &Db) -> Result<R, Failure> + Send + 'static,
    ) -> Result<R, StoreError> {
        let statements = Arc::clone(&self.statements);
        self.engine
            .write(move |db: &Db| work(&statements, db))
            .await
            .map_err(DbError::into_store_error)
    }
}

impl<T> Store<T> for SqliteStore<T>
where
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    fn get(&self, key: &SessionKey) -> StoreFuture<'_, Option<Record<T>>> {
        let inner = &*self.inner;
        let bindings = inner.at(key);
        let found = inner.engine.read_in_place(|db| {
            db.first(&inner.statements.get, &bindings, |row| {
                Ok(View::from_row(row)?.decode(&inner.at_rest))
            })
        });
        match found {
            Ok(found) => StoreFuture::ready(found.transpose()),
            Err(NoAnswer::Failed(error)) => StoreFuture::ready(Err(error.into_store_error())),
            Err(NoAnswer::Later | NoAnswer::Reconcile) => StoreFuture::new(async move {
                let row = inner.row(bindings, |all| &all.get).await?;
                row.map(|row| row.decode(&inner.at_rest)).transpose()
            }),
        }
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
            let mut bindings = inner.at(&key);
            inner.bind_record(&mut bindings, &record)?;
            drop(record);
            match expect {
                Expect::Absent => {
                    bind_new_key(&mut bindings, &key);
                    inner
                        .write(bindings, |all, db, bindings| all.insert(db, bindings))
                        .await
                }
                expect => {
                    inner
                        .write(bindings, move |all, db, bindings| {
                            all.update(db, bindings, expect)
                        })
                        .await
                }
            }
        })
    }

    fn destroy(&self, key: &SessionKey) -> StoreFuture<'_, bool> {
        let bindings = self.inner.at(key);
        let destroy = |all: &Statements, db: &Db, bindings: &Bindings| all.destroy(db, bindings);
        StoreFuture::new(self.inner.write(bindings, destroy))
    }

    fn touch(&self, key: &SessionKey, last_seen_at: Timestamp) -> StoreFuture<'_, bool> {
        // The statement computes the expiry from the row, which may have got another idle time-out since the
        // caller read it.
        let mut bindings = self.inner.at(key);
        bindings.int(Param::LastSeenAt, last_seen_at.as_millis());
        StoreFuture::new(self.inner.write(bindings, |all, db, bindings| {
            Ok(db.execute(&all.touch, bindings)? > 0)
        }))
    }

    fn rotate(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        times: Times,
    ) -> StoreFuture<'_, RotateOutcome> {
        let in_place = from == to;
        let mut bindings = self.inner.at(from);
        bind_new_key(&mut bindings, to);
        bind_times(&mut bindings, &times);
        StoreFuture::new(self.inner.write(bindings, move |all, db, bindings| {
            all.rotate(db, bindings, in_place)
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
            let mut bindings = inner.at(&from);
            bind_new_key(&mut bindings, &to);
            inner.bind_record(&mut bindings, &record)?;
            drop(record);
            inner
                .write(bindings, |all, db, bindings| all.replace(db, bindings))
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
}

// By hand: deriving would ask the same of `T`.
impl<T> Clone for SqliteStore<T> {
    fn clone(&self) -> Self {
        Self::from_inner(Arc::clone(&self.inner))
    }
}

impl<T> fmt::Debug for SqliteStore<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("codec", &self.inner.codec)
            .field("at_rest", &self.inner.at_rest)
            .field("engine", &self.inner.engine)
            .finish_non_exhaustive()
    }
}
