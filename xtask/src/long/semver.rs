use std::process::Command;

use crate::Result;
use crate::command::{capture, run as run_command};
use crate::house::House;
use crate::install::{Need, install};

/// Whether the public API breaks none of what the last release promised, or the version says that it does.
pub(crate) fn run(house: &House) -> Result<bool> {
    let Some(tag) = last_release(house)? else {
        println!("there is no release yet (no tag v1.2.3): nothing to compare with");
        return Ok(true);
    };
    install(house, [Need::CargoSemverChecks].into_iter())?;
    let mut check = Command::new(Need::CargoSemverChecks.program(&house.tools()));
    check
        .args(["semver-checks", "--all-features", "--baseline-rev", &tag])
        .current_dir(house.root())
        .env("CARGO_TARGET_DIR", house.root().join("target/semver"));
    let mut packages = 0;
    for package in house.publishable() {
        let inside = package.directory.strip_prefix(house.root())?;
        let manifest = format!("{tag}:{}/Cargo.toml", inside.display());
        if capture(git(house).args(["cat-file", "-e", &manifest]))?.success {
            check.args(["--package", &package.name]);
            packages += 1;
        } else {
            println!("{} is newer than {tag}", package.name);
        }
    }
    Ok(packages == 0 || run_command(&mut check)?)
}

/// The tag of the highest version.
fn last_release(house: &House) -> Result<Option<String>> {
    let list = ["tag", "--list", "v[0-9]*", "--sort=-version:refname"];
    let answer = capture(git(house).args(list))?;
    if !answer.success {
        return Err(format!("git tag: {}", answer.stderr).into());
    }
    Ok(answer.stdout.lines().next().map(str::to_owned))
}

fn git(house: &House) -> Command {
    let mut git = Command::new("git");
    git.current_dir(house.root());
    git
}
