use std::sync::atomic::{AtomicU64, Ordering};

use cloakroom::{Clock, SystemClock};

/// When something happened: before everything with a higher tick. The milliseconds are for expiry, and for
/// readers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) tick: u64,
    pub(crate) millis: i64,
}

/// Counts moments: one counter for all clients, which never steps back.
#[derive(Debug, Default)]
pub(crate) struct Stopwatch {
    ticks: AtomicU64,
}

impl Stopwatch {
    pub(crate) fn now(&self) -> Moment {
        // The tick lies between whatever this thread did before and does next, and so does the time.
        let tick = self.ticks.fetch_add(1, Ordering::SeqCst) + 1;
        Moment {
            tick,
            millis: SystemClock.now().as_millis(),
        }
    }
}
