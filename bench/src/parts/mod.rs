//! What is measured.

mod databases;
mod foreign;
mod growth;
mod http;
mod in_process;
mod memory;
mod race;
mod their_stores;

use std::time::Instant;

use crate::Failure;
use crate::page;
use crate::part::Part;
use crate::results::Results;
use crate::run::Run;

type Measurement = fn(&Run) -> Result<Part, Failure>;

const PARTS: &[(&str, Measurement)] = &[
    ("a", in_process::run),
    ("b", http::run),
    ("c", memory::run),
    ("d", databases::run),
    ("e", growth::run),
];

/// All that is asked for. What was found is written down after each part.
pub fn run(run: &Run) -> Result<(), Failure> {
    let mut results = Results::read(&run.output);
    results.describe();
    for (id, measurement) in PARTS {
        if !run.wants(id) {
            continue;
        }
        let start = Instant::now();
        let mut part = measurement(run)?;
        part.quick = run.is_quick();
        part.seconds = start.elapsed().as_secs_f64().round();
        run.say(&format!("{id}: {} s", part.seconds));
        results.replace(part);
        results.write(&run.output)?;
        page::write(&results, &run.output)?;
    }
    Ok(())
}

/// In a process of its own: one measurement, whose figures go to standard output.
pub fn measure(what: &str, arguments: &[&str]) -> Result<(), Failure> {
    match (what, arguments) {
        ("requests", [subject, sessions, rounds]) => {
            in_process::requests(subject, sessions, rounds)
        }
        ("steps", [subject, sessions, rounds]) => in_process::steps(subject, sessions, rounds),
        ("callgrind", [subject, which, case, requests]) => {
            in_process::callgrind(subject, which, case, requests)
        }
        ("store", [subject, sessions, rounds, pages]) => {
            memory::store(subject, sessions, rounds, pages)
        }
        ("expiry", [subject, sessions, lifetime, expire]) => {
            memory::expiry(subject, sessions, lifetime, expire)
        }
        ("database", [database, operations, rounds]) => {
            databases::operations(database, operations, rounds)
        }
        ("serve", [subject]) => http::serve(subject),
        ("owners", [store, rounds]) => growth::owners(store, rounds),
        ("payload", [store, rounds]) => growth::payload(store, rounds),
        ("traffic", [database]) => databases::traffic(database),
        _ => Err(format!("nothing measures {what} with {arguments:?}").into()),
    }
}
