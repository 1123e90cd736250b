use std::time::Duration;

use cloakroom_store::{Times, Timestamp};

/// Gives sessions in use a fresh id now and then, so that a copied cookie is not good for long, and tells when two
/// use one session. See [`SessionsBuilder::renew_ids`](crate::SessionsBuilder::renew_ids).
///
/// ```
/// use cloakroom::RenewIds;
/// use std::time::Duration;
///
/// let hourly = RenewIds::every(Duration::from_secs(3600)).grace(Duration::from_secs(30));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "nothing is renewed until it is handed to `renew_ids`"]
pub struct RenewIds {
    pub(crate) every: Duration,
    pub(crate) grace: Duration,
    pub(crate) remember: Duration,
}

impl RenewIds {
    /// A fresh id with the first request that uses the session after this time.
    pub const fn every(every: Duration) -> Self {
        Self {
            every,
            grace: Duration::from_secs(60),
            remember: Duration::from_secs(7 * 24 * 60 * 60),
        }
    }

    /// How long the old id finds the session, for requests in flight. Default: one minute.
    pub const fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// How long an old id is recognized: what uses it after the grace is a copy, and the session ends. Later
    /// than this it is an id like any unknown one: a sign-out by a request that took longer finds nothing to end, so let it
    /// be no shorter than requests may take. Costs a small entry in the store for each renewal. Default: 7 days.
    pub const fn remember(mut self, remember: Duration) -> Self {
        self.remember = remember;
        self
    }

    pub(crate) fn due(&self, times: &Times, now: Timestamp) -> bool {
        now.since(times.renewed_at) >= self.every
    }

    pub(crate) fn in_grace(&self, left_at: Timestamp, now: Timestamp) -> bool {
        now.since(left_at) <= self.grace
    }
}

/// Whether nobody has used the session under its newest id yet: the response that carried it may have been lost.
pub(crate) fn is_unconfirmed(times: &Times) -> bool {
    times.renewed_at > times.created_at && times.last_seen_at <= times.renewed_at
}

/// When a session that is used under its newest id was last seen. Later than the renewal, whatever the clock
/// says: that is how it is known to be confirmed, and stays so if the next request is served where the clock is slow.
pub(crate) fn seen(times: &Times, now: Timestamp) -> Timestamp {
    if times.renewed_at > times.created_at {
        now.max(times.renewed_at.plus(Duration::from_millis(1)))
    } else {
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renewed_session_is_confirmed_by_its_next_use_even_if_the_clock_stands_still() {
        let now = Timestamp::from_millis(1_000);
        let mut times = Times::starting(Timestamp::from_millis(0));
        assert!(!is_unconfirmed(&times), "it was never renewed");
        times.renewed_at = now;
        times.last_seen_at = now;
        assert!(is_unconfirmed(&times));
        for _ in 0..2 {
            times.last_seen_at = seen(&times, now.minus(Duration::from_secs(9)));
            assert!(!is_unconfirmed(&times));
        }
    }
}
