//! Fuzzing: builds the targets in `fuzz` as cargo-fuzz does, and runs each for a while.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Result;
use crate::command::{Finished, capture, run as run_command};
use crate::house::House;
use crate::nightly;

/// What libFuzzer needs of the compiler: its counters at every edge, what is compared, and AddressSanitizer.
const FLAGS: &[&str] = &[
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Zsanitizer=address",
    "-Ccodegen-units=1",
];

/// Whether no target found anything. What one found lies in `target/fuzz/found`.
pub(crate) fn run(house: &House, seconds: u32) -> Result<bool> {
    let work = house.root().join("target/fuzz");
    let programs = build(house, &work)?;
    let found = work.join("found");
    fs::create_dir_all(&found)?;
    let mut lines = Vec::new();
    for target in targets(house)? {
        println!("{target}, {seconds} s");
        let kept = house.root().join("fuzz/corpus").join(&target);
        let grown = work.join("corpus").join(&target);
        fs::create_dir_all(&grown)?;
        let mut fuzzer = Command::new(programs.join(&target));
        fuzzer
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-artifact_prefix={}/{target}-", found.display()))
            .args(["-max_len=20000", "-timeout=10", "-print_final_stats=1"])
            .arg(&grown)
            .arg(&kept)
            .current_dir(house.root());
        let finished = capture(&mut fuzzer)?;
        if !finished.success {
            println!("{}", finished.stderr);
        }
        lines.push(Line::of(target, &finished));
    }
    println!("\n{}", table(&lines));
    if lines.iter().any(|line| line.failed) {
        println!("what it was is in {}", found.display());
    }
    Ok(!lines.iter().any(|line| line.failed))
}

/// The directory with the programs.
fn build(house: &House, work: &Path) -> Result<std::path::PathBuf> {
    let version = capture(&mut nightly::program("rustc", &["-vV"])?)?.stdout;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.ok_or("rustc -vV names no host")?;
    let arguments = ["build", "--release", "--target", host, "--manifest-path"];
    let mut cargo = nightly::program("cargo", &arguments)?;
    cargo
        .arg(house.root().join("fuzz/Cargo.toml"))
        .env("CARGO_TARGET_DIR", work)
        .env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"));
    if !run_command(&mut cargo)? {
        return Err("the fuzz targets did not build, see above".into());
    }
    Ok(work.join(host).join("release"))
}

/// By the name of their files.
fn targets(house: &House) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for file in fs::read_dir(house.root().join("fuzz/fuzz_targets"))? {
        let path = file?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        names.push(name.into_owned());
    }
    names.sort();
    Ok(names)
}

#[derive(Debug, PartialEq, Eq)]
struct Line {
    target: String,
    executions: u64,
    failed: bool,
}

impl Line {
    /// By what libFuzzer says at the end.
    fn of(target: String, finished: &Finished) -> Self {
        let number = |line: &str| {
            line.strip_prefix("stat::number_of_executed_units:")?
                .trim()
                .parse()
                .ok()
        };
        let executions = finished.stderr.lines().find_map(number).unwrap_or(0);
        Self {
            target,
            executions,
            // Nothing executed is nothing shown.
            failed: !finished.success || executions == 0,
        }
    }
}

fn table(lines: &[Line]) -> String {
    let line = |line: &Line| {
        let verdict = if line.failed { "FAILED" } else { "ok" };
        format!(
            "{:<16} {:>12} executions  {verdict}\n",
            line.target, line.executions
        )
    };
    lines.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(success: bool, stderr: &str) -> Line {
        let finished = Finished {
            success,
            stdout: String::new(),
            stderr: stderr.to_owned(),
        };
        Line::of("names".to_owned(), &finished)
    }

    #[test]
    fn a_run_without_executions_or_with_a_crash_failed() {
        let stats = "Done 12 runs in 1 second(s)\nstat::number_of_executed_units: 12\n";
        assert_eq!(
            (line(true, stats).executions, line(true, stats).failed),
            (12, false)
        );
        assert!(line(false, stats).failed);
        assert!(line(true, "").failed);
        assert!(table(&[line(true, stats)]).contains("12 executions  ok"));
    }
}
