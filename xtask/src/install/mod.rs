//! What the chosen steps need from outside the workspace, and how it gets here.

mod need;
mod plan;

pub(crate) use need::Need;

use std::process::Command;

use crate::Result;
use crate::command::{capture, cargo, find_program, run};
use crate::house::House;
use plan::{Apt, Plan};

/// Installs what is missing of these needs. The answer is what was installed.
///
/// # Errors
/// If something is missing and cannot be installed. The message says what to do by hand.
pub(crate) fn install(house: &House, needs: impl Iterator<Item = Need>) -> Result<String> {
    let tools = house.tools();
    let missing: Vec<Need> = needs.filter(|need| !need.is_met(&tools)).collect();
    let plan = Plan::of(&missing, apt());
    if let Some(instructions) = plan.instructions() {
        return Err(instructions.into());
    }
    if !plan.packages().is_empty() {
        println!("installing {}", plan.packages().join(", "));
        let script = ["-c", include_str!("apt.sh"), "apt.sh"];
        let mut command = Command::new("sh");
        if !run(command.args(script).args(plan.packages()))? {
            return Err("apt-get could not install them, see above".into());
        }
    }
    for package in plan.cargo_packages() {
        println!("building {package} into target/tools, once, some minutes");
        cargo_install(house, package)?;
    }
    let mut installed = plan.packages();
    installed.extend(plan.cargo_packages());
    Ok(match installed[..] {
        [] => "all is there".to_owned(),
        _ => format!("installed {}", installed.join(", ")),
    })
}

/// Unoptimised: what is asked of it takes seconds all the same, and it builds in a quarter of the time.
fn cargo_install(house: &House, package: &str) -> Result<()> {
    let mut command = cargo(&["install", "--locked", "--debug", "--root"]);
    command
        .arg(house.tools())
        .arg("--target-dir")
        .arg(house.tools().join("build"))
        .arg(package)
        .env("CARGO_PROFILE_DEV_DEBUG", "false");
    if run(&mut command)? {
        // Hundreds of megabytes that only a second build would use.
        std::fs::remove_dir_all(house.tools().join("build"))?;
        Ok(())
    } else {
        Err(format!("{package} did not build, see above").into())
    }
}

fn apt() -> Apt {
    let root = || capture(Command::new("id").arg("-u")).is_ok_and(|id| id.stdout.trim() == "0");
    match find_program("apt-get") {
        None => Apt::Absent,
        Some(_) if root() => Apt::Usable,
        Some(_) => Apt::NotRoot,
    }
}
