use std::collections::HashSet;

use cloakroom::Handle;

use super::step::{Act, Step};
use crate::history::Op;

/// The history of one session and of what it was rotated to, by the moment of the calls.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) steps: Vec<Step>,
}

/// A family while it is put together.
pub(super) struct Draft {
    pub(super) owner: u32,
    pub(super) begun: u64,
    /// From here on it must be dead: it was ended, or found dead, under the last key that anybody knows.
    pub(super) over: u64,
    pub(super) last_key: Handle,
    /// When rotations were called of which nobody learned the key, and by when that one is dead too.
    pub(super) hidden: Vec<(u64, u64)>,
    /// After this nobody finds it live. What ends it is then told once, and that no list has it is no news.
    pub(super) last_live: u64,
    pub(super) told: HashSet<(bool, Option<Handle>)>,
    pub(super) steps: Vec<Step>,
}

impl Draft {
    pub(super) fn add(&mut self, at: usize, op: &Op, act: Act, certain: bool) {
        self.steps.push(Step {
            op: at,
            act,
            certain,
            called: op.called,
            returned: op.returned,
            by_old_id: op.by_old_id,
        });
    }

    pub(super) fn wants_to_know(&mut self, op: &Op, act: &Act, certain: bool) -> bool {
        let Act::EndAll { except } = *act else {
            return true;
        };
        let later = op.called.tick > self.last_live;
        // Of several that may have ended it at any later time the first says it all.
        let told_once = later || !certain;
        !told_once || self.told.insert((certain, except))
    }

    /// What was found dead by `tick` under the last key that anybody knows may live on under one that nobody knows.
    pub(super) fn over_after(&self, tick: u64) -> u64 {
        let moved_before = self.hidden.iter().filter(|(called, _)| *called <= tick);
        let dead = moved_before.map(|(_, dead)| *dead);
        dead.max().map_or(tick, |dead| dead.max(tick))
    }

    pub(super) fn finish(mut self) -> Family {
        self.steps.sort_by_key(|step| step.called.tick);
        Family { steps: self.steps }
    }
}
