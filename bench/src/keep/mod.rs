//! The stores alone, without requests: sessions by number.

mod ours;
mod ruts;
mod tower_sessions;
mod tower_sessions_14;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

pub use ours::{Ours, key};
pub use ruts::Ruts;
pub use tower_sessions::TowerSessions;
pub use tower_sessions_14::TowerSessions14;

use crate::Failure;

/// A store with sessions in it.
pub trait Keep: Send + Sync + 'static {
    /// One more session, with the next number.
    fn add(&mut self) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Reads one. Fails if it is not there.
    fn get(&self, session: usize) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Writes one that is there. Stores that take their own kind of record are handed one of the first thousand.
    fn set(&self, session: usize) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// Records that are kept ready to be written.
pub const READY: usize = 1_000;

/// For stores in memory: they only wait for a lock that another thread holds.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
        std::thread::yield_now();
    }
}
