use cloakroom::Handle;

use crate::history::{Moment, Value};

/// One operation as it concerns one session.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// Its place in the history.
    pub(crate) op: usize,
    pub(crate) act: Act,
    /// It took effect, at one moment between the two. Otherwise it may have, at any moment after the first.
    pub(crate) certain: bool,
    pub(crate) called: Moment,
    pub(crate) returned: Moment,
    /// It does not count as a use, or may not.
    pub(crate) by_old_id: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Act {
    Begin {
        key: Handle,
        value: Value,
    },
    /// It was found live under that key, or not.
    See {
        key: Handle,
        found: Option<Value>,
    },
    /// Live, and not in that version any more.
    Conflict {
        key: Handle,
        version: u64,
    },
    Write {
        key: Handle,
        base: Base,
        writer: u64,
        /// `None`: one more than it was.
        count: Option<u64>,
        /// What it said that the version is now, if it said so.
        version: Option<u64>,
    },
    Touch(Handle),
    /// To another key; `None` if nobody learned which.
    Move {
        from: Handle,
        to: Option<Handle>,
    },
    /// The two halves of a move between which neither key is live.
    Leave {
        from: Handle,
    },
    Arrive {
        to: Option<Handle>,
    },
    End(Handle),
    /// Whatever its key is, unless it is that one.
    EndAll {
        except: Option<Handle>,
    },
    /// Whether a list of the owner's sessions had it: under that key, or under one that its id may have been renewed
    /// to and that nobody was told of.
    List(Option<(Option<Handle>, Value)>),
}

/// What a write went by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    Any,
    Version(u64),
    /// An update says what it found.
    Exactly(Value),
}

impl Act {
    /// It only looks: without it the rest of the history is as good as before.
    pub(crate) fn only_looks(&self) -> bool {
        matches!(
            self,
            Self::See { .. } | Self::Conflict { .. } | Self::List(_)
        )
    }

    /// What it takes the session to be: live, with that value if it says so; or not live.
    pub(crate) fn takes_it_to_be(&self) -> Option<Seen> {
        match self {
            Self::See { found: None, .. } | Self::List(None) => Some(Seen::Dead),
            Self::See {
                found: Some(value), ..
            }
            | Self::List(Some((_, value))) => Some(Seen::Live(Some(*value))),
            Self::Write {
                base: Base::Exactly(value),
                ..
            } => Some(Seen::Live(Some(*value))),
            Self::Write { .. }
            | Self::Touch(_)
            | Self::Move { .. }
            | Self::Leave { .. }
            | Self::Conflict { .. } => Some(Seen::Live(None)),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Dead,
    Live(Option<Value>),
}

impl Act {
    /// The key that was used.
    pub(crate) fn key(&self) -> Option<Handle> {
        match self {
            Self::Begin { key, .. }
            | Self::See { key, .. }
            | Self::Conflict { key, .. }
            | Self::Write { key, .. }
            | Self::Touch(key)
            | Self::End(key)
            | Self::Move { from: key, .. }
            | Self::Leave { from: key } => Some(*key),
            Self::List(Some((key, _))) => *key,
            Self::Arrive { .. } | Self::EndAll { .. } | Self::List(None) => None,
        }
    }
}
