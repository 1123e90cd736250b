//! What is measured.

pub mod in_process;

use crate::Failure;

/// In a process of its own: one measurement, whose figures go to standard output.
pub fn measure(what: &str, arguments: &[&str]) -> Result<(), Failure> {
    match (what, arguments) {
        ("requests", [subject, sessions, rounds]) => {
            in_process::requests(subject, sessions, rounds)
        }
        ("steps", [subject, sessions, rounds]) => in_process::steps(subject, sessions, rounds),
        ("callgrind", [subject, sessions, rounds]) => {
            in_process::callgrind(subject, sessions, rounds)
        }
        _ => Err(format!("nothing measures {what} with {arguments:?}").into()),
    }
}
