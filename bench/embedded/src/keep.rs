//! What is kept, as the other stores of the benchmark keep it.

#[path = "../../src/keep/contestant.rs"]
mod contestant;
#[path = "../../src/keep/ours.rs"]
mod ours;

pub use contestant::Keep;
pub use ours::Ours;
