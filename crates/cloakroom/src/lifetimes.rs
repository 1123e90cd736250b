use std::time::Duration;

use cloakroom_store::{Times, Timestamp};

/// How long sessions last, as configured or overridden for one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lifetimes {
    /// From creation; `None` for no limit.
    pub(crate) max_age: Option<Duration>,
    /// From the last request; `None` for no limit.
    pub(crate) idle_timeout: Option<Duration>,
    /// The cookie goes when the browser closes.
    pub(crate) browser_session: bool,
}

impl Lifetimes {
    pub(crate) const DEFAULT: Self = Self {
        max_age: Some(Duration::from_secs(30 * 24 * 60 * 60)),
        idle_timeout: None,
        browser_session: false,
    };

    pub(crate) fn times(&self, now: Timestamp) -> Times {
        let mut times = Times::starting(now);
        times.ends_at = self.max_age.map(|max_age| now.plus(max_age));
        times.idle_timeout = self.idle_timeout;
        times
    }

    /// What the cookie's `Max-Age` is to be when the session begins. `None` for a cookie that goes with the browser.
    pub(crate) fn cookie_max_age(&self) -> Option<Duration> {
        let began = Timestamp::from_millis(0);
        cookie_max_age(&self.times(began), self.browser_session, began)
    }
}

/// Zero means no limit, as the specification has it.
pub(crate) fn limit(duration: Duration) -> Option<Duration> {
    (!duration.is_zero()).then_some(duration)
}

/// Whether to note that the session was used. Not with every request: once a minute, or once in a tenth of the
/// time-out if that is shorter, so that the idle end is at most that much early.
pub(crate) fn touch_due(times: &Times, now: Timestamp) -> bool {
    const MINUTE: Duration = Duration::from_secs(60);
    let pause = times
        .idle_timeout
        .map_or(MINUTE, |idle| MINUTE.min(idle / 10));
    now.since(times.last_seen_at) >= pause.max(Duration::from_millis(1))
}

/// What the cookie's `Max-Age` is to be: what is left of the session, however long it lies unused. `None` for
/// a cookie that goes with the browser.
pub(crate) fn cookie_max_age(
    times: &Times,
    browser_session: bool,
    now: Timestamp,
) -> Option<Duration> {
    if browser_session {
        return None;
    }
    Some(times.ends_at.map_or(Duration::MAX, |end| end.since(now)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_000_000);

    fn idle(timeout: Duration) -> Times {
        let mut times = Times::starting(START);
        times.idle_timeout = Some(timeout);
        times
    }

    #[test]
    fn a_touch_is_due_once_a_minute_or_tenth_of_the_timeout() {
        let half_an_hour = idle(Duration::from_secs(1_800));
        assert!(!touch_due(
            &half_an_hour,
            START.plus(Duration::from_millis(59_999))
        ));
        assert!(touch_due(
            &half_an_hour,
            START.plus(Duration::from_secs(60))
        ));

        let ten_seconds = idle(Duration::from_secs(10));
        assert!(!touch_due(
            &ten_seconds,
            START.plus(Duration::from_millis(999))
        ));
        assert!(touch_due(&ten_seconds, START.plus(Duration::from_secs(1))));
    }

    #[test]
    fn without_an_idle_timeout_it_is_once_a_minute_and_never_with_a_clock_set_back() {
        let far = START.plus(Duration::from_secs(1_000_000));
        assert!(touch_due(&Times::starting(START), far));
        let times = idle(Duration::from_secs(10));
        assert!(!touch_due(&times, START.minus(Duration::from_secs(1_000))));
    }

    #[test]
    fn the_cookie_mirrors_the_absolute_end() {
        let mut times = idle(Duration::from_secs(10));
        times.ends_at = Some(START.plus(Duration::from_secs(100)));
        let now = START.plus(Duration::from_secs(40));
        assert_eq!(
            cookie_max_age(&times, false, now),
            Some(Duration::from_secs(60))
        );
        assert_eq!(cookie_max_age(&times, true, now), None);
        times.ends_at = None;
        assert_eq!(cookie_max_age(&times, false, now), Some(Duration::MAX));
    }
}
