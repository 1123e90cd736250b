//! Is there an order of the operations on one key, each taking effect at one moment between its call and its
//! return, in which a store that does one thing at a time would have answered the same? (Wing and Gong's
//! search, with the states that led nowhere remembered.)

use std::collections::HashSet;

use super::history::{Answer, Call, Event};
use crate::{Expect, SessionKey, SetOutcome};

/// The live record under the key: its version and the number of its payload.
type State = Option<(u64, u64)>;

/// Histories longer than this are not checked in one piece: the set of those still to be placed is one word.
pub(crate) const LONGEST: usize = 64;

/// Whether the answers of `get`, `set`, `destroy` and `touch` on that key fit an order. It begins with no live
/// record there.
pub(crate) fn linearizable(events: &[Event], key: &SessionKey) -> bool {
    let events: Vec<&Event> = events.iter().filter(|event| is_on(event, key)).collect();
    assert!(events.len() <= LONGEST, "a race is short enough to check");
    let all = u64::MAX
        .checked_shr(64 - events.len() as u32)
        .unwrap_or_default();
    fits(&events, all, None, &mut HashSet::new())
}

fn fits(
    events: &[&Event],
    missing: u64,
    state: State,
    led_nowhere: &mut HashSet<(u64, State)>,
) -> bool {
    if missing == 0 {
        return true;
    }
    if led_nowhere.contains(&(missing, state)) {
        return false;
    }
    let waiting = || (0..events.len()).filter(|at| missing & (1 << at) != 0);
    let first_return = waiting()
        .filter_map(|at| events[at].returned)
        .min()
        .unwrap_or(u64::MAX);
    // Next can only be one that was called before any of the others returned.
    for at in waiting().filter(|at| events[*at].called < first_return) {
        let nexts = after(state, events[at]);
        if nexts
            .into_iter()
            .any(|next| fits(events, missing & !(1 << at), next, led_nowhere))
        {
            return true;
        }
    }
    led_nowhere.insert((missing, state));
    false
}

/// The states that the operation may leave, given what it answered; none if it could not have answered that.
fn after(state: State, event: &Event) -> Vec<State> {
    let version = state.map(|(version, _)| version);
    match (&event.call, event.answer.as_ref()) {
        (Call::Get(_), Some(Answer::Found(found))) => {
            let seen = found
                .as_ref()
                .map(|(version, number, _)| (*version, *number));
            let is_same = seen == state.map(|(version, number)| (version, Some(number)));
            Vec::from_iter(is_same.then_some(state))
        }
        (Call::Set(_, expect, number, _), Some(Answer::Set(outcome))) => {
            let right = match (*expect, version) {
                (Expect::Absent, Some(_)) => SetOutcome::Exists,
                (Expect::Absent, None) => SetOutcome::Stored(1),
                (_, None) => SetOutcome::Gone,
                (Expect::Version(wanted), Some(found)) if wanted != found => {
                    SetOutcome::Conflict(found)
                }
                (_, Some(found)) => SetOutcome::Stored(found + 1),
            };
            if right != *outcome {
                return Vec::new();
            }
            match right {
                SetOutcome::Stored(version) => vec![number.map(|number| (version, number))],
                _ => vec![state],
            }
        }
        (Call::Destroy(_), Some(Answer::Was(was))) => {
            Vec::from_iter((*was == state.is_some()).then_some(None))
        }
        // The provided `touch` counts as a write, a store's own does not.
        (Call::Touch(..), Some(Answer::Was(was))) => match state {
            Some((version, number)) if *was => vec![state, Some((version + 1, number))],
            None if !*was => vec![None],
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn is_on(event: &Event, wanted: &SessionKey) -> bool {
    match &event.call {
        Call::Get(key) | Call::Set(key, ..) | Call::Destroy(key) | Call::Touch(key, _) => {
            key == wanted
        }
        Call::Rotate(..) | Call::Replace(..) | Call::Other(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: SessionKey = SessionKey::from_bytes([1; 32]);

    fn event(called: u64, returned: u64, call: Call, answer: Answer) -> Event {
        Event {
            client: 1,
            called,
            returned: Some(returned),
            call,
            answer: Some(answer),
        }
    }

    fn set(called: u64, returned: u64, expect: Expect, number: u64, outcome: SetOutcome) -> Event {
        let call = Call::Set(KEY, expect, Some(number), String::new());
        event(called, returned, call, Answer::Set(outcome))
    }

    fn get(called: u64, returned: u64, found: State) -> Event {
        let found = found.map(|(version, number)| (version, Some(number), String::new()));
        event(called, returned, Call::Get(KEY), Answer::Found(found))
    }

    #[test]
    fn overlapping_operations_may_take_effect_in_any_order() {
        let create = set(1, 10, Expect::Absent, 7, SetOutcome::Stored(1));
        assert!(linearizable(
            &[create.clone(), get(2, 3, None), get(4, 5, Some((1, 7)))],
            &KEY
        ));
        assert!(!linearizable(
            &[create, get(2, 3, Some((1, 7))), get(4, 5, None)],
            &KEY
        ));
    }

    #[test]
    fn a_stale_read_and_a_double_win_do_not_fit() {
        let create = set(1, 2, Expect::Absent, 7, SetOutcome::Stored(1));
        let write = |number| set(3, 6, Expect::Version(1), number, SetOutcome::Stored(2));
        assert!(linearizable(&[create.clone(), write(8)], &KEY));
        assert!(!linearizable(&[create.clone(), write(8), write(9)], &KEY));
        assert!(!linearizable(
            &[create, write(8), get(7, 8, Some((1, 7)))],
            &KEY
        ));
    }

    #[test]
    fn nothing_writes_after_a_destroy() {
        let create = set(1, 2, Expect::Absent, 7, SetOutcome::Stored(1));
        let destroy = event(3, 4, Call::Destroy(KEY), Answer::Was(true));
        let touch = |was| {
            let call = Call::Touch(KEY, crate::Timestamp::from_millis(0));
            event(5, 6, call, Answer::Was(was))
        };
        let history = [create.clone(), destroy.clone(), touch(false)];
        assert!(linearizable(&history, &KEY));
        assert!(!linearizable(&[create, destroy, touch(true)], &KEY));
    }
}
