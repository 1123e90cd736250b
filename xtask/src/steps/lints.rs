use crate::Result;
use crate::command::run as run_command;
use crate::house::House;
use crate::outcome::Outcome;

pub(crate) fn run(house: &House) -> Result<Outcome> {
    let mut clippy = house.cargo(&["clippy", "--workspace", "--all-targets", "--all-features"]);
    let success = run_command(clippy.args(["--", "-D", "warnings"]))?;
    Ok(Outcome::of_command(success))
}
