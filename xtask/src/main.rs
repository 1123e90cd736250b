//! The project's own commands, behind `cargo xtask`: one test command that installs what it needs, runs every
//! check and ends with a line of totals.
//!
//! - [`args`]: what was asked for.
//! - [`install`]: what the chosen steps need, and how it gets here.
//! - [`steps`]: the table of steps, one file for each.
//! - [`fuzz`]: the long run of the fuzz targets.
//! - [`long`]: checks that take minutes, a command each; [`nightly`]: the toolchain that some of them need.
//! - [`mod@bench`], [`mod@guard`]: what is measured, and what is not to grow.
//! - [`house`], [`package`]: the workspace as cargo describes it.
//! - [`command`], [`outcome`], [`totals`], [`report`]: running a step, and what came of it.

// A command's output is its purpose.
#![allow(clippy::print_stdout)]

mod args;
mod bench;
mod command;
mod fuzz;
mod guard;
mod house;
mod install;
mod long;
mod nightly;
mod outcome;
mod package;
mod report;
mod steps;
mod totals;

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use args::Request;
use house::House;
use outcome::{Outcome, Verdict};
use report::Line;

/// Every error ends the command or the step and is only ever shown, so its type does not matter.
type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether everything passed.
fn run() -> Result<bool> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match Request::parse(&arguments, &steps::names())? {
        Request::Help => {
            // Whoever pipes it into `head` has seen enough.
            let _ = writeln!(std::io::stdout(), "{}", args::help());
            Ok(true)
        }
        Request::Test(selection) => test(&selection),
        Request::Long(name) => long::run(&House::open(false)?, name),
        Request::Fuzz(seconds) => fuzz::run(&House::open(false)?, seconds),
        Request::Guard { update } => guard(update),
        Request::Bench(arguments) => bench::run(&House::open(false)?, &arguments),
        Request::Proof(options) => proof(&options),
    }
}

/// The step of that name, or the file that it reads, written anew.
fn guard(update: bool) -> Result<bool> {
    if !update {
        let names = vec!["guard".to_owned()];
        return test(&args::Selection::Only {
            names,
            quick: false,
        });
    }
    let house = House::open(false)?;
    install::install(&house, [install::Need::Valgrind].into_iter())?;
    let figures = guard::measure(&house)?;
    std::fs::write(guard::file(&house), figures.to_string())?;
    Ok(true)
}

fn test(selection: &args::Selection) -> Result<bool> {
    let house = House::open(selection.quick())?;
    let chosen = steps::chosen(selection);
    // With `--quick` the tests start no server, so nothing is installed for them.
    let needs = chosen
        .iter()
        .flat_map(|step| step.needs_for(selection.quick()));
    let installed = Line::of("install", || {
        install::install(&house, needs).map(Outcome::passed)
    });
    let mut lines = vec![installed];
    // Nothing can be said of the rest while their tools are missing.
    if lines[0].outcome.verdict == Verdict::Passed {
        lines.extend(steps::run(&house, &chosen));
    }
    let totals = report::totals(&lines);
    println!("\n{}\n{totals}", report::table(&lines));
    Ok(totals.all_passed())
}

/// The long run of the proof. Optimised: it is to ask as much as it can.
fn proof(options: &[String]) -> Result<bool> {
    let house = House::open(false)?;
    install::install(&house, install::Need::SERVERS.iter().copied())?;
    let mut run = house.cargo(&[
        "run",
        "--release",
        "--quiet",
        "--package",
        "cloakroom-proof",
        "--",
    ]);
    command::run(run.args(options))
}
