use std::collections::HashSet;

use super::model::{Model, State};
use super::step::Step;

/// More places than these are not looked at. A history that needs more is reported as undecided.
const PATIENCE: usize = 300_000;

/// What came of looking for an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Order,
    None,
    /// Too many possibilities.
    Undecided,
}

/// The steps of one session, and what it may do.
#[derive(Debug)]
pub(crate) struct Search<'a> {
    model: Model,
    /// By the moment when they were called.
    steps: &'a [Step],
}

/// The steps to be placed, and those that may be.
struct Task<'a> {
    model: Model,
    steps: Vec<&'a Step>,
    /// The first so many have to be placed; those after them may be.
    needed: usize,
}

/// One place of the search: what was placed so far, and what the session is then.
struct Place {
    state: State,
    placed: Vec<u64>,
    /// All needed steps before this one are placed.
    low: usize,
    left: usize,
    /// What can be next, the best last.
    nexts: Vec<usize>,
}

impl<'a> Search<'a> {
    pub(crate) fn new(model: Model, steps: &'a [Step]) -> Self {
        Self { model, steps }
    }

    /// Whether there is an order of what had been answered by `tick`. What was under way then may be in it.
    pub(crate) fn order(&self, tick: u64) -> Found {
        let mut found = Found::None;
        let looked = self.task(tick).visit(PATIENCE, |_| {
            found = Found::Order;
            false
        });
        match looked {
            false => Found::Undecided,
            true => found,
        }
    }

    /// What the session may be once everything that had been answered by `tick` has happened: some of it, if
    /// there is much.
    pub(crate) fn states(&self, tick: u64) -> Vec<State> {
        let mut states = Vec::new();
        self.task(tick).visit(PATIENCE / 10, |state| {
            if !states.contains(&state) {
                states.push(state);
            }
            states.len() < 8
        });
        states
    }

    fn task(&self, tick: u64) -> Task<'a> {
        let is_needed = |step: &&Step| step.certain && step.returned.tick <= tick;
        let begun = self.steps.iter().filter(|step| step.called.tick <= tick);
        let (mut steps, optional): (Vec<_>, Vec<_>) = begun.partition(is_needed);
        let needed = steps.len();
        steps.extend(optional);
        Task {
            model: self.model,
            steps,
            needed,
        }
    }
}

impl Task<'_> {
    /// Shows `visitor` what the session is whenever all that is needed is placed, until it answers no.
    /// Whether it came to an end within `patience`.
    fn visit(&self, patience: usize, mut visitor: impl FnMut(State) -> bool) -> bool {
        let words = self.steps.len().div_ceil(64);
        let mut seen = HashSet::new();
        let first = self.place(State::Unborn, vec![0; words], 0, self.needed);
        if self.needed == 0 && !visitor(first.state) {
            return true;
        }
        let mut path = vec![first];
        while let Some(place) = path.last_mut() {
            let Some(at) = place.nexts.pop() else {
                path.pop();
                continue;
            };
            let Some(state) = self.model.after(place.state, self.steps[at]) else {
                continue;
            };
            // What may be left out and changes nothing is left out.
            if at >= self.needed && state == place.state {
                continue;
            }
            let mut placed = place.placed.clone();
            placed[at / 64] |= 1 << (at % 64);
            let left = place.left - usize::from(at < self.needed);
            let low = place.low;
            if !seen.insert((placed.clone(), state)) {
                continue;
            }
            if left == 0 && !visitor(state) {
                return true;
            }
            if seen.len() > patience {
                return false;
            }
            path.push(self.place(state, placed, low, left));
        }
        true
    }

    fn place(&self, state: State, placed: Vec<u64>, mut low: usize, left: usize) -> Place {
        let is_placed = |at: usize| placed[at / 64] & (1 << (at % 64)) != 0;
        while low < self.needed && is_placed(low) {
            low += 1;
        }
        // Next can only be one that was called before any of the others returned.
        let mut nexts = Vec::new();
        let mut first_return = u64::MAX;
        for at in (low..self.needed).filter(|at| !is_placed(*at)) {
            let step = self.steps[at];
            if step.called.tick > first_return {
                break;
            }
            first_return = first_return.min(step.returned.tick);
            nexts.push(at);
        }
        nexts.retain(|at| self.steps[*at].called.tick <= first_return);
        let optional = (self.needed..self.steps.len())
            .filter(|at| !is_placed(*at) && self.steps[*at].called.tick <= first_return);
        nexts.extend(optional);
        // Popped from the end: what must be before what may be, and the first to return first.
        nexts.sort_by_key(|at| {
            let needed = *at < self.needed;
            std::cmp::Reverse((!needed, self.steps[*at].returned.tick, *at))
        });
        Place {
            state,
            placed,
            low,
            left,
            nexts,
        }
    }
}

#[cfg(test)]
mod tests {
    use cloakroom::Handle;

    use super::super::step::{Act, Base};
    use super::*;
    use crate::history::{Moment, Value};

    const MODEL: Model = Model {
        idle_timeout: 1_000,
    };

    fn key(digit: char) -> Handle {
        String::from_iter([digit; 32]).parse().unwrap()
    }

    fn value(version: u64, writer: u64) -> Value {
        let count = version;
        Value {
            version,
            writer,
            count,
        }
    }

    /// All within one millisecond, unless a test says otherwise.
    fn step(called: u64, returned: u64, act: Act) -> Step {
        let moment = |tick| Moment { tick, millis: 0 };
        Step {
            op: called as usize,
            act,
            certain: true,
            called: moment(called),
            returned: moment(returned),
            by_old_id: false,
        }
    }

    fn begin() -> Step {
        let (key, value) = (key('a'), value(1, 1));
        step(1, 2, Act::Begin { key, value })
    }

    fn see(called: u64, returned: u64, of: char, found: Option<Value>) -> Step {
        let key = key(of);
        step(called, returned, Act::See { key, found })
    }

    fn overwrite(called: u64, returned: u64, writer: u64, version: u64) -> Step {
        let act = Act::Write {
            key: key('a'),
            base: Base::Any,
            writer,
            count: Some(version),
            version: Some(version),
        };
        step(called, returned, act)
    }

    fn unknown(mut step: Step) -> Step {
        step.certain = false;
        step
    }

    fn order(mut steps: Vec<Step>) -> Found {
        steps.sort_by_key(|step| step.called.tick);
        Search::new(MODEL, &steps).order(u64::MAX)
    }

    #[test]
    fn what_overlaps_may_be_in_any_order_and_what_does_not_may_not() {
        let write = overwrite(3, 6, 2, 2);
        let (old, new) = (Some(value(1, 1)), Some(value(2, 2)));
        let fits = vec![
            begin(),
            write.clone(),
            see(4, 5, 'a', old),
            see(7, 8, 'a', new),
        ];
        assert_eq!(order(fits), Found::Order);
        let stale = vec![begin(), write, see(7, 8, 'a', old)];
        assert_eq!(order(stale), Found::None);
    }

    #[test]
    fn two_that_found_the_same_version_cannot_both_have_written() {
        let save = |called, returned, writer| {
            let act = Act::Write {
                key: key('a'),
                base: Base::Version(1),
                writer,
                count: None,
                version: Some(2),
            };
            step(called, returned, act)
        };
        assert_eq!(order(vec![begin(), save(3, 6, 2)]), Found::Order);
        let both = vec![begin(), save(3, 6, 2), save(4, 5, 3)];
        assert_eq!(order(both), Found::None);
    }

    #[test]
    fn the_unknown_may_take_effect_late_or_never() {
        let late = unknown(overwrite(3, 4, 2, 2));
        let (old, new) = (Some(value(1, 1)), Some(value(2, 2)));
        let see_old = see(5, 6, 'a', old);
        assert_eq!(
            order(vec![begin(), late.clone(), see_old.clone()]),
            Found::Order
        );
        let then = vec![begin(), late.clone(), see_old, see(7, 8, 'a', new)];
        assert_eq!(order(then), Found::Order);
        let undone = vec![begin(), late, see(5, 6, 'a', new), see(7, 8, 'a', old)];
        assert_eq!(order(undone), Found::None);
    }

    #[test]
    fn ended_is_final_and_a_key_that_was_given_up_opens_nothing() {
        let live = Some(value(1, 1));
        let end = step(3, 4, Act::End(key('a')));
        assert_eq!(
            order(vec![begin(), end.clone(), see(5, 6, 'a', None)]),
            Found::Order
        );
        assert_eq!(order(vec![begin(), end, see(5, 6, 'a', live)]), Found::None);

        let (from, to) = (key('a'), Some(key('b')));
        let moved = step(3, 4, Act::Move { from, to });
        let fits = vec![
            begin(),
            moved.clone(),
            see(5, 6, 'a', None),
            see(7, 8, 'b', live),
        ];
        assert_eq!(order(fits), Found::Order);
        assert_eq!(
            order(vec![begin(), moved, see(5, 6, 'a', live)]),
            Found::None
        );
    }

    #[test]
    fn it_is_gone_neither_before_its_time_nor_after() {
        let at = |mut step: Step, millis| {
            step.called.millis = millis;
            step.returned.millis = millis;
            step
        };
        let live = Some(value(1, 1));
        let found = |found, millis| order(vec![begin(), at(see(3, 4, 'a', found), millis)]);
        assert_eq!(found(live, 900), Found::Order);
        assert_eq!(found(None, 900), Found::None);
        assert_eq!(found(None, 1_100), Found::Order);
        assert_eq!(found(live, 1_100), Found::None);
    }

    #[test]
    fn in_a_cluster_a_move_may_be_seen_in_the_middle() {
        let (from, to) = (key('a'), Some(key('b')));
        let leave = step(3, 8, Act::Leave { from });
        let arrive = Step {
            act: Act::Arrive { to },
            ..leave.clone()
        };
        let live = Some(value(1, 1));
        let middle = vec![
            begin(),
            leave,
            arrive,
            see(4, 5, 'a', None),
            see(6, 7, 'b', None),
            see(9, 10, 'b', live),
        ];
        assert_eq!(order(middle.clone()), Found::Order);
        let act = Act::Move { from, to };
        let mut in_one = middle;
        in_one[1].act = act;
        in_one.remove(2);
        assert_eq!(order(in_one), Found::None);
    }
}
