use std::path::Path;
use std::process::Command;

use crate::Result;
use crate::command::{find_program, run as run_command, tee};
use crate::house::House;
use crate::install::Need;
use crate::outcome::Outcome;
use crate::totals::Totals;

pub(super) const DEMO: &str = "cloakroom-demo";

/// Far more than the tests take on a slow machine.
const LIMIT_SECONDS: &str = "300";

/// `npm test` in `demo/browser`, with the demo built and these variables set: `CLOAKROOM_DEMO`, the demo's
/// program, and `CLOAKROOM_CHROMIUM`, the browser.
pub(crate) fn run(house: &House) -> Result<Outcome> {
    if house.package(DEMO).is_none() {
        return Ok(Outcome::not_run("there is no demo yet"));
    }
    let directory = house.root().join("demo").join("browser");
    if !directory.join("package-lock.json").is_file() {
        return Ok(Outcome::failed("demo/browser has no package-lock.json"));
    }
    // As the tests before this built it, for a test of its own: alone it would get its dependencies with other features,
    // all anew.
    let mut build = house.cargo(&["test", "--workspace", "--all-features", "--no-run"]);
    if !run_command(build.args(["--test", "demo"]))? {
        return Ok(Outcome::failed("the demo does not build, see above"));
    }
    let mut install = npm(&directory, &["ci", "--no-audit", "--no-fund"]);
    // The tests drive the system's browser.
    install.env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
    if !run_command(&mut install)? {
        return Ok(Outcome::failed("npm ci failed, see above"));
    }
    let chromium = Need::Chromium
        .programs()
        .iter()
        .find_map(|name| find_program(name));
    let mut test = limited_npm(&directory, &["test"]);
    test.env(
        "CLOAKROOM_DEMO",
        house.root().join("target/debug").join(DEMO),
    );
    test.env(
        "CLOAKROOM_CHROMIUM",
        chromium.ok_or("there is no Chromium")?,
    );
    let finished = tee(&mut test)?;
    let totals = Totals::of_node_test(&finished.stdout);
    Ok(Outcome::of_tests(finished.success, totals))
}

/// A test that leaves a browser open keeps its runner waiting for ever; where `timeout` exists, it ends that.
fn limited_npm(directory: &Path, arguments: &[&str]) -> Command {
    if find_program("timeout").is_none() {
        return npm(directory, arguments);
    }
    let mut command = Command::new("timeout");
    command.args(["--kill-after=10", LIMIT_SECONDS, "npm"]);
    command.args(arguments).current_dir(directory);
    command
}

fn npm(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command.args(arguments).current_dir(directory);
    command
}
