//! How long store operations take, for whom it may concern.

#[cfg(feature = "metrics")]
pub(crate) use super::metrics::Stopwatch;

/// Nobody wants to know.
#[cfg(not(feature = "metrics"))]
pub(crate) struct Stopwatch;

#[cfg(not(feature = "metrics"))]
impl Stopwatch {
    pub(crate) fn start(_operation: &'static str) -> Self {
        Self
    }

    pub(crate) fn stop(&self, _is_ok: bool) {}
}
