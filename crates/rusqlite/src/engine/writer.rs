//! The thread that writes.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Options;
use super::db::{self, Db, IfMissing};
use super::job::Write;
use super::lane::{Lane, Next};
use super::readers::Readers;
use crate::error::{DbError, DbErrorKind, Failure};
use crate::purge::Purged;
use crate::schema;

/// The most callers that share one transaction. Beyond some dozens nothing is gained, and the first would wait
/// for the last.
const GROUP: usize = 256;

/// Removes one batch of expired rows.
pub(crate) type Purge = Box<dyn Fn(&Db) -> Result<Purged, Failure> + Send>;

/// Does everything that changes the file, on a thread of its own: SQLite has one writer at a time. What was
/// queued while a transaction was under way goes into the next one together, so that all of it waits for the
/// disk once; nobody is answered before the commit.
pub(crate) struct Writer {
    pub(crate) options: Arc<Options>,
    pub(crate) lane: Arc<Lane<Box<dyn Write>>>,
    pub(crate) readers: Arc<Readers>,
    pub(crate) purge: Purge,
    pub(crate) if_missing: IfMissing,
    pub(crate) db: Option<Db>,
}

/// How a transaction of several callers failed.
enum Spoiled {
    /// Before it began: all have the same reason.
    NotBegun(DbError),
    /// On the way: one of them may be the reason.
    Undone(DbError),
}

impl Writer {
    pub(crate) fn run(mut self) {
        let _guard = AbandonOnDrop(Arc::clone(&self.lane));
        let mut purge_at = self.options.purge.first(Instant::now());
        let mut jobs = Vec::with_capacity(GROUP);
        loop {
            match self.lane.take(0, &mut jobs, GROUP, purge_at) {
                Next::Work => self.serve(std::mem::take(&mut jobs)),
                Next::Nothing => {}
                Next::End => break,
            }
            // Also when there is always something else to do.
            if purge_at.is_some_and(|due| due <= Instant::now()) {
                let purged = self.purge();
                purge_at = self.options.purge.next(Instant::now(), purged);
            }
        }
        // The last connection that is closed moves the write-ahead log into the file.
        if let Err(error) = self
            .readers
            .close_all(Instant::now() + self.options.timeout)
        {
            tracing::debug!(%error, "the database file is closed before its readers");
        }
    }

    fn serve(&mut self, mut jobs: Vec<Box<dyn Write>>) {
        if let Err(error) = self.reconcile() {
            return settle(jobs, Err(&error));
        }
        match self.transaction(&mut jobs) {
            Ok(()) => settle(jobs, self.still_there().as_ref().map(drop)),
            Err(Spoiled::NotBegun(error)) => settle(jobs, Err(&error)),
            Err(Spoiled::Undone(error)) if jobs.len() == 1 => settle(jobs, Err(&error)),
            // Nobody suffers for what a neighbour wrote: now each has a transaction of its own.
            Err(Spoiled::Undone(_)) => {
                for job in jobs {
                    let mut alone = vec![job];
                    let end = match self.transaction(&mut alone) {
                        Ok(()) => self.still_there(),
                        Err(Spoiled::NotBegun(error) | Spoiled::Undone(error)) => Err(error),
                    };
                    settle(alone, end.as_ref().map(drop));
                }
            }
        }
    }

    fn transaction(&mut self, jobs: &mut [Box<dyn Write>]) -> Result<(), Spoiled> {
        let db = self.db.as_ref().expect("reconciled before");
        db.begin().map_err(Spoiled::NotBegun)?;
        for job in jobs {
            if let Err(error) = job.run(db) {
                if error.kind() == DbErrorKind::Missing {
                    self.readers.suspect();
                }
                // SQLite has undone the statement, or, when the disk is full or broken, everything.
                if !db.in_transaction() {
                    return Err(Spoiled::Undone(error));
                }
            }
        }
        db.commit().map_err(|error| {
            db.roll_back();
            Spoiled::Undone(error)
        })
    }

    fn purge(&mut self) -> Purged {
        let purged = self.reconcile().and_then(|()| {
            let db = self.db.as_ref().expect("reconciled just now");
            (self.purge)(db).map_err(Failure::into_error)
        });
        match purged {
            Ok(purged) => {
                if purged.most() > 0 {
                    let Purged { sessions, trails } = purged;
                    tracing::debug!(sessions, trails, "what had expired was purged");
                }
                purged
            }
            Err(error) => {
                tracing::warn!(%error, "purging expired sessions failed; it will be tried again");
                Purged::default()
            }
        }
    }

    /// After the commit: whether it went into the file that the path leads to.
    fn still_there(&self) -> Result<(), DbError> {
        let path = &*self.options.path;
        let written = self.db.as_ref().map(Db::identity);
        match Some(db::identity(path)?) == written {
            true => Ok(()),
            false => Err(db::replaced(path)),
        }
    }

    /// Before anything is done: opens the file that the path leads to, unless it is the one that is open.
    fn reconcile(&mut self) -> Result<(), DbError> {
        let path: &Path = &self.options.path;
        if let Some(db) = &self.db
            && self.readers.place() == Some(db.identity())
            && db::identity(path)? == db.identity()
        {
            return Ok(());
        }
        if self.if_missing == IfMissing::Fail {
            db::identity(path)?;
            tracing::warn!(path = %path.display(), "the database file was replaced; opening the new one");
        }
        self.readers
            .close_all(Instant::now() + self.options.timeout)?;
        self.db = None;
        let patience = self.options.patience();
        let mut db = Db::writing(path, self.if_missing, self.options.durability, patience)?;
        schema::ensure(db.connection(), &self.options.table)?;
        let readers = (0..self.options.readers).map(|_| Db::reading(path));
        let readers = readers.collect::<Result<Vec<_>, _>>()?;
        if readers
            .iter()
            .any(|reader| reader.identity() != db.identity())
        {
            return Err(db::replaced(path));
        }
        self.readers.open(db.identity(), readers);
        tracing::debug!(path = %path.display(), "the database file is open");
        self.db = Some(db);
        // A silent new file later on would sign everybody out.
        self.if_missing = IfMissing::Fail;
        Ok(())
    }
}

impl Options {
    /// How long SQLite waits for a lock of another process. Below the time-out, so that the store can say what
    /// it waited for.
    pub(crate) fn patience(&self) -> Duration {
        (self.timeout / 2).min(Duration::from_secs(2))
    }
}

fn settle(jobs: Vec<Box<dyn Write>>, end: Result<(), &DbError>) {
    for job in jobs {
        job.settle(end.map_err(DbError::clone));
    }
}

/// However the thread ends, nobody waits for it.
struct AbandonOnDrop(Arc<Lane<Box<dyn Write>>>);

impl Drop for AbandonOnDrop {
    fn drop(&mut self) {
        self.0.abandon();
    }
}
