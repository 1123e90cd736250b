use crate::totals::Totals;

/// What came of a step.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) verdict: Verdict,
    pub(crate) totals: Totals,
    /// A few words for the table.
    pub(crate) note: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    Failed,
    /// Could not be done here, for the reason in the note. Counts neither way.
    NotRun,
}

impl Outcome {
    /// A step that passed, as one.
    pub(crate) fn passed(note: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Passed,
            totals: Totals {
                passed: 1,
                failed: 0,
            },
            note: note.into(),
        }
    }

    /// A step that failed, as one.
    pub(crate) fn failed(note: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Failed,
            totals: Totals {
                passed: 0,
                failed: 1,
            },
            note: note.into(),
        }
    }

    /// A step that could not be done here.
    pub(crate) fn not_run(reason: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::NotRun,
            totals: Totals::default(),
            note: reason.into(),
        }
    }

    /// A step that is one command, whose output said the rest.
    pub(crate) fn of_command(success: bool) -> Self {
        if success {
            Self::passed("")
        } else {
            Self::failed("see above")
        }
    }

    /// A step that looks for faults: prints each, and passes with `note` if there is none.
    pub(crate) fn of_faults(faults: &[String], note: impl Into<String>) -> Self {
        for fault in faults {
            println!("  {fault}");
        }
        match faults {
            [] => Self::passed(note),
            [one] => Self::failed(one.clone()),
            many => Self::failed(format!("{} faults, see above", many.len())),
        }
    }

    /// A step made of tests. It fails too if its command failed without a failed test (it did not compile, or
    /// was killed), and if no test ran at all.
    pub(crate) fn of_tests(success: bool, tests: Totals) -> Self {
        let note = match (success, tests) {
            (true, tests) if tests.all_passed() => {
                return Self {
                    verdict: Verdict::Passed,
                    totals: tests,
                    note: tests.to_string(),
                };
            }
            (_, Totals { failed: 1.., .. }) => {
                return Self {
                    verdict: Verdict::Failed,
                    totals: tests,
                    note: tests.to_string(),
                };
            }
            (true, _) => "no test ran".to_owned(),
            (false, _) => format!("the command failed; {tests}"),
        };
        let one = Totals {
            passed: 0,
            failed: 1,
        };
        Self {
            verdict: Verdict::Failed,
            totals: tests + one,
            note,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_tests(success: bool, passed: u64, failed: u64) -> (Verdict, Totals) {
        let outcome = Outcome::of_tests(success, Totals { passed, failed });
        (outcome.verdict, outcome.totals)
    }

    #[test]
    fn tests_count_one_by_one() {
        let five = Totals {
            passed: 5,
            failed: 0,
        };
        assert_eq!(of_tests(true, 5, 0), (Verdict::Passed, five));
        let mixed = Totals {
            passed: 5,
            failed: 2,
        };
        assert_eq!(of_tests(false, 5, 2), (Verdict::Failed, mixed));
        // A runner that hides a failure in its exit code.
        assert_eq!(of_tests(true, 5, 2), (Verdict::Failed, mixed));
    }

    #[test]
    fn a_failed_command_and_no_test_at_all_fail() {
        let crashed = Totals {
            passed: 5,
            failed: 1,
        };
        assert_eq!(of_tests(false, 5, 0), (Verdict::Failed, crashed));
        let none = Totals {
            passed: 0,
            failed: 1,
        };
        assert_eq!(of_tests(true, 0, 0), (Verdict::Failed, none));
    }

    #[test]
    fn faults_fail_and_their_absence_passes() {
        assert_eq!(Outcome::of_faults(&[], "3 files").verdict, Verdict::Passed);
        let one = Outcome::of_faults(&["too long".to_owned()], "");
        assert_eq!(
            (one.verdict, one.note.as_str()),
            (Verdict::Failed, "too long")
        );
    }
}
