//! One connection, and how statements run on it.

use std::io;
use std::path::Path;
use std::thread;
use std::time::Duration;

use rusqlite::{CachedStatement, Connection, OpenFlags, Row};

use super::file::{self, Identity};
use crate::error::{DbError, DbErrorKind, Failure};
use crate::settings::Durability;
use crate::statement::{Bindings, Statement};

/// More than there are statements: each is prepared once for each connection.
const PREPARED: usize = 64;

/// The most memory that a connection keeps pages in, in KiB. SQLite's default is 2,000.
const CACHE_KIB: i64 = 16 * 1024;

/// How many pages (of 4 KiB) the write-ahead log has when it is moved into the file. SQLite's default is 1,000; the more
/// there are, the more often a page is written to the log before it is written to the file once.
const LOG_PAGES: i64 = 4_000;

/// How often a locked database is tried again while it is being opened, and how long between.
const OPEN_ATTEMPTS: u32 = 50;
const OPEN_PAUSE: Duration = Duration::from_millis(100);

/// Whether a file that is not there is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IfMissing {
    Make,
    Fail,
}

/// A connection to the file that had that identity when it was opened.
pub(crate) struct Db {
    connection: Connection,
    identity: Identity,
}

impl Db {
    /// Opens the file for writing, with the write-ahead log.
    pub(crate) fn writing(
        path: &Path,
        if_missing: IfMissing,
        durability: Durability,
        patience: Duration,
    ) -> Result<Self, DbError> {
        if if_missing == IfMissing::Make {
            file::create_private(path).map_err(|error| {
                let path = path.display();
                DbError::new(
                    DbErrorKind::Storage,
                    format!("cannot make the database file {path}: {error}"),
                )
            })?;
        }
        let mut attempt = 1;
        loop {
            let opened = Self::open(path, patience).and_then(|db| {
                db.use_write_ahead_log(durability).map_err(DbError::of)?;
                Ok(db)
            });
            match opened {
                // Switching to the write-ahead log does not wait for locks: of many processes that open a new
                // file at once, some are turned away.
                Err(error)
                    if error.kind() == DbErrorKind::Busy
                        && if_missing == IfMissing::Make
                        && attempt < OPEN_ATTEMPTS =>
                {
                    attempt += 1;
                    thread::sleep(OPEN_PAUSE);
                }
                opened => return opened,
            }
        }
    }

    /// Opens the file for reading. It does not wait for locks: whoever may wait says so.
    pub(crate) fn reading(path: &Path) -> Result<Self, DbError> {
        let db = Self::open(path, Duration::ZERO)?;
        db.connection
            .pragma_update(None, "query_only", true)
            .map_err(DbError::of)?;
        Ok(db)
    }

    fn open(path: &Path, patience: Duration) -> Result<Self, DbError> {
        let before = identity(path)?;
        // Each connection is used by one thread at a time. The path is absolute, so SQLite takes it for no URI.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(DbError::of)?;
        connection.busy_timeout(patience).map_err(DbError::of)?;
        connection.set_prepared_statement_cache_capacity(PREPARED);
        connection
            .pragma_update(None, "cache_size", -CACHE_KIB)
            .map_err(DbError::of)?;
        if identity(path)? != before {
            return Err(replaced(path));
        }
        Ok(Self {
            connection,
            identity: before,
        })
    }

    fn use_write_ahead_log(&self, durability: Durability) -> rusqlite::Result<()> {
        // It answers the mode, and the old one if it could not change it.
        self.connection
            .query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        self.connection
            .pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
        self.connection
            .pragma_update(None, "synchronous", durability.synchronous())
    }

    pub(crate) fn identity(&self) -> Identity {
        self.identity
    }

    pub(crate) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// How long it waits for a lock of another process.
    pub(crate) fn wait_for_locks(&self, patience: Duration) -> Result<(), DbError> {
        self.connection.busy_timeout(patience).map_err(DbError::of)
    }

    /// Opens a transaction that may write, at once.
    pub(crate) fn begin(&self) -> Result<(), DbError> {
        self.control("BEGIN IMMEDIATE")
    }

    pub(crate) fn commit(&self) -> Result<(), DbError> {
        self.control("COMMIT")
    }

    /// Undoes what is open, if anything is.
    pub(crate) fn roll_back(&self) {
        if self.in_transaction()
            && let Err(error) = self.control("ROLLBACK")
        {
            tracing::warn!(%error, "a transaction could not be rolled back");
        }
    }

    /// SQLite ends a transaction by itself after some errors.
    pub(crate) fn in_transaction(&self) -> bool {
        !self.connection.is_autocommit()
    }

    /// Within a transaction: either all of this takes effect, or none. The neighbours in the transaction keep
    /// what they did.
    pub(crate) fn all_or_nothing<R>(
        &self,
        work: impl FnOnce() -> Result<R, Failure>,
    ) -> Result<R, Failure> {
        self.control("SAVEPOINT one")?;
        let answer = work();
        if answer.is_err() {
            if !self.in_transaction() {
                return answer;
            }
            self.control("ROLLBACK TO one")?;
        }
        self.control("RELEASE one")?;
        answer
    }

    fn control(&self, sql: &str) -> Result<(), DbError> {
        let mut prepared = self.connection.prepare_cached(sql).map_err(DbError::of)?;
        prepared.raw_execute().map_err(DbError::of)?;
        Ok(())
    }

    /// Runs a statement and shows each row that it answers.
    pub(crate) fn rows(
        &self,
        statement: &Statement,
        bindings: &Bindings,
        mut each: impl FnMut(&Row<'_>) -> Result<(), DbError>,
    ) -> Result<(), Failure> {
        let mut prepared = self.bound(statement, bindings).map_err(Failure::of)?;
        let mut rows = prepared.raw_query();
        // To the very end, or a statement that writes is not done.
        while let Some(row) = rows.next().map_err(Failure::of)? {
            each(row)?;
        }
        Ok(())
    }

    /// What the only row holds, if there is one.
    pub(crate) fn first<R>(
        &self,
        statement: &Statement,
        bindings: &Bindings,
        view: impl Fn(&Row<'_>) -> Result<R, DbError>,
    ) -> Result<Option<R>, Failure> {
        let mut found = None;
        self.rows(statement, bindings, |row| {
            found = Some(view(row)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// The number in its first column.
    pub(crate) fn int(
        &self,
        statement: &Statement,
        bindings: &Bindings,
    ) -> Result<Option<i64>, Failure> {
        self.first(statement, bindings, |row| {
            row.get(0).map_err(|_| DbError::malformed())
        })
    }

    /// Runs a statement that answers no rows. How many it changed.
    pub(crate) fn execute(
        &self,
        statement: &Statement,
        bindings: &Bindings,
    ) -> Result<u64, Failure> {
        let mut prepared = self.bound(statement, bindings).map_err(Failure::of)?;
        let changed = prepared.raw_execute().map_err(Failure::of)?;
        Ok(changed as u64)
    }

    fn bound(
        &self,
        statement: &Statement,
        bindings: &Bindings,
    ) -> rusqlite::Result<CachedStatement<'_>> {
        let mut prepared = self.connection.prepare_cached(statement.sql())?;
        for (at, value) in statement.arguments(bindings).enumerate() {
            prepared.raw_bind_parameter(at + 1, value)?;
        }
        Ok(prepared)
    }
}

/// Which file is at the path now.
pub(crate) fn identity(path: &Path) -> Result<Identity, DbError> {
    Identity::of(path).map_err(|error| missing(path, &error))
}

pub(crate) fn replaced(path: &Path) -> DbError {
    let path = path.display();
    DbError::new(
        DbErrorKind::Missing,
        format!("the database file {path} was replaced while the statement was under way"),
    )
}

fn missing(path: &Path, error: &io::Error) -> DbError {
    let path = path.display();
    DbError::new(
        DbErrorKind::Missing,
        format!("the database file {path} is not there: {error}"),
    )
}
