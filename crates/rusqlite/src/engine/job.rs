//! What the writer is asked to do, with the answer on its way back.

use super::db::Db;
use super::ticket::Giver;
use crate::error::{DbError, Failure};

/// One caller's writes. They may be run more than once: a transaction that failed is undone.
pub(crate) trait Write: Send {
    /// Runs the statements, and keeps what they answered. `Err`: they failed, though not necessarily the
    /// transaction.
    fn run(&mut self, db: &Db) -> Result<(), DbError>;

    /// The transaction is over: gives the caller what was kept, or this error.
    fn settle(self: Box<Self>, end: Result<(), DbError>);
}

/// Something to do, and whoever waits for it.
pub(crate) struct Job<W, R> {
    work: W,
    kept: Option<Result<R, DbError>>,
    giver: Giver<R>,
}

impl<W, R> Job<W, R> {
    pub(crate) fn new(work: W, giver: Giver<R>) -> Self {
        Self {
            work,
            kept: None,
            giver,
        }
    }
}

impl<W, R> Write for Job<W, R>
where
    W: FnMut(&Db) -> Result<R, Failure> + Send,
    R: Send,
{
    fn run(&mut self, db: &Db) -> Result<(), DbError> {
        let answer = (self.work)(db).map_err(Failure::into_error);
        let end = answer.as_ref().map(drop).map_err(DbError::clone);
        self.kept = Some(answer);
        end
    }

    fn settle(self: Box<Self>, end: Result<(), DbError>) {
        let kept = self.kept.unwrap_or_else(|| Err(DbError::closed()));
        self.giver.give(end.and(kept));
    }
}
