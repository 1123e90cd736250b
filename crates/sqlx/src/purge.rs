use std::sync::Weak;
use std::time::Duration;

use tokio::task::AbortHandle;

use crate::dialect::Engine;
use crate::operations::Inner;

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

/// The task that purges. It ends when this is dropped, with the last clone of the store.
#[derive(Debug)]
pub(crate) struct Purger {
    task: Option<AbortHandle>,
    batch: u32,
}

impl Purger {
    /// Starts the task on the current runtime.
    pub(crate) fn start<DB: Engine>(plan: PurgePlan, store: Weak<Inner<DB>>) -> Self {
        let task = plan
            .interval
            .map(|interval| tokio::spawn(run(store, interval, plan.batch)).abort_handle());
        Self {
            task,
            batch: plan.batch,
        }
    }

    pub(crate) fn batch(&self) -> u32 {
        self.batch
    }
}

impl Drop for Purger {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn run<DB: Engine>(store: Weak<Inner<DB>>, interval: Duration, batch: u32) {
    // Instances that started together do not stay in step: the first wait is any part of the interval, the
    // others half of it to one and a half.
    let mut wait = interval.mul_f64(fastrand::f64());
    loop {
        tokio::time::sleep(wait).await;
        wait = interval.mul_f64(0.5 + fastrand::f64());
        let mut removed = 0;
        loop {
            // The store is held for one batch at a time, so that this task does not keep it alive.
            let Some(store) = store.upgrade() else {
                return;
            };
            match store.purge_batch(batch).await {
                Ok(purged) => {
                    removed += purged.sessions;
                    if purged.most < u64::from(batch) {
                        break;
                    }
                }
                Err(error) => {
                    let reason = std::error::Error::source(&error).map(tracing::field::display);
                    tracing::warn!(
                        reason,
                        "purging expired sessions failed; it will be tried again"
                    );
                    break;
                }
            }
            drop(store);
            tokio::time::sleep(PAUSE).await;
        }
        if removed > 0 {
            tracing::debug!(removed, "expired sessions were purged");
        }
    }
}
