use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::Timestamp;

/// Where the time comes from. Stores and the engine ask it instead of the operating system, so that a test can
/// let a month pass without sleeping.
///
/// Every expiry decision is made with this clock, never with the database server's, so that a server in
/// another time zone or with a wrong clock changes nothing.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The time now. It may step back, as real clocks do.
    fn now(&self) -> Timestamp;

    /// The time now or some milliseconds ago, whichever is quicker to be had. For seeing what has expired; never to be
    /// written down, where it would pass for the time at which something happened. Default: [`now`](Clock::now).
    fn lately(&self) -> Timestamp {
        self.now()
    }
}

/// The operating system's clock. The default everywhere.
///
/// On Linux [`lately`](Clock::lately) is the time as the kernel's timer last left it, `CLOCK_REALTIME_COARSE` of
/// [clock_gettime(2)](https://man7.org/linux/man-pages/man2/clock_gettime.2.html): up to 10 milliseconds behind,
/// mostly up to 4, and several times as fast. A request asks two to four times whether something has expired, and no
/// lifetime is short enough to notice.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[cfg(target_os = "linux")]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        read(rustix::time::ClockId::Realtime)
    }

    fn lately(&self) -> Timestamp {
        read(rustix::time::ClockId::RealtimeCoarse)
    }
}

/// Straight into milliseconds: `SystemTime` takes as long for its subtractions as the system does for reading.
#[cfg(target_os = "linux")]
fn read(clock: rustix::time::ClockId) -> Timestamp {
    let time = rustix::time::clock_gettime(clock);
    let millis = time.tv_nsec / 1_000_000;
    Timestamp::from_millis(time.tv_sec.saturating_mul(1000).saturating_add(millis))
}

#[cfg(not(target_os = "linux"))]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        std::time::SystemTime::now().into()
    }
}

/// A clock that moves only when it is told to. Clones share one time, so one can be given to the store, one to
/// the engine, and one kept by the test.
///
/// ```
/// use cloakroom_store::{Clock, ManualClock, Timestamp};
/// use std::time::Duration;
///
/// let clock = ManualClock::at(Timestamp::from_millis(0));
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now().as_millis(), 60_000);
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock {
    millis: Arc<AtomicI64>,
}

impl ManualClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self {
            millis: Arc::new(AtomicI64::new(now.as_millis())),
        }
    }

    /// A clock that stands at the present time of the operating system's clock.
    #[must_use]
    pub fn starting_now() -> Self {
        Self::at(SystemClock.now())
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        self.set(self.now().plus(by));
    }

    /// Sets the clock, backwards too.
    pub fn set(&self, now: Timestamp) {
        self.millis.store(now.as_millis(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.millis.load(Ordering::SeqCst))
    }
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }

    fn lately(&self) -> Timestamp {
        (**self).lately()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    #[test]
    fn the_systems_clock_is_late_by_a_tick_at_most_and_only_when_that_was_asked_for() {
        // One tick of the slowest kernel, and what the two are rounded by.
        let tick = Duration::from_millis(11);
        let before = Timestamp::from(SystemTime::now());
        let now = SystemClock.now();
        let lately = SystemClock.lately();
        let after = Timestamp::from(SystemTime::now());
        assert!(before <= now && now <= after);
        assert!(before.minus(tick) <= lately && lately <= after);
    }
}
