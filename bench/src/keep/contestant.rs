use std::future::Future;

use crate::Failure;

/// A store with sessions in it.
pub trait Keep: Send + Sync + 'static {
    /// One more session, with the next number.
    fn add(&mut self) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Has two of them, which nobody has written since, take each other's number.
    fn swap(&mut self, a: usize, b: usize);
    /// Reads one. Fails if it is not there.
    fn get(&self, session: usize) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Writes one that is there. Stores that take their own kind of record are handed one of the first thousand.
    fn set(&self, session: usize) -> impl Future<Output = Result<(), Failure>> + Send;
}
