use crate::Result;
use crate::command::run as run_command;
use crate::house::House;
use crate::outcome::Outcome;

pub(crate) fn run(house: &House) -> Result<Outcome> {
    let success = run_command(&mut house.cargo(&["fmt", "--all", "--check"]))?;
    Ok(Outcome::of_command(success))
}
