//! The file, and the threads that work on it. Nothing here knows what a session is.

mod db;
mod file;
mod job;
mod lane;
mod readers;
mod ticket;
mod watch;
mod writer;

pub(crate) use db::Db;
pub(crate) use readers::NoAnswer;
pub(crate) use writer::Purge;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use self::db::IfMissing;
use self::job::{Job, Write};
use self::lane::{Lane, Next};
use self::readers::Readers;
use self::ticket::{Giver, Ticket, ticket};
use self::watch::Watch;
use self::writer::Writer;
use crate::TableName;
use crate::error::{DbError, DbErrorKind, Failure};
use crate::purge::PurgePlan;
use crate::settings::{Durability, Reads};

/// What the engine is told.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) path: Arc<Path>,
    pub(crate) table: TableName,
    pub(crate) durability: Durability,
    pub(crate) timeout: Duration,
    pub(crate) reads: Reads,
    pub(crate) readers: usize,
    pub(crate) purge: PurgePlan,
}

type Read = Box<dyn FnOnce(&Readers) + Send>;

/// An open file. When it is dropped, the threads finish what they were given and end.
pub(crate) struct Engine {
    options: Arc<Options>,
    readers: Arc<Readers>,
    reads: Arc<Lane<Read>>,
    writes: Arc<Lane<Box<dyn Write>>>,
    watch: Arc<Watch>,
    threads: Weak<Threads>,
}

/// Each thread holds it, so it is gone when all have ended, and has answered then whoever waits for that.
#[derive(Default)]
struct Threads(Mutex<Vec<Giver<()>>>);

impl Engine {
    /// Opens the file, makes what is missing, and starts the threads.
    pub(crate) async fn open(options: Options, purge: Purge) -> Result<Self, DbError> {
        let options = Arc::new(options);
        let threads = match options.reads {
            Reads::InPlace => 1,
            Reads::OnThreads => options.readers,
        };
        let alive = Arc::new(Threads::default());
        let engine = Self {
            readers: Arc::new(Readers::none_yet(Arc::clone(&options.path))),
            reads: Arc::new(Lane::new(threads, options.timeout)),
            writes: Arc::new(Lane::new(1, options.timeout)),
            watch: Watch::new(),
            threads: Arc::downgrade(&alive),
            options,
        };
        engine.start(threads, purge, alive)?;
        // Whatever is missing is made before the first write.
        engine.write(|_| Ok(())).await?;
        Ok(engine)
    }

    fn start(&self, threads: usize, purge: Purge, alive: Arc<Threads>) -> Result<(), DbError> {
        let writer = Writer {
            options: Arc::clone(&self.options),
            lane: Arc::clone(&self.writes),
            readers: Arc::clone(&self.readers),
            purge,
            if_missing: IfMissing::Make,
            db: None,
        };
        let held = Arc::clone(&alive);
        spawn("sessions-writer", move || {
            writer.run();
            drop(held);
        })?;
        for thread in 0..threads {
            let (lane, readers) = (Arc::clone(&self.reads), Arc::clone(&self.readers));
            let held = Arc::clone(&alive);
            spawn("sessions-reader", move || {
                let mut jobs = Vec::new();
                while let Next::Work = lane.take(thread, &mut jobs, 1, None) {
                    jobs.drain(..).for_each(|job: Read| job(&readers));
                }
                drop(held);
            })?;
        }
        let (watch, reads) = (Arc::clone(&self.watch), Arc::clone(&self.reads));
        let writes = Arc::clone(&self.writes);
        spawn("sessions-watch", move || {
            watch.keep(|now| {
                let next = [reads.give_up_overdue(now), writes.give_up_overdue(now)];
                next.into_iter().flatten().min()
            });
        })
    }

    /// Reads on this thread, if that takes no waiting and the options allow it.
    pub(crate) fn read_in_place<R>(
        &self,
        read: impl FnOnce(&Db) -> Result<R, Failure>,
    ) -> Result<R, NoAnswer> {
        match self.options.reads {
            Reads::InPlace => self.readers.read_in_place(read),
            Reads::OnThreads => Err(NoAnswer::Later),
        }
    }

    /// Reads on another thread.
    pub(crate) async fn read<R, F>(&self, read: F) -> Result<R, DbError>
    where
        R: Send + 'static,
        F: Fn(&Db) -> Result<R, Failure> + Send + Sync + 'static,
    {
        let read = Arc::new(read);
        if let Some(answer) = self.try_read(Arc::clone(&read)).await? {
            return Ok(answer);
        }
        // The writer opens the file that is there now.
        self.write(|_| Ok(())).await?;
        match self.try_read(read).await? {
            Some(answer) => Ok(answer),
            None => Err(db::replaced(&self.options.path)),
        }
    }

    /// `None`: another file is at the path.
    fn try_read<R, F>(&self, read: Arc<F>) -> Ticket<Option<R>>
    where
        R: Send + 'static,
        F: Fn(&Db) -> Result<R, Failure> + Send + Sync + 'static,
    {
        let (giver, ticket) = ticket();
        let overdue = giver.overdue();
        let patience = self.options.patience();
        let job = move |readers: &Readers| {
            giver.give(match readers.read(patience, &*read) {
                Ok(answer) => Ok(Some(answer)),
                Err(NoAnswer::Reconcile) => Ok(None),
                Err(NoAnswer::Failed(error)) => Err(error),
                Err(NoAnswer::Later) => unreachable!("this one waits"),
            });
        };
        if self.reads.submit(Box::new(job), overdue) {
            self.watch.rouse();
        }
        ticket
    }

    /// Runs these statements in a transaction, shared with those of other callers, and answers after its commit.
    /// They may be run more than once.
    pub(crate) fn write<R, F>(&self, work: F) -> Ticket<R>
    where
        R: Send + 'static,
        F: FnMut(&Db) -> Result<R, Failure> + Send + 'static,
    {
        let (giver, ticket) = ticket();
        let overdue = giver.overdue();
        if self.writes.submit(Box::new(Job::new(work, giver)), overdue) {
            self.watch.rouse();
        }
        ticket
    }

    /// Finishes what was asked for, closes the file and ends the threads.
    pub(crate) async fn close(&self) {
        self.reads.close();
        self.writes.close();
        if let Some(ended) = self.threads.upgrade().map(|threads| threads.ended()) {
            // It never says anything but that nobody is left to say something.
            let _ = ended.await;
        }
    }
}

impl Threads {
    /// Is answered when all have ended.
    fn ended(&self) -> Ticket<()> {
        let (giver, ticket) = ticket();
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push(giver);
        ticket
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.reads.close();
        self.writes.close();
        self.watch.end();
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<(), DbError> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(body);
    thread.map(drop).map_err(|error| {
        DbError::new(
            DbErrorKind::Other,
            format!("no thread for the store: {error}"),
        )
    })
}
