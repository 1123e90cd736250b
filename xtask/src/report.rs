use std::ops::Add;
use std::time::{Duration, Instant};

use crate::Result;
use crate::outcome::{Outcome, Verdict};
use crate::totals::Totals;

/// One line of the table at the end: a step that was run.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) name: &'static str,
    pub(crate) outcome: Outcome,
    pub(crate) duration: Duration,
}

impl Line {
    /// Runs the step, takes its time and says what came of it. An error is a failure.
    pub(crate) fn of(name: &'static str, step: impl FnOnce() -> Result<Outcome>) -> Self {
        let start = Instant::now();
        let outcome = step().unwrap_or_else(|error| {
            println!("error: {error}");
            Outcome::failed(error.to_string().lines().next().unwrap_or_default())
        });
        let line = Self {
            name,
            outcome,
            duration: start.elapsed(),
        };
        print!("{}", row(&line));
        line
    }
}

/// All steps together.
pub(crate) fn totals(lines: &[Line]) -> Totals {
    lines
        .iter()
        .map(|line| line.outcome.totals)
        .fold(Totals::default(), Add::add)
}

/// The steps, one a line.
pub(crate) fn table(lines: &[Line]) -> String {
    let total: Duration = lines.iter().map(|line| line.duration).sum();
    let rows: String = lines.iter().map(row).collect();
    format!("{rows}{:<11} {:<8} {:>7}\n", "total", "", seconds(total))
}

/// The step as the table shows it.
fn row(line: &Line) -> String {
    let row = format!(
        "{:<11} {:<8} {:>7}  {}",
        line.name,
        word(line.outcome.verdict),
        seconds(line.duration),
        line.outcome.note
    );
    format!("{}\n", row.trim_end())
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "ok",
        Verdict::Failed => "FAILED",
        Verdict::NotRun => "not run",
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &'static str, outcome: Outcome) -> Line {
        Line {
            name,
            outcome,
            duration: Duration::from_millis(1_250),
        }
    }

    #[test]
    fn an_error_is_a_failure_with_a_short_note() {
        let line = Line::of("install", || Err("missing\n    a list".into()));
        assert_eq!(line.outcome, Outcome::failed("missing"));
    }

    #[test]
    fn steps_and_tests_add_up() {
        let tests = Totals {
            passed: 7,
            failed: 2,
        };
        let lines = [
            line("format", Outcome::passed("")),
            line("tests", Outcome::of_tests(false, tests)),
            line("advisories", Outcome::not_run("no network")),
        ];
        assert_eq!(totals(&lines).to_string(), "8 passed, 2 failed");
        assert_eq!(
            table(&lines),
            "\
format      ok         1.2 s
tests       FAILED     1.2 s  7 passed, 2 failed
advisories  not run    1.2 s  no network
total                  3.8 s
"
        );
    }
}
