use cloakroom::Handle;

use super::step::{Act, Base, Step};
use crate::history::Value;

/// How far the clocks of two readings of the time may be apart, in milliseconds.
const SLACK: i64 = 50;

/// What a session is at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum State {
    Unborn,
    Live(Live),
    /// In the middle of a move, by that operation.
    Moving(Live, usize),
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Live {
    /// `None`: nobody was told.
    pub(crate) key: Option<Handle>,
    pub(crate) value: Value,
    /// It was last used not before, and not after.
    pub(crate) used: (i64, i64),
}

/// What a session may do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Model {
    /// In milliseconds.
    pub(crate) idle_timeout: i64,
}

impl Model {
    /// What the session is after that step; `None` if it could not have answered that.
    pub(crate) fn after(&self, state: State, step: &Step) -> Option<State> {
        let used = (step.called.millis, step.returned.millis);
        match (&step.act, state) {
            (Act::Begin { key, value }, State::Unborn) => Some(State::Live(Live {
                key: Some(*key),
                value: *value,
                used,
            })),
            (Act::Begin { .. }, _) => None,

            (Act::See { key, found: None }, _) => self.found_dead(state, Some(*key), step),
            (Act::List(None), _) => self.found_dead(state, None, step),
            (
                Act::See {
                    key,
                    found: Some(found),
                },
                _,
            ) => {
                let live = self.live(state, Some(*key), step)?;
                (live.value == *found).then_some(state)
            }
            (Act::List(Some((key, found))), _) => {
                let live = self.live(state, *key, step)?;
                (live.value == *found).then_some(State::Live(live))
            }
            (Act::Conflict { key, version }, _) => {
                let live = self.live(state, Some(*key), step)?;
                (live.value.version != *version).then_some(state)
            }
            (
                Act::Write {
                    key,
                    base,
                    writer,
                    count,
                    version,
                },
                _,
            ) => {
                let live = self.live(state, Some(*key), step)?;
                // By an old id it is written to, and not used.
                let used = match step.by_old_id {
                    true => (live.used.0, live.used.1.max(used.1)),
                    false => used,
                };
                let fits = match base {
                    Base::Any => true,
                    Base::Version(version) => live.value.version == *version,
                    Base::Exactly(value) => live.value == *value,
                };
                let value = Value {
                    version: live.value.version + 1,
                    writer: *writer,
                    count: count.unwrap_or(live.value.count + 1),
                };
                let said = version.is_none_or(|version| version == value.version);
                (fits && said).then_some(State::Live(Live {
                    value,
                    used,
                    ..live
                }))
            }
            (Act::Touch(key), _) => {
                let live = self.live(state, Some(*key), step)?;
                // A late one may set the time back; the later of two may be noted first.
                let used = (used.0, used.1.max(live.used.1));
                Some(State::Live(Live { used, ..live }))
            }
            (Act::Move { from, to }, _) => {
                let live = self.live(state, Some(*from), step)?;
                Some(State::Live(Live {
                    key: *to,
                    used,
                    ..live
                }))
            }
            (Act::Leave { from }, _) => {
                let live = self.live(state, Some(*from), step)?;
                Some(State::Moving(live, step.op))
            }
            (Act::Arrive { to }, State::Moving(live, op)) if op == step.op => {
                Some(State::Live(Live {
                    key: *to,
                    used,
                    ..live
                }))
            }
            (Act::Arrive { .. }, _) => None,
            (Act::End(key), State::Live(live)) if live.key == Some(*key) => Some(State::Ended),
            (Act::End(_), _) => Some(state),
            (Act::EndAll { except }, State::Live(live))
                if except.is_some() && live.key == *except =>
            {
                Some(state)
            }
            (Act::EndAll { .. }, State::Live(_) | State::Moving(..)) => Some(State::Ended),
            (Act::EndAll { .. }, _) => Some(state),
        }
    }

    /// Live under that key. A key that nobody was told of may be any.
    fn live(&self, state: State, key: Option<Handle>, step: &Step) -> Option<Live> {
        let State::Live(mut live) = state else {
            return None;
        };
        let not_over = step.called.millis <= live.used.1 + self.idle_timeout + SLACK;
        let same = key.is_none_or(|key| *live.key.get_or_insert(key) == key);
        (same && not_over).then_some(live)
    }

    /// Not live under that key; or under any, if that is `None`.
    fn found_dead(&self, state: State, key: Option<Handle>, step: &Step) -> Option<State> {
        let State::Live(live) = state else {
            return Some(state);
        };
        let elsewhere = key.is_some() && live.key != key;
        if elsewhere {
            return Some(state);
        }
        let over = step.returned.millis + SLACK >= live.used.0 + self.idle_timeout;
        over.then_some(State::Ended)
    }
}
