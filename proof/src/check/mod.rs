//! Is there an order in which one session, doing one thing at a time, would have answered the same?
//!
//! - `family`, `draft`, `owners`: the history of all sessions, split into those of one session and what it was
//!   rotated to.
//! - `step`: one operation as it concerns one session.
//! - `model`: what a session may answer, and what becomes of it.
//! - `search`: the order (Wing and Gong's search; the states that led nowhere are remembered, as Lowe does).
//! - `counterexample`, `verdict`: what to tell when there is none.

mod counterexample;
mod draft;
mod family;
mod model;
mod owners;
mod renewed;
mod search;
mod step;
#[cfg(test)]
mod tests;
mod verdict;

pub use verdict::Verdict;

pub(crate) use counterexample::{Counterexample, judge};
pub(crate) use family::{Rules, families};
pub(crate) use model::Model;
