use std::fmt;
use std::ops::Add;

/// How many passed and failed: tests, and steps that are not made of tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Totals {
    /// Nothing failed, and something ran.
    pub(crate) fn all_passed(self) -> bool {
        self.failed == 0 && self.passed > 0
    }

    /// Adds up the `test result:` lines of Rust's test harness.
    pub(crate) fn of_cargo_test(output: &str) -> Self {
        output
            .lines()
            .filter_map(|line| line.strip_prefix("test result: "))
            .map(|line| Self {
                passed: number_before(line, " passed"),
                failed: number_before(line, " failed"),
            })
            .fold(Self::default(), Add::add)
    }

    /// Reads the summary of `node --test`, in TAP (`# pass 3`) or for people (`ℹ pass 3`). A cancelled test
    /// failed.
    pub(crate) fn of_node_test(output: &str) -> Self {
        let count = |word: &str| -> u64 {
            output
                .lines()
                .filter_map(|line| line.strip_prefix("# ").or(line.strip_prefix("ℹ ")))
                .filter_map(|line| line.strip_prefix(word)?.strip_prefix(' '))
                .filter_map(|number| number.trim().parse::<u64>().ok())
                .sum()
        };
        Self {
            passed: count("pass"),
            failed: count("fail") + count("cancelled"),
        }
    }
}

impl Add for Totals {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
        }
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// The number that stands before `word`; 0 if there is none.
fn number_before(line: &str, word: &str) -> u64 {
    let before = line.split(word).next().unwrap_or_default();
    let digits = before.rsplit(' ').next().unwrap_or_default();
    digits.parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(passed: u64, failed: u64) -> Totals {
        Totals { passed, failed }
    }

    #[test]
    fn the_harness_lines_of_several_binaries_add_up() {
        let output = "\
running 2 tests
test a ... ok
test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s

test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.50s
  test result: ok. 9 passed; 0 failed (printed by a test)
";
        assert_eq!(Totals::of_cargo_test(output), totals(15, 2));
        assert_eq!(Totals::of_cargo_test("error: aborted"), totals(0, 0));
    }

    #[test]
    fn both_reporters_of_node() {
        let tap =
            "TAP version 13\nok 1 - a\n# tests 4\n# pass 3\n# fail 1\n# cancelled 0\n# skipped 0\n";
        assert_eq!(Totals::of_node_test(tap), totals(3, 1));
        let people = "✔ a (1 ms)\nℹ tests 4\nℹ suites 0\nℹ pass 2\nℹ fail 0\nℹ cancelled 2\n";
        assert_eq!(Totals::of_node_test(people), totals(2, 2));
        assert_eq!(Totals::of_node_test("passed 3"), totals(0, 0));
    }

    #[test]
    fn nothing_run_is_not_a_pass() {
        assert!(!totals(0, 0).all_passed());
        assert!(!totals(5, 1).all_passed());
        assert!(totals(5, 0).all_passed());
        assert_eq!(totals(5, 1).to_string(), "5 passed, 1 failed");
    }
}
