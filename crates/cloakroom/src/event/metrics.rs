//! Figures through the `metrics` facade: whatever recorder the application installs gets them; without one they
//! cost next to nothing.

use std::future::Future;
use std::time::Instant;

use cloakroom_store::StoreError;

use crate::Event;

/// `cloakroom_events_total`, by event.
pub(super) fn count(event: &Event<'_>) {
    metrics::counter!("cloakroom_events_total", "event" => event.name()).increment(1);
}

/// `cloakroom_store_seconds`, by operation and by whether it failed.
pub(crate) async fn measured<R>(
    operation: &'static str,
    answer: impl Future<Output = Result<R, StoreError>>,
) -> Result<R, StoreError> {
    let began = Instant::now();
    let answer = answer.await;
    let outcome = if answer.is_ok() { "ok" } else { "error" };
    metrics::histogram!("cloakroom_store_seconds", "operation" => operation, "outcome" => outcome)
        .record(began.elapsed().as_secs_f64());
    answer
}
