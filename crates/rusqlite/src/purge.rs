use std::time::{Duration, Instant};

/// Between two batches of one purge, so that it never keeps others from writing for long.
const PAUSE: Duration = Duration::from_millis(20);

/// When and how expired rows are removed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PurgePlan {
    /// `None`: never by itself.
    pub(crate) interval: Option<Duration>,
    pub(crate) batch: u32,
}

impl Default for PurgePlan {
    fn default() -> Self {
        Self {
            interval: Some(Duration::from_secs(60)),
            batch: 500,
        }
    }
}

impl PurgePlan {
    /// The first time. Instances that started together do not stay in step: this wait is any part of the
    /// interval, the others are half of it to one and a half.
    pub(crate) fn first(&self, now: Instant) -> Option<Instant> {
        now.checked_add(self.interval?.mul_f64(fastrand::f64()))
    }

    /// The next time, after this batch.
    pub(crate) fn next(&self, now: Instant, purged: Purged) -> Option<Instant> {
        let interval = self.interval?;
        let wait = match purged.most() < u64::from(self.batch) {
            true => interval.mul_f64(0.5 + fastrand::f64()),
            false => PAUSE,
        };
        now.checked_add(wait)
    }
}

/// What one batch removed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Purged {
    pub(crate) sessions: u64,
    pub(crate) trails: u64,
}

impl Purged {
    /// The larger of the two: whether there may be more.
    pub(crate) fn most(self) -> u64 {
        self.sessions.max(self.trails)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_batch_is_followed_by_another_one_soon() {
        let plan = PurgePlan {
            interval: Some(Duration::from_secs(60)),
            batch: 10,
        };
        let now = Instant::now();
        let purged = |sessions, trails| Purged { sessions, trails };
        assert_eq!(plan.next(now, purged(10, 0)), Some(now + PAUSE));
        assert_eq!(plan.next(now, purged(0, 10)), Some(now + PAUSE));
        let wait = plan.next(now, purged(9, 9)).unwrap() - now;
        assert!((30..=90).contains(&wait.as_secs()));
        assert!(plan.first(now).unwrap() - now <= Duration::from_secs(60));
    }

    #[test]
    fn without_an_interval_it_never_comes() {
        let plan = PurgePlan {
            interval: None,
            batch: 10,
        };
        assert_eq!(plan.first(Instant::now()), None);
        assert_eq!(plan.next(Instant::now(), Purged::default()), None);
    }
}
