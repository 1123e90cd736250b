//! Drives Cloakroom's engine and stores with many clients at once while servers and applications are killed, paused
//! and cut off, writes down what was asked and what was answered, and looks for an order of it that a session which
//! does one thing at a time would have answered with. If there is none, it tells why.
//!
//! - [`run`]: on a store of [`StoreKind`], with faults; what came of it is a [`Report`].
//! - [`run_here`]: on any other store, in this process.
//! - [`serve`]: what the program does as an application that is killed.
//!
//! `README.md` says what is checked, how, and what came of it.

mod app;
mod check;
mod clients;
mod history;
mod note;
mod plan;
mod report;
mod round;
mod run;
mod stages;

pub use app::{Ids, serve};
pub use check::Verdict;
pub use note::Note;
pub use plan::Plan;
pub use report::{Report, table};
pub use run::{run, run_here};
pub use stages::StoreKind;
