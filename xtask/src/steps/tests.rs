use crate::Result;
use crate::command::tee;
use crate::house::House;
use crate::outcome::Outcome;
use crate::totals::Totals;

/// With cargo's own runner: one process for each test binary, so that its tests share the servers that they
/// start.
pub(crate) fn run(house: &House) -> Result<Outcome> {
    let targets = ["--lib", "--bins", "--tests", "--examples"];
    cargo_test(house, &targets)
}

pub(crate) fn run_doc(house: &House) -> Result<Outcome> {
    cargo_test(house, &["--doc"])
}

fn cargo_test(house: &House, targets: &[&str]) -> Result<Outcome> {
    let mut test = house.cargo(&["test", "--workspace", "--all-features", "--no-fail-fast"]);
    let finished = tee(test.args(targets))?;
    let totals = Totals::of_cargo_test(&finished.stdout);
    Ok(Outcome::of_tests(finished.success, totals))
}
