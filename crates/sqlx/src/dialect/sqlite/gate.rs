use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_core::future::BoxFuture;
use sqlx::{Pool, Sqlite};
use tokio::sync::{RwLock, RwLockReadGuard, Semaphore, SemaphorePermit};

use super::file::Identity;
use crate::connections::Waiting;
use crate::dialect::{Gate, Pass};
use crate::error::{DbError, DbErrorKind, Failure};
use crate::schema::{self, Schema};

/// How long between two looks at whether a connection came back to the pool.
const DRAIN_PAUSE: Duration = Duration::from_millis(5);

/// Lets one write through at a time, and nobody while the database file is not the one that the pool has open.
#[derive(Debug)]
pub struct FileGate {
    /// SQLite has one writer at a time. Waiting here is first come, first served; waiting in SQLite is sleeping
    /// and trying again.
    writer: Semaphore,
    /// How many wait for that.
    waiting: AtomicUsize,
    /// `None` for a database in memory.
    file: Option<WatchedFile>,
}

impl Gate<Sqlite> for FileGate {
    type Pass<'a> = FilePass<'a>;

    fn open<'a>(
        pool: &'a Pool<Sqlite>,
        schema: &'a Arc<Schema>,
    ) -> BoxFuture<'a, Result<Self, DbError>> {
        Box::pin(async move {
            Ok(Self {
                writer: Semaphore::new(1),
                waiting: AtomicUsize::new(0),
                file: WatchedFile::of(pool, schema).await?,
            })
        })
    }

    async fn enter(&self, writes: bool) -> Result<FilePass<'_>, DbError> {
        let turn = match writes {
            true => {
                let _one_more = Waiting::new(&self.waiting);
                let turn = self.writer.acquire().await;
                Some(turn.expect("this semaphore is never closed"))
            }
            false => None,
        };
        let place = match &self.file {
            Some(file) => Some((file, file.enter().await?)),
            None => None,
        };
        Ok(FilePass {
            place,
            turn,
            waiting: &self.waiting,
        })
    }

    fn suspect(&self) {
        if let Some(file) = &self.file {
            file.suspect.store(true, Ordering::Relaxed);
        }
    }
}

/// Held while a statement is under way.
#[derive(Debug)]
pub struct FilePass<'a> {
    place: Option<(&'a WatchedFile, RwLockReadGuard<'a, Identity>)>,
    turn: Option<SemaphorePermit<'a>>,
    waiting: &'a AtomicUsize,
}

impl Pass for FilePass<'_> {
    fn check(&self) -> Result<(), DbError> {
        match &self.place {
            Some((file, known)) if file.now_there()? != **known => Err(file.replaced()),
            _ => Ok(()),
        }
    }

    fn give_back(self) -> bool {
        self.turn.is_some() && self.waiting.load(Ordering::Relaxed) > 0
    }
}

/// The database file, and which one it was when the pool opened it. A connection happily goes on with a file
/// that was moved away or deleted, and what it writes there is lost; so the path is looked at before and after
/// every statement.
#[derive(Debug)]
pub(super) struct WatchedFile {
    path: PathBuf,
    pool: Pool<Sqlite>,
    schema: Arc<Schema>,
    /// Read while a statement is under way, written when the pool has moved to another file.
    known: RwLock<Identity>,
    /// The file is the same, but its table is gone.
    suspect: AtomicBool,
}

impl WatchedFile {
    async fn of(pool: &Pool<Sqlite>, schema: &Arc<Schema>) -> Result<Option<Self>, DbError> {
        let path: String =
            sqlx::query_scalar("SELECT file FROM pragma_database_list WHERE name = 'main'")
                .fetch_one(pool)
                .await
                .map_err(|error| Failure::of::<Sqlite>(error).into_error())?;
        if path.is_empty() {
            return Ok(None);
        }
        // From here on a file that is gone stays gone until somebody brings it back: a pool that silently made
        // a new one would log everybody out.
        let options = pool.connect_options();
        pool.set_connect_options((*options).clone().create_if_missing(false));
        let path = PathBuf::from(path);
        let known = Identity::of(&path).map_err(|error| missing(&path, &error))?;
        Ok(Some(Self {
            path,
            pool: pool.clone(),
            schema: Arc::clone(schema),
            known: RwLock::new(known),
            suspect: AtomicBool::new(false),
        }))
    }

    async fn enter(&self) -> Result<RwLockReadGuard<'_, Identity>, DbError> {
        let known = self.known.read().await;
        if self.now_there()? == *known && !self.suspect.load(Ordering::Relaxed) {
            return Ok(known);
        }
        drop(known);
        // In a box, as that future is big and hardly ever needed.
        Box::pin(self.move_over()).await?;
        let known = self.known.read().await;
        match self.now_there()? == *known {
            true => Ok(known),
            false => Err(self.replaced()),
        }
    }

    /// Leaves the old file for the one that is at the path now.
    async fn move_over(&self) -> Result<(), DbError> {
        // Waits for the statements under way; new ones wait for this.
        let mut known = self.known.write().await;
        let found = self.now_there()?;
        if found == *known && !self.suspect.load(Ordering::Relaxed) {
            return Ok(());
        }
        tracing::warn!(path = %self.path.display(), "the database file was replaced; opening the new one");
        self.close_all().await;
        let mut connection = self
            .pool
            .acquire()
            .await
            .map_err(|error| Failure::of::<Sqlite>(error).into_error())?;
        schema::ensure::<Sqlite>(&mut connection, &self.schema).await?;
        if self.now_there()? != found {
            return Err(self.replaced());
        }
        *known = found;
        self.suspect.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Closes every connection before a new one is opened: two databases under one name would share the files
    /// beside it. Connections that the application itself has out are waited for; the time-out of the
    /// operation ends the wait.
    async fn close_all(&self) {
        let mut gathered = Vec::new();
        loop {
            while let Some(connection) = self.pool.try_acquire() {
                gathered.push(connection);
            }
            if gathered.len() >= self.pool.size() as usize {
                break;
            }
            tokio::time::sleep(DRAIN_PAUSE).await;
        }
        for connection in gathered {
            if let Err(error) = connection.close().await {
                tracing::debug!(%error, "a connection to the old database file did not close cleanly");
            }
        }
    }

    fn now_there(&self) -> Result<Identity, DbError> {
        Identity::of(&self.path).map_err(|error| missing(&self.path, &error))
    }

    fn replaced(&self) -> DbError {
        let path = self.path.display();
        DbError::new(
            DbErrorKind::Missing,
            format!("the database file {path} was replaced while the statement was under way"),
        )
    }
}

fn missing(path: &std::path::Path, error: &std::io::Error) -> DbError {
    let path = path.display();
    DbError::new(
        DbErrorKind::Missing,
        format!("the database file {path} is not there: {error}"),
    )
}
