use crate::Result;
use crate::command::run as run_command;
use crate::house::House;
use crate::outcome::Outcome;

pub(crate) fn run(house: &House) -> Result<Outcome> {
    let mut doc = house.cargo(&["doc", "--workspace", "--no-deps", "--all-features"]);
    let success = run_command(doc.env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(Outcome::of_command(success))
}
