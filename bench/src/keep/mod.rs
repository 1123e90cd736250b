//! The stores alone, without requests: sessions by number.

mod contestant;
mod ours;
mod ruts;
mod tower_sessions;
mod tower_sessions_14;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

pub use contestant::Keep;
pub use ours::{Ours, key};
pub use ruts::Ruts;
pub use tower_sessions::TowerSessions;
pub use tower_sessions_14::TowerSessions14;

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
