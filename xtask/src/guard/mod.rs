//! What a request costs in instructions and allocations, compared with figures kept in the repository.
//!
//! Callgrind counts, so nothing is timed and the machine's speed does not matter. What does matter is the compiler:
//! the figures are of one release, and with another one nothing is compared.

mod cost;
mod figures;
mod profile;

pub(crate) use cost::Cost;
pub(crate) use figures::Figures;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::command::{capture, run as run_command};
use crate::house::House;

const PACKAGE: &str = "cloakroom-guard";

/// In `instructions.toml` and on the program's command line.
const CASES: [&str; 5] = ["no-cookie", "ignore", "read", "write", "sign-in"];

const REQUESTS: u64 = 1_000;

/// Where the figures are kept.
pub(crate) fn file(house: &House) -> PathBuf {
    house.root().join("guard").join("instructions.toml")
}

/// The compiler that would build it, and for what: `1.95.0 x86_64-unknown-linux-gnu`.
pub(crate) fn compiler(house: &House) -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut command = Command::new(rustc);
    command.arg("-vV").current_dir(house.root());
    let said = capture(&mut command)?.stdout;
    let value = |name: &str| said.lines().find_map(|line| line.strip_prefix(name));
    match (value("release: "), value("host: ")) {
        (Some(release), Some(host)) => Ok(format!("{release} {host}")),
        _ => Err("rustc -vV: not in the form that this command knows".into()),
    }
}

/// Counts all five requests.
pub(crate) fn measure(house: &House) -> Result<Figures> {
    let build = ["build", "--release", "--locked", "--package", PACKAGE];
    // Without a debugger's information callgrind reads the program in a tenth of the time; names stay.
    let mut build = house.cargo(&build);
    if !run_command(build.env("CARGO_PROFILE_RELEASE_DEBUG", "false"))? {
        return Err("it does not build, see above".into());
    }
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| house.root().join("target"), PathBuf::from);
    let program = target.join("release").join(PACKAGE);
    let mut figures = Figures::new(compiler(house)?);
    for case in CASES {
        let counted = |kind| -> Result<profile::Counted> {
            // Callgrind counts calls even before it counts instructions, so the first request brings those of all that
            // the program did before.
            let first = count(&program, &target, case, kind, 1)?;
            let all = count(&program, &target, case, kind, 1 + REQUESTS)?;
            Ok(all.after(first))
        };
        let (bare, sessions) = (counted("bare")?, counted("sessions")?);
        let cost = sessions.above(bare, REQUESTS);
        println!("  {case}: {cost}");
        figures.add(case, cost);
    }
    Ok(figures)
}

fn count(
    program: &Path,
    target: &Path,
    case: &str,
    kind: &str,
    requests: u64,
) -> Result<profile::Counted> {
    let file = target.join("guard.callgrind");
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--tool=callgrind", "--quiet", "--collect-atstart=no"])
        .args([
            "--toggle-collect=*counted_exchange*",
            "--compress-strings=no",
        ])
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(program)
        .args([case, kind, &requests.to_string()]);
    let finished = capture(&mut valgrind)?;
    if !finished.success {
        return Err(format!("{case} {kind} under valgrind: {}", finished.stderr).into());
    }
    let profile = std::fs::read_to_string(&file)?;
    std::fs::remove_file(&file)?;
    profile::Counted::of(&profile)
        .ok_or_else(|| format!("{case} {kind}: nothing was counted").into())
}
