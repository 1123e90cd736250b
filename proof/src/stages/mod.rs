//! The stores under test, and what is done to them.

mod fault;
mod kind;
mod proxy;
mod schedule;
mod stage;

pub use kind::StoreKind;

pub(crate) use schedule::Schedule;
pub(crate) use stage::Stage;
