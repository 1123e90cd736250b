//! The project's own commands, behind `cargo xtask`: one test command that installs what it needs, runs every
//! check and ends with a line of totals.
//!
//! - [`args`]: what was asked for.
//! - [`install`]: what the chosen steps need, and how it gets here.
//! - [`steps`]: the table of steps, one file for each.
//! - [`house`], [`package`]: the workspace as cargo describes it.
//! - [`command`], [`outcome`], [`totals`], [`report`]: running a step, and what came of it.

// A command's output is its purpose.
#![allow(clippy::print_stdout)]

mod args;
mod command;
mod house;
mod install;
mod outcome;
mod package;
mod report;
mod steps;
mod totals;

use std::error::Error;
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
            println!("{}", args::help());
            Ok(true)
        }
        Request::Test(selection) => test(&selection),
        Request::Proof(options) => proof(&options),
    }
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
