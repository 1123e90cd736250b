use std::error::Error;
use std::fmt;

use super::Law;

/// A store broke a law. `Display` and `Debug` both print the law, what happened, and the history of
/// operations that shows it, handles standing for keys.
#[derive(Clone)]
pub struct Violation {
    // Boxed: it is the error of every step of the suite.
    inner: Box<Inner>,
}

#[derive(Clone)]
struct Inner {
    law: Law,
    scene: String,
    what: String,
    history: Vec<String>,
}

impl Violation {
    pub(crate) fn new(law: Law, scene: String, what: String, history: Vec<String>) -> Self {
        let inner = Inner {
            law,
            scene,
            what,
            history,
        };
        Self {
            inner: Box::new(inner),
        }
    }

    /// The law that was broken.
    #[must_use]
    pub fn law(&self) -> Law {
        self.inner.law
    }

    /// What the suite was trying.
    #[must_use]
    pub fn scene(&self) -> &str {
        &self.inner.scene
    }

    /// What happened, and what should have.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.inner.what
    }

    /// The operations in the order in which they were called, each with its answer, one a line.
    #[must_use]
    pub fn history(&self) -> &[String] {
        &self.inner.history
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.law())?;
        writeln!(f, "  tried: {}", self.scene())?;
        writeln!(f, "  found: {}", self.what())?;
        write!(f, "  history:")?;
        for line in self.history() {
            write!(f, "\n    {line}")?;
        }
        Ok(())
    }
}

// The same as `Display`, because `unwrap` prints this one.
impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for Violation {}
