//! Checks that take minutes or another toolchain, so they are commands of their own and no steps of the tests.

mod copy;
mod interleavings;
mod manifest;
mod minimal_versions;
mod miri;
mod sbom;
mod semver;

use crate::Result;
use crate::command::tee;
use crate::house::House;
use crate::totals::Totals;

/// A command that takes no options.
#[derive(Debug)]
pub(crate) struct Long {
    pub(crate) name: &'static str,
    /// What it does, for `--help`.
    pub(crate) about: &'static str,
    run: fn(&House) -> Result<bool>,
}

/// All of them.
pub(crate) const LONG: &[Long] = &[
    Long {
        name: "interleavings",
        about: "the memory store's laws under thousands of orders of its locks; minutes",
        run: interleavings::run,
    },
    Long {
        name: "miri",
        about: "the memory store's tests under Miri; needs a nightly toolchain with it",
        run: miri::run,
    },
    Long {
        name: "minimal-versions",
        about: "the published crates with the oldest dependencies that they allow; needs a nightly toolchain",
        run: minimal_versions::run,
    },
    Long {
        name: "sbom",
        about: "a CycloneDX file for each published crate, in target/sbom",
        run: sbom::run,
    },
    Long {
        name: "semver",
        about: "the public API beside that of the last release",
        run: semver::run,
    },
];

/// Whether the command of that name found nothing wrong.
pub(crate) fn run(house: &House, name: &str) -> Result<bool> {
    let long = LONG.iter().find(|long| long.name == name);
    (long.expect("it was read from the table").run)(house)
}

/// Runs tests, and takes none for a failure.
fn tests(command: &mut std::process::Command) -> Result<bool> {
    let finished = tee(command)?;
    Ok(finished.success && Totals::of_cargo_test(&finished.stdout).all_passed())
}
