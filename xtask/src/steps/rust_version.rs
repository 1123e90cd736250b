use std::process::Command;

use crate::Result;
use crate::command::{capture, find_program, run as run_command};
use crate::house::House;
use crate::outcome::Outcome;

/// Checks with exactly the release that the manifests promise: the running one, or one that rustup has.
pub(crate) fn run(house: &House) -> Result<Outcome> {
    let mut promised: Vec<&str> = house
        .publishable()
        .filter_map(|package| package.rust_version.as_deref())
        .collect();
    promised.sort_unstable();
    promised.dedup();
    let [promised] = promised[..] else {
        return Ok(Outcome::failed(format!(
            "not one rust-version but {promised:?}"
        )));
    };
    let Some(mut check) = cargo_of(house, promised)? else {
        let command = format!("rustup toolchain install {promised}");
        return Ok(Outcome::not_run(format!(
            "Rust {promised} is not here: {command}"
        )));
    };
    check.args(["check", "--all-features"]);
    for package in house.publishable() {
        check.args(["--package", &package.name]);
    }
    Ok(match run_command(&mut check)? {
        true => Outcome::passed(format!("Rust {promised}")),
        false => Outcome::failed(format!("does not build with Rust {promised}, see above")),
    })
}

/// The cargo of that release; `None` if it is not installed.
fn cargo_of(house: &House, release: &str) -> Result<Option<Command>> {
    let running = capture(&mut house.cargo(&["--version"]))?.stdout;
    if is_release(running.trim_start_matches("cargo "), release) {
        return Ok(Some(house.cargo(&[])));
    }
    if find_program("rustup").is_none() {
        return Ok(None);
    }
    let list = capture(Command::new("rustup").args(["toolchain", "list"]))?.stdout;
    Ok(list
        .lines()
        .find(|line| is_release(line, release))
        .map(|line| {
            let toolchain = line.split(' ').next().unwrap_or(line);
            let mut command = Command::new("rustup");
            command
                .args(["run", toolchain, "cargo"])
                .current_dir(house.root());
            // Set for us, these would send the other toolchain's cargo to our compiler.
            command.env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO");
            command
        }))
}

/// Whether a version or the name of a toolchain is that release: `1.95.0 (hash)`, `1.95.0-x86_64-…`, for `1.95`.
fn is_release(version: &str, release: &str) -> bool {
    let rest = version.strip_prefix(release);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', ' ']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_promised_release_counts() {
        assert!(is_release("1.95.0 (f2d3ce0bd 2026-03-21)", "1.95"));
        assert!(is_release(
            "1.95.0-x86_64-unknown-linux-gnu (default)",
            "1.95"
        ));
        assert!(is_release("1.95-x86_64-unknown-linux-gnu", "1.95"));
        assert!(!is_release("1.96.0", "1.95"));
        assert!(!is_release("1.9.0", "1.95"));
        assert!(!is_release("1.950.0", "1.95"));
        assert!(!is_release("stable-x86_64-unknown-linux-gnu", "1.95"));
    }
}
