use std::process::Command;

use crate::Result;
use crate::command::{capture, find_program};

/// A program of the nightly toolchain: `cargo`, `rustc`.
///
/// # Errors
/// If there is no such toolchain. The message says how to get one.
pub(crate) fn program(name: &str, arguments: &[&str]) -> Result<Command> {
    let list = || capture(Command::new("rustup").args(["toolchain", "list"]));
    let is_there = || {
        let list = list()?.stdout;
        Ok::<_, Box<dyn std::error::Error>>(list.lines().any(|line| line.starts_with("nightly")))
    };
    if find_program("rustup").is_none() || !is_there()? {
        return Err("this needs a nightly toolchain: rustup toolchain install nightly".into());
    }
    let mut command = Command::new("rustup");
    command
        .args(["run", "nightly", name])
        .args(arguments)
        // Set for us, these would send the other toolchain's cargo to our compiler.
        .env_remove("RUSTUP_TOOLCHAIN")
        .env_remove("CARGO");
    Ok(command)
}
