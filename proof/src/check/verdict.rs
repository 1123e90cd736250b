use std::fmt;

use super::model::State;
use super::step::{Act, Seen, Step};

/// What a history shows that should not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// A write that had been acknowledged is gone, or was overwritten by one that had not seen it.
    LostWrite,
    /// A write that nobody acknowledged was seen by a read, and was gone later: the store shows what is not on its
    /// disk yet.
    SeenTooSoon,
    /// A session that had ended was live again, or an id that had been given up opened it.
    BroughtBack,
    /// A read answered what had been written over before it was asked.
    StaleRead,
    /// Anything else that no order explains.
    Impossible,
    /// The search for an order was given up.
    Undecided,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LostWrite => "an acknowledged write was lost",
            Self::SeenTooSoon => "a write was seen before it was safe, and lost",
            Self::BroughtBack => "a session was brought back to life",
            Self::StaleRead => "a read was stale",
            Self::Impossible => "no order explains it",
            Self::Undecided => "undecided: too many possible orders",
        })
    }
}

impl Verdict {
    /// What is wrong with `culprit`, given what the session could be before it, and what came later.
    pub(super) fn of(culprit: &Step, before: &[State], steps: &[Step]) -> Self {
        let Some(seen) = culprit.act.takes_it_to_be() else {
            return Self::Impossible;
        };
        let later = || {
            let later = |step: &&Step| step.called.tick > culprit.returned.tick;
            steps.iter().filter(later)
        };
        let live = || {
            before.iter().filter_map(|state| match state {
                State::Live(live) => Some(live),
                _ => None,
            })
        };
        if live().next().is_none() {
            let ended = before.contains(&State::Ended);
            return match seen {
                Seen::Live(_) if ended => Self::BroughtBack,
                _ => Self::Impossible,
            };
        }
        match seen {
            Seen::Dead => {
                let seen_again = later().any(|step| {
                    matches!(
                        step.act,
                        Act::See { found: Some(_), .. } | Act::List(Some(_))
                    )
                });
                match seen_again {
                    true => Self::StaleRead,
                    false => Self::lost(before, steps),
                }
            }
            Seen::Live(value) => {
                if let Some(key) = culprit.act.key()
                    && live().all(|live| live.key.is_some_and(|other| other != key))
                {
                    return Self::BroughtBack;
                }
                let newest = live().map(|live| live.value.version).max().unwrap_or(0);
                let is_older = value.is_none_or(|value| value.version <= newest);
                let still_there = culprit.act.only_looks()
                    && later().any(|step| {
                        let seen = step.act.takes_it_to_be();
                        matches!(seen, Some(Seen::Live(Some(value)))
                            if live().any(|live| live.value == value))
                    });
                match (is_older, still_there) {
                    (true, true) => Self::StaleRead,
                    (true, false) => Self::lost(before, steps),
                    (false, _) => Self::Impossible,
                }
            }
        }
    }

    /// The newest write of the session is gone: whether anybody had been told that it was stored.
    fn lost(before: &[State], steps: &[Step]) -> Self {
        let acknowledged = |writer: u64| {
            steps.iter().any(|step| {
                let wrote = match &step.act {
                    Act::Write { writer, .. } => *writer,
                    Act::Begin { value, .. } => value.writer,
                    _ => return false,
                };
                wrote == writer && step.certain
            })
        };
        let mut writers = before.iter().filter_map(|state| match state {
            State::Live(live) => Some(live.value.writer),
            _ => None,
        });
        match writers.any(acknowledged) {
            true => Self::LostWrite,
            false => Self::SeenTooSoon,
        }
    }
}
