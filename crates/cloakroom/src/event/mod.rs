//! What happened, for whom it may concern: the application's hook, `tracing`, and figures.

mod hook;
mod kind;
mod log;
#[cfg(feature = "metrics")]
mod metrics;

pub(crate) use hook::Events;
pub use kind::Event;
#[cfg(feature = "metrics")]
pub(crate) use metrics::measured;
