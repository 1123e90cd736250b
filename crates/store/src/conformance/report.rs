use std::fmt;

use super::{Coverage, Law, Violation};

/// What [`run_all`](super::run_all) found, law by law.
#[derive(Clone, Debug)]
#[must_use = "a report says whether the store passed; `assert_passed` panics if it did not"]
pub struct Report {
    findings: Vec<(Law, Result<Coverage, Violation>)>,
}

impl Report {
    pub(crate) fn new(findings: Vec<(Law, Result<Coverage, Violation>)>) -> Self {
        Self { findings }
    }

    /// Every law with what was found about it, in order.
    pub fn findings(&self) -> impl Iterator<Item = (Law, &Result<Coverage, Violation>)> {
        self.findings.iter().map(|(law, finding)| (*law, finding))
    }

    /// The laws that the store broke.
    pub fn violations(&self) -> impl Iterator<Item = &Violation> {
        self.findings
            .iter()
            .filter_map(|(_, finding)| finding.as_ref().err())
    }

    /// The laws of which nothing could be checked. They are neither broken nor kept.
    pub fn not_checked(&self) -> impl Iterator<Item = Law> {
        self.findings().filter_map(|(law, finding)| match finding {
            Ok(coverage) if !coverage.is_checked() => Some(law),
            _ => None,
        })
    }

    /// Whether no law was broken.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        self.violations().next().is_none()
    }

    /// Ends the test if the store broke a law. Laws that were not checked are no reason; see
    /// [`not_checked`](Report::not_checked).
    ///
    /// # Panics
    /// With the whole report, if a law was broken.
    pub fn assert_passed(&self) {
        assert!(self.is_passed(), "the store broke a law\n\n{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut passed = 0;
        let mut unchecked = 0;
        for (law, finding) in self.findings() {
            match finding {
                Ok(coverage) if coverage.is_checked() => {
                    passed += 1;
                    writeln!(f, "passed       {law}")?;
                    for reason in coverage.left_out() {
                        writeln!(f, "  not checked: {reason}")?;
                    }
                }
                Ok(coverage) => {
                    unchecked += 1;
                    writeln!(f, "not checked  {law}")?;
                    for reason in coverage.left_out() {
                        writeln!(f, "  because {reason}")?;
                    }
                }
                Err(violation) => writeln!(f, "BROKEN       {violation}")?,
            }
        }
        write!(
            f,
            "{passed} laws passed, {} broken, {unchecked} not checked",
            self.violations().count()
        )
    }
}
