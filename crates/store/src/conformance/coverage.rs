/// How much of a law was checked. A law that holds may still have parts that nobody looked at, because the
/// store or the [`Harness`](super::Harness) does not offer what it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    checked: bool,
    left_out: Vec<&'static str>,
}

impl Coverage {
    pub(crate) fn full() -> Self {
        Self {
            checked: true,
            left_out: Vec::new(),
        }
    }

    /// Nothing of the law was checked.
    pub(crate) fn nothing(reason: &'static str) -> Self {
        Self {
            checked: false,
            left_out: vec![reason],
        }
    }

    /// A part was left out, unless `offered`.
    pub(crate) fn unless(mut self, offered: bool, reason: &'static str) -> Self {
        if !offered {
            self.left_out.push(reason);
        }
        self
    }

    /// Whether anything of the law was checked. `false` is no pass.
    #[must_use]
    pub fn is_checked(&self) -> bool {
        self.checked
    }

    /// What was not checked, and why. Empty if everything was.
    #[must_use]
    pub fn left_out(&self) -> &[&'static str] {
        &self.left_out
    }
}
