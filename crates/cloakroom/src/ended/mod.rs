//! Waiting for the end of a session: for websockets and event streams, which outlive the request that opened them.

mod future;
mod watchers;

pub use future::Ended;
pub(crate) use future::wait;
pub(crate) use watchers::{Watcher, Watchers};
