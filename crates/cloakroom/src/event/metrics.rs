//! Figures through the `metrics` facade: whatever recorder the application installs gets them; without one they
//! cost next to nothing.

use std::time::Instant;

use crate::Event;

/// `cloakroom_events_total`, by event.
pub(super) fn count(event: &Event<'_>) {
    metrics::counter!("cloakroom_events_total", "event" => event.name()).increment(1);
}

/// Takes the time of one store operation.
pub(crate) struct Stopwatch {
    operation: &'static str,
    started: Instant,
}

impl Stopwatch {
    pub(crate) fn start(operation: &'static str) -> Self {
        Self {
            operation,
            started: Instant::now(),
        }
    }

    /// `cloakroom_store_seconds`, by operation and by whether it failed.
    pub(crate) fn stop(&self, is_ok: bool) {
        let outcome = if is_ok { "ok" } else { "error" };
        let labels = [("operation", self.operation), ("outcome", outcome)];
        metrics::histogram!("cloakroom_store_seconds", &labels)
            .record(self.started.elapsed().as_secs_f64());
    }
}
