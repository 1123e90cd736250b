use std::time::Duration;

use crate::Timestamp;

/// When a session began, was last seen, and ends.
///
/// The end is not a field of its own: [`expires_at`](Times::expires_at) follows from the others. A store that
/// indexes expiry stores what it answers beside them.
///
/// ```
/// use cloakroom_store::{Timestamp, Times};
/// use std::time::Duration;
///
/// let now = Timestamp::from_millis(0);
/// let mut times = Times::starting(now);
/// assert_eq!(times.expires_at(), None);
///
/// times.ends_at = Some(now.plus(Duration::from_secs(3600)));
/// times.idle_timeout = Some(Duration::from_secs(60));
/// assert_eq!(times.expires_at(), Some(now.plus(Duration::from_secs(60))));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Times {
    /// When the session began. A rotation does not change it.
    pub created_at: Timestamp,
    /// When its user last proved who they are; `None` for a session nobody has signed in to.
    pub authenticated_at: Option<Timestamp>,
    /// When it got the id that it has: at first when it began, later with each rotation.
    pub renewed_at: Timestamp,
    /// When a request last used it, within the accuracy of the throttled touch.
    pub last_seen_at: Timestamp,
    /// The absolute end, whatever happens; `None` for no limit.
    pub ends_at: Option<Timestamp>,
    /// How long the session may lie unused; `None` for any time. Stored to the millisecond.
    pub idle_timeout: Option<Duration>,
}

impl Times {
    /// A session that begins now and never ends by itself.
    #[must_use]
    pub const fn starting(now: Timestamp) -> Self {
        Self {
            created_at: now,
            authenticated_at: None,
            renewed_at: now,
            last_seen_at: now,
            ends_at: None,
            idle_timeout: None,
        }
    }

    /// When the session ends if nobody uses it again: the absolute end or the idle one, whichever comes
    /// first. `None` if neither is set.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        let idle = self.idle_timeout.map(|idle| self.last_seen_at.plus(idle));
        match (self.ends_at, idle) {
            (Some(end), Some(idle)) => Some(end.min(idle)),
            (end, idle) => end.or(idle),
        }
    }

    /// Whether the session is over at `now`. The end itself is over: a session of ten seconds is dead
    /// ten seconds after it began.
    #[must_use]
    pub fn expired_at(&self, now: Timestamp) -> bool {
        self.expires_at().is_some_and(|end| end <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earlier_of_the_two_ends_counts() {
        let mut times = Times::starting(Timestamp::from_millis(0));
        times.ends_at = Some(Timestamp::from_millis(100));
        times.idle_timeout = Some(Duration::from_millis(40));
        assert!(!times.expired_at(Timestamp::from_millis(39)));
        assert!(times.expired_at(Timestamp::from_millis(40)));

        times.last_seen_at = Timestamp::from_millis(90);
        assert!(!times.expired_at(Timestamp::from_millis(99)));
        assert!(times.expired_at(Timestamp::from_millis(100)));
    }

    #[test]
    fn a_far_idle_timeout_does_not_wrap_into_the_past() {
        let mut times = Times::starting(Timestamp::from_millis(i64::MAX - 1));
        times.idle_timeout = Some(Duration::MAX);
        assert!(!times.expired_at(Timestamp::from_millis(i64::MAX - 1)));
    }
}
