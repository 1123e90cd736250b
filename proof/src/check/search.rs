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
