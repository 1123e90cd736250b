//! The application: Cloakroom's engine over a store, asked by clients one verb at a time. It runs in this process,
//! or as a process of its own that can be killed.

mod application;
mod child;
mod ids;
mod link;
mod open;
mod process;
mod wire;

pub use ids::Ids;
pub use process::serve;

pub(crate) use application::Application;
pub(crate) use child::Child;
pub(crate) use link::{Link, Lost};
pub(crate) use wire::{Outcome, Reply, Verb, Written};

/// After how long an id is renewed, if ids are. Sessions of a run seldom live longer than a few of these, and eight of
/// them are longer than ending all others takes: more renewals than that in between it does not allow for.
pub(crate) const RENEWAL: std::time::Duration = std::time::Duration::from_millis(50);

/// How long a session may lie unused. Short, so that sessions expire during a run; a touch is due after a tenth.
pub(crate) const IDLE_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(4);
