//! The connections that read.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::db::{self, Db};
use super::file::Identity;
use crate::error::{DbError, DbErrorKind, Failure};

/// A shelf of connections that many threads take turns with. The writer empties it before it opens another file.
pub(crate) struct Readers {
    path: Arc<Path>,
    shelf: Mutex<Shelf>,
    returned: Condvar,
}

struct Shelf {
    idle: Vec<Db>,
    /// How many are in use.
    out: usize,
    /// How many threads wait for one.
    waiting: usize,
    /// Which file they belong to; `None` while there are none.
    place: Option<Identity>,
    /// The table was not found in it.
    suspect: bool,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum NoAnswer {
    /// The writer has to look at the file first; then it may be asked again.
    Reconcile,
    /// It would have to wait.
    Later,
    Failed(DbError),
}

impl Readers {
    pub(crate) fn none_yet(path: Arc<Path>) -> Self {
        Self {
            path,
            shelf: Mutex::new(Shelf {
                idle: Vec::new(),
                out: 0,
                waiting: 0,
                place: None,
                suspect: false,
            }),
            returned: Condvar::new(),
        }
    }

    /// Reads on this very thread. It neither waits nor sleeps, but it asks the disk.
    pub(crate) fn read_in_place<R>(
        &self,
        read: impl FnOnce(&Db) -> Result<R, Failure>,
    ) -> Result<R, NoAnswer> {
        let db = self.lock().take()?.ok_or(NoAnswer::Later)?;
        self.read_with(db, read).map_err(|end| match end {
            NoAnswer::Failed(error) if error.kind() == DbErrorKind::Busy => NoAnswer::Later,
            end => end,
        })
    }

    /// Reads, and waits: for a connection, and `patience` for locks.
    pub(crate) fn read<R>(
        &self,
        patience: Duration,
        read: impl FnOnce(&Db) -> Result<R, Failure>,
    ) -> Result<R, NoAnswer> {
        let mut shelf = self.lock();
        let db = loop {
            match shelf.take()? {
                Some(db) => break db,
                None => shelf = self.wait(shelf),
            }
        };
        drop(shelf);
        self.read_with(db, |db| {
            db.wait_for_locks(patience)?;
            let answer = read(db);
            db.wait_for_locks(Duration::ZERO)?;
            answer
        })
    }

    fn read_with<R>(
        &self,
        db: Db,
        read: impl FnOnce(&Db) -> Result<R, Failure>,
    ) -> Result<R, NoAnswer> {
        let lease = Lease {
            readers: self,
            db: Some(db),
        };
        let answer = read(lease.db());
        // Afterwards: if the file is still the one that was read, it was so all the while.
        match db::identity(&self.path) {
            Ok(found) if found == lease.db().identity() => {}
            Ok(_) => return Err(NoAnswer::Reconcile),
            Err(error) => return Err(NoAnswer::Failed(error)),
        }
        drop(lease);
        answer.map_err(|failure| {
            let error = failure.into_error();
            if error.kind() == DbErrorKind::Missing {
                self.suspect();
            }
            NoAnswer::Failed(error)
        })
    }

    /// The table was not found: the writer is to look.
    pub(crate) fn suspect(&self) {
        self.lock().suspect = true;
    }

    /// Which file is being read, if that is beyond doubt.
    pub(crate) fn place(&self) -> Option<Identity> {
        self.lock().trusted_place()
    }

    /// Closes every connection: two databases under one name would share the files beside it. Those in use are
    /// waited for.
    pub(crate) fn close_all(&self, deadline: Instant) -> Result<(), DbError> {
        let mut shelf = self.lock();
        shelf.place = None;
        let idle = std::mem::take(&mut shelf.idle);
        // Whoever waits for one of them need not.
        self.returned.notify_all();
        while shelf.out > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let message = "a read of the old database file is still under way";
                return Err(DbError::new(DbErrorKind::Busy, message));
            }
            shelf.waiting += 1;
            let waited = self.returned.wait_timeout(shelf, left);
            (shelf, _) = waited.unwrap_or_else(PoisonError::into_inner);
            shelf.waiting -= 1;
        }
        drop(shelf);
        drop(idle);
        Ok(())
    }

    /// Puts new ones on the empty shelf.
    pub(crate) fn open(&self, place: Identity, connections: Vec<Db>) {
        let mut shelf = self.lock();
        shelf.idle = connections;
        shelf.place = Some(place);
        shelf.suspect = false;
        drop(shelf);
        self.returned.notify_all();
    }

    fn give_back(&self, db: Db) {
        let mut shelf = self.lock();
        shelf.out -= 1;
        let stale = match shelf.place == Some(db.identity()) {
            true => {
                shelf.idle.push(db);
                None
            }
            false => Some(db),
        };
        // Before the lock is given up: who waits for all to come back waits for them to be closed.
        drop(stale);
        let wanted = shelf.waiting > 0;
        drop(shelf);
        if wanted {
            self.returned.notify_all();
        }
    }

    fn wait<'a>(&self, mut shelf: MutexGuard<'a, Shelf>) -> MutexGuard<'a, Shelf> {
        shelf.waiting += 1;
        let waited = self.returned.wait(shelf);
        let mut shelf = waited.unwrap_or_else(PoisonError::into_inner);
        shelf.waiting -= 1;
        shelf
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    fn trusted_place(&self) -> Option<Identity> {
        self.place.filter(|_| !self.suspect)
    }

    /// `None`: all are in use.
    fn take(&mut self) -> Result<Option<Db>, NoAnswer> {
        if self.trusted_place().is_none() {
            return Err(NoAnswer::Reconcile);
        }
        let db = self.idle.pop();
        self.out += usize::from(db.is_some());
        Ok(db)
    }
}

/// A connection in use. It comes back whatever happens.
struct Lease<'a> {
    readers: &'a Readers,
    db: Option<Db>,
}

impl Lease<'_> {
    fn db(&self) -> &Db {
        self.db
            .as_ref()
            .expect("the connection is taken out on drop only")
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if let Some(db) = self.db.take() {
            self.readers.give_back(db);
        }
    }
}
