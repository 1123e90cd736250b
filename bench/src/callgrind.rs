//! Runs a measurement under callgrind and reads what it counted.

use std::process::{Command, Stdio};

use crate::Failure;
use crate::run::Run;

/// The instructions inside `measured_exchange`.
pub fn total(run: &Run, arguments: &[&str]) -> Result<u64, Failure> {
    let file = run.scratch("callgrind")?.join("profile");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet", "--collect-atstart=no"])
        .arg("--toggle-collect=*measured_exchange*")
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(std::env::current_exe()?)
        .args(["measure", "callgrind"])
        .args(arguments)
        .stdin(Stdio::null())
        .output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("valgrind {arguments:?}: {said}").into());
    }
    let profile = std::fs::read_to_string(&file)?;
    let total = profile.lines().find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok());
    total.ok_or_else(|| format!("{}: no total", file.display()).into())
}
