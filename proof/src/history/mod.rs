//! What was asked and what was answered.

mod moment;
mod op;
mod show;

pub(crate) use moment::{Moment, Stopwatch};
pub(crate) use op::{Answer, Call, Op, Value};
pub(crate) use show::short;
