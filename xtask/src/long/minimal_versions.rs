use super::copy::Copy;
use crate::Result;
use crate::command::run as run_command;
use crate::house::House;
use crate::nightly;

/// Builds the published crates with the oldest version of each direct dependency that their manifests allow. In a
/// copy, which has a lock file of its own.
pub(crate) fn run(house: &House) -> Result<bool> {
    let work = house.root().join("target/minimal-versions");
    let copy = Copy::of(house, &work.join("house"))?;
    let arguments = ["-Zdirect-minimal-versions", "generate-lockfile"];
    let mut lock = nightly::program("cargo", &arguments)?;
    if !run_command(lock.current_dir(copy.root()))? {
        return Ok(false);
    }
    let mut check = house.cargo(&["check", "--workspace", "--all-features", "--locked"]);
    check
        .current_dir(copy.root())
        .env("CARGO_TARGET_DIR", work.join("target"));
    run_command(&mut check)
}
