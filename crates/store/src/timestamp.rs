use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A moment: whole milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
///
/// Signed 64 bits reach 292 million years either way, so neither 2038 nor any date that a configuration can
/// name is a limit. Arithmetic saturates; nothing wraps around.
///
/// ```
/// use cloakroom_store::Timestamp;
/// use std::time::Duration;
///
/// let start = Timestamp::from_millis(1_000);
/// assert_eq!(start.plus(Duration::from_secs(2)).as_millis(), 3_000);
/// assert_eq!(start.since(Timestamp::from_millis(5_000)), Duration::ZERO);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest moment that can be written down.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest moment that can be written down.
    pub const MAX: Self = Self(i64::MAX);

    /// From milliseconds since the Unix epoch; negative before it.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch; negative before it.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// This moment and `duration` later, rounded down to milliseconds, [`Timestamp::MAX`] at most.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }

    /// This moment and `duration` earlier, [`Timestamp::MIN`] at least.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis(duration)))
    }

    /// How long after `earlier` this is; zero if it is not after it, as when a clock was set back.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        if self.0 <= earlier.0 {
            return Duration::ZERO;
        }
        Duration::from_millis(self.0.abs_diff(earlier.0))
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self(millis(after)),
            Err(before) => Self(-millis(before.duration())),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}

fn millis(duration: Duration) -> i64 {
    // Not `as_millis`, whose 128 bits nobody needs: this is computed several times in a request.
    let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    let millis = i64::from(duration.subsec_millis());
    seconds.saturating_mul(1000).saturating_add(millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_instead_of_wrapping() {
        assert_eq!(Timestamp::MAX.plus(Duration::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.minus(Duration::MAX), Timestamp::MIN);
        assert_eq!(
            Timestamp::MAX.since(Timestamp::MIN),
            Duration::from_millis(u64::MAX)
        );
        assert_eq!(Timestamp::MIN.since(Timestamp::MAX), Duration::ZERO);
    }

    #[test]
    fn system_times_before_and_after_the_epoch() {
        let after = UNIX_EPOCH + Duration::from_millis(1_500);
        let before = UNIX_EPOCH - Duration::from_millis(1_500);
        assert_eq!(Timestamp::from(after).as_millis(), 1_500);
        assert_eq!(Timestamp::from(before).as_millis(), -1_500);
    }
}
