use std::time::Duration;

use crate::error::ApiError;

/// How long a request pretends to work between reading and writing: a call to a payment provider, say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Work(Duration);

impl Work {
    const MAX_MILLIS: u64 = 10_000;

    pub(super) fn of_millis(millis: u64) -> Result<Self, ApiError> {
        if millis > Self::MAX_MILLIS {
            let max = Self::MAX_MILLIS;
            return Err(ApiError::bad_request(format!("work_ms is {max} at most")));
        }
        Ok(Self(Duration::from_millis(millis)))
    }

    pub(super) async fn take_its_time(self) {
        // A sleep of no time would still wait for the timer's next tick.
        if !self.0.is_zero() {
            tokio::time::sleep(self.0).await;
        }
    }
}
