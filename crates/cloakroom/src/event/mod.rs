//! What happened, for whom it may concern: the application's hook, `tracing`, and figures.

mod hook;
mod kind;
mod log;
#[cfg(feature = "metrics")]
mod metrics;
mod stopwatch;

pub(crate) use hook::Events;
pub use kind::Event;
pub(crate) use stopwatch::Stopwatch;
