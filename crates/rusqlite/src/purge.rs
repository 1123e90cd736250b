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

    /// The next time, after a batch that removed so many.
    pub(crate) fn next(&self, now: Instant, removed: u64) -> Option<Instant> {
        let interval = self.interval?;
        let wait = match removed < u64::from(self.batch) {
            true => interval.mul_f64(0.5 + fastrand::f64()),
            false => PAUSE,
        };
        now.checked_add(wait)
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
        assert_eq!(plan.next(now, 10), Some(now + PAUSE));
        let wait = plan.next(now, 9).unwrap() - now;
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
        assert_eq!(plan.next(Instant::now(), 10), None);
    }
}
