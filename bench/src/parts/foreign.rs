//! Libraries of other languages: how their servers are built and started.

use std::path::Path;
use std::process::Command;

use crate::Failure;
use crate::run::Run;

/// The names of the server without sessions and of the one with, and their commands.
pub type Pair = ((&'static str, &'static str), Command, Command);

const NODE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/node");
const GO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/go");

pub fn node(run: &Run) -> Result<Pair, Failure> {
    if !run.has_program("npm") {
        return Err("express-session: npm is not installed".into());
    }
    done("express-session", Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(NODE))?;
    let server = |kind: &str| {
        let mut command = Command::new("node");
        command.args(["server.mjs", kind]).current_dir(NODE).env("NODE_ENV", "production");
        command
    };
    Ok((("no sessions (express)", "express-session"), server("bare"), server("sessions")))
}

/// The module comes from Go's proxy, or from the directory in `CLOAKROOM_BENCH_SCS`, a checkout of it.
pub fn go(run: &Run) -> Result<Pair, Failure> {
    if !run.has_program("go") {
        return Err("scs: Go is not installed".into());
    }
    let directory = run.scratch("go")?;
    for file in ["go.mod", "main.go"] {
        std::fs::copy(Path::new(GO).join(file), directory.join(file))?;
    }
    let go = |arguments: &[&str]| {
        let mut command = Command::new("go");
        command.args(arguments).current_dir(&directory);
        command
    };
    if let Some(checkout) = std::env::var_os("CLOAKROOM_BENCH_SCS") {
        let replace = format!("-replace=github.com/alexedwards/scs/v2={}", checkout.to_string_lossy());
        done("scs", &mut go(&["mod", "edit", &replace]))?;
    } else {
        let mut tidy = Command::new("timeout");
        tidy.args(["60", "go", "mod", "tidy"]).current_dir(&directory);
        done("scs: its module cannot be had", &mut tidy)?;
    }
    done("scs", &mut go(&["build", "-o", "server"]))?;
    let server = |kind: &str| {
        let mut command = Command::new(directory.join("server"));
        command.arg(kind);
        command
    };
    Ok((("no sessions (net/http)", "scs"), server("bare"), server("sessions")))
}

fn done(what: &str, command: &mut Command) -> Result<(), Failure> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{what}: {}", said.lines().next_back().unwrap_or("it failed")).into())
}
