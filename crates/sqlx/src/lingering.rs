//! Connections whose operation was given up before the server answered.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// For how many time-outs an answer is waited for, and no shorter than for so long.
const TIMEOUTS: u32 = 6;
const AT_LEAST: Duration = Duration::from_secs(30);

/// The time in which so many connections are given up as the pool may have. About after so long, with the usual
/// settings, a system gives up a connection to a machine that is not there any more.
const WINDOW: Duration = Duration::from_secs(15 * 60);

/// After so many times that patience a connection is given up all the same: two servers may vanish within that window.
const PERIODS: u32 = 10;

/// Decides when a connection is closed whose answer nobody waits for any more. A server does not notice that while it
/// waits for a lock: it goes on waiting, and counts the connection. If the pool could open another one at once, then
/// requests behind one locked table would take all connections that the server has. So this one keeps its place in the
/// pool until the server has answered. But a server that vanished never answers, and must not keep the pool; nothing
/// tells the two apart. So after a while it is closed all the same, as many as the pool may have, and for a longer while
/// others only much later.
pub(crate) struct Lingering {
    patience: Duration,
    most: usize,
    /// When connections were closed without an answer, within the window.
    given_up: Mutex<VecDeque<Instant>>,
}

impl Lingering {
    /// `timeout` is that of an operation, and the pool has so many connections at most.
    pub(crate) fn new(timeout: Duration, most: usize) -> Self {
        Self {
            patience: timeout.saturating_mul(TIMEOUTS).max(AT_LEAST),
            most,
            given_up: Mutex::new(VecDeque::new()),
        }
    }

    /// Waits until there is an answer, or for long enough.
    pub(crate) async fn wait(&self, answer: impl Future) {
        let mut answer = pin!(answer);
        for _ in 0..PERIODS {
            let waited = tokio::time::timeout(self.patience, answer.as_mut()).await;
            if waited.is_ok() || self.may_give_up(Instant::now()) {
                return;
            }
        }
    }

    /// Whether one more connection may be closed without an answer.
    fn may_give_up(&self, now: Instant) -> bool {
        let given_up = self.given_up.lock();
        let mut given_up = given_up.unwrap_or_else(PoisonError::into_inner);
        let over = |at: &Instant| now.duration_since(*at) >= WINDOW;
        while given_up.front().is_some_and(over) {
            given_up.pop_front();
        }
        let may = given_up.len() < self.most;
        if may {
            given_up.push_back(now);
        }
        may
    }
}

impl fmt::Debug for Lingering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lingering").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[test]
    fn a_pool_of_connections_is_given_up_in_a_window() {
        let lingering = Lingering::new(Duration::from_secs(5), 3);
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        for second in [0, 1, 2] {
            assert!(lingering.may_give_up(at(second)));
        }
        for second in [2, 30, 899] {
            assert!(!lingering.may_give_up(at(second)));
        }
        assert!(lingering.may_give_up(at(900)));
        assert!(!lingering.may_give_up(at(900)));
        assert!(lingering.may_give_up(at(5_000)));
    }

    #[test]
    fn a_slow_store_is_more_patient() {
        let patience = |seconds| Lingering::new(Duration::from_secs(seconds), 1).patience;
        assert_eq!(patience(1), Duration::from_secs(30));
        assert_eq!(patience(5), Duration::from_secs(30));
        assert_eq!(patience(20), Duration::from_secs(120));
        assert_eq!(patience(u64::MAX), Duration::MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_ends_it_and_so_does_time() {
        let lingering = Lingering::new(Duration::from_secs(5), 1);
        let mut seconds = Vec::new();
        for _ in 0..3 {
            let start = Instant::now();
            lingering.wait(pending::<()>()).await;
            seconds.push(start.elapsed().as_secs());
        }
        assert_eq!(seconds, [30, 300, 300]);
        let start = Instant::now();
        lingering.wait(ready(())).await;
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}
