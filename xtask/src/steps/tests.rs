use crate::Result;
use crate::command::tee;
use crate::house::House;
use crate::outcome::Outcome;
use crate::totals::Totals;

const THREADS: &str = "RUST_TEST_THREADS";

/// With cargo's own runner: one process for each test binary, so that its tests share the servers that they
/// start.
pub(crate) fn run(house: &House) -> Result<Outcome> {
    let targets = ["--lib", "--bins", "--tests"];
    cargo_test(house, &targets)
}

pub(crate) fn run_doc(house: &House) -> Result<Outcome> {
    cargo_test(house, &["--doc"])
}

fn cargo_test(house: &House, targets: &[&str]) -> Result<Outcome> {
    let mut test = house.cargo(&["test", "--workspace", "--all-features", "--no-fail-fast"]);
    if std::env::var_os(THREADS).is_none() {
        test.env(THREADS, threads().to_string());
    }
    let finished = tee(test.args(targets))?;
    let totals = Totals::of_cargo_test(&finished.stdout);
    Ok(Outcome::of_tests(finished.success, totals))
}

/// Twice as many tests at once as there are processors: many wait for a server most of the time.
fn threads() -> usize {
    2 * std::thread::available_parallelism().map_or(1, usize::from)
}
