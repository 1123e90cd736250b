/// What a [`set`](crate::Store::set) expects to find. There is no "whatever is there": an upsert brings back
/// to life what another request just ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// No live record is there; this write creates the session.
    Absent,
    /// A live record is there, in any version; this write overwrites it.
    Present,
    /// A live record in exactly this version is there; nobody has written since it was read.
    Version(u64),
}

impl Expect {
    /// What law 3 says of a write with this expectation, given the version of the live record, if there is one.
    /// For stores that decide under a lock of their own; a database decides within its statement.
    ///
    /// ```
    /// use cloakroom_store::{Expect, SetOutcome};
    ///
    /// assert_eq!(Expect::Absent.judge(None), SetOutcome::Stored(1));
    /// assert_eq!(Expect::Present.judge(None), SetOutcome::Gone);
    /// assert_eq!(Expect::Version(1).judge(Some(2)), SetOutcome::Conflict(2));
    /// ```
    pub fn judge(self, live: Option<u64>) -> SetOutcome {
        match (self, live) {
            (Self::Absent, None) => SetOutcome::Stored(1),
            (Self::Absent, Some(_)) => SetOutcome::Exists,
            (Self::Present | Self::Version(_), None) => SetOutcome::Gone,
            (Self::Version(expected), Some(found)) if expected != found => {
                SetOutcome::Conflict(found)
            }
            (Self::Present | Self::Version(_), Some(found)) => SetOutcome::Stored(found + 1),
        }
    }
}

/// How a [`set`](crate::Store::set) or [`replace`](crate::Store::replace) ended. Only
/// [`Stored`](SetOutcome::Stored) stored anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "unless it is `Stored`, nothing was written"]
#[non_exhaustive]
pub enum SetOutcome {
    /// Written; the record has this version now.
    Stored(u64),
    /// [`Expect::Absent`] found a live record.
    Exists,
    /// [`Expect::Present`] or [`Expect::Version`] found no live record: destroyed, expired or never there.
    Gone,
    /// [`Expect::Version`] found this other version.
    Conflict(u64),
}

/// How a [`rotate`](crate::Store::rotate) ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "unless it is `Moved`, nothing was moved"]
#[non_exhaustive]
pub enum RotateOutcome {
    /// The record is under the new key.
    Moved {
        /// The version that was moved: whoever knew the record in this version knows its data.
        found: u64,
        /// The version that it has now; the same, unless the store moves by writing anew.
        version: u64,
    },
    /// The new key is taken; nothing was moved.
    Exists,
    /// No live record is under the old key.
    Gone,
}
