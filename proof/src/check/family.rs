use std::collections::{HashMap, HashSet};

use cloakroom::Handle;

use super::draft::{Draft, Family};
use super::model::Model;
use super::owners::Owners;
use super::renewed::as_one;
use super::step::{Act, Base, Seen, Step};
use crate::Ids;
use crate::history::{Answer, Call, Op, Value};

/// What the store in question promises.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) model: Model,
    /// Between the two halves of a rotation neither key is live: a cluster, where they are in two slots.
    pub(crate) rotates_in_two: bool,
    /// Whether a session may be listed under a name that nobody was told of.
    pub(crate) ids: Ids,
}

/// Splits a history, in the order of the calls, into those of its sessions. A sign-in ends one session and
/// begins another one.
pub(crate) fn families(ops: &[Op], rules: Rules) -> Split {
    let mut split = Drafts {
        rules,
        strays: Vec::new(),
        drafts: Vec::new(),
        of: HashMap::new(),
        of_writer: HashMap::new(),
        nameless: HashSet::new(),
    };
    let ops = &*as_one(ops);
    split.find(ops);
    for (at, op) in ops.iter().enumerate() {
        split.place(at, op);
    }
    split.find_ends();
    let mut owners = Owners::of(&split.drafts);
    for (at, op) in ops.iter().enumerate() {
        split.place_at_large(at, op, &mut owners);
    }
    Split {
        families: split.drafts.into_iter().map(Draft::finish).collect(),
        strays: split.strays,
    }
}

/// A history, split.
#[derive(Debug)]
pub(crate) struct Split {
    pub(crate) families: Vec<Family>,
    /// The places of lists that show what nobody ever wrote.
    pub(crate) strays: Vec<usize>,
}

struct Drafts {
    rules: Rules,
    strays: Vec<usize>,
    drafts: Vec<Draft>,
    of: HashMap<Handle, usize>,
    /// Whose each value is, so that a session of which nobody was told can be told by what is in it.
    of_writer: HashMap<u64, usize>,
    /// Keys of which only lists tell, where ids are renewed: a session may have several that are one.
    nameless: HashSet<Handle>,
}

impl Drafts {
    /// Which sessions there are, and under which keys.
    fn find(&mut self, ops: &[Op]) {
        for (at, op) in ops.iter().enumerate() {
            if let (
                Call::Begin { .. } | Call::Resave { .. },
                Answer::Stored { handle, value, .. } | Answer::Begun { handle, value },
            ) = (&op.call, &op.answer)
            {
                let begin = Act::Begin {
                    key: *handle,
                    value: *value,
                };
                self.begin(at, op, *handle, begin);
            }
        }
        let mut moves: Vec<&Op> = ops
            .iter()
            .filter(|op| matches!(op.answer, Answer::Moved(_)))
            .collect();
        moves.sort_by_key(|op| op.returned.tick);
        for op in moves {
            if let (Call::Rotate(from), Answer::Moved(to)) = (&op.call, &op.answer)
                && let Some(&family) = self.of.get(from)
            {
                self.of.insert(*to, family);
                self.drafts[family].last_key = *to;
            }
        }
        for op in ops {
            let on = match &op.call {
                Call::Save { over, .. } | Call::Overwrite { over, .. } | Call::Update(over) => over,
                _ => continue,
            };
            if let Some(&family) = self.of.get(on) {
                self.of_writer.insert(op.number, family);
            }
        }
        self.find_listed(ops);
    }

    /// Sessions of which only a list tells: whoever began or rotated them got no answer.
    fn find_listed(&mut self, ops: &[Op]) {
        let nobody_knows: HashMap<u64, usize> = ops
            .iter()
            .enumerate()
            .filter(|(_, op)| {
                op.is_unknown() && matches!(op.call, Call::Begin { .. } | Call::Resave { .. })
            })
            .map(|(at, op)| (op.number, at))
            .collect();
        for (place, op) in ops.iter().enumerate() {
            let Answer::Listed(found) = &op.answer else {
                continue;
            };
            for (handle, value) in found {
                if let Some(&family) = self.of.get(handle) {
                    let draft = &mut self.drafts[family];
                    draft.last_live = draft.last_live.max(op.returned.tick);
                    continue;
                }
                if let Some(&family) = self.of_writer.get(&value.writer) {
                    self.of.insert(*handle, family);
                    if self.rules.ids == Ids::Renewed {
                        self.nameless.insert(*handle);
                    }
                    let draft = &mut self.drafts[family];
                    draft.last_live = draft.last_live.max(op.returned.tick);
                } else if let Some(&at) = nobody_knows.get(&value.writer) {
                    let begin = Act::Begin {
                        key: *handle,
                        value: Value {
                            version: 1,
                            ..*value
                        },
                    };
                    self.begin(at, &ops[at], *handle, begin);
                    let draft = self.drafts.last_mut().expect("one has just begun");
                    draft.last_live = op.returned.tick;
                } else {
                    self.strays.push(place);
                }
            }
        }
    }

    fn begin(&mut self, at: usize, op: &Op, handle: Handle, act: Act) {
        let family = self.drafts.len();
        self.drafts.push(Draft {
            owner: op.owner,
            begun: op.called.tick,
            over: u64::MAX,
            last_key: handle,
            hidden: Vec::new(),
            last_live: 0,
            told: HashSet::new(),
            steps: Vec::new(),
        });
        self.of.insert(handle, family);
        self.of_writer.insert(op.number, family);
        self.drafts[family].add(at, op, act, !op.is_unknown());
    }

    fn place(&mut self, at: usize, op: &Op) {
        match (&op.call, &op.answer) {
            (_, Answer::Wrong(_)) => {}
            (Call::Load(key), Answer::Found(found)) => {
                let (key, found) = (*key, *found);
                self.add(key, at, op, Act::See { key, found });
            }
            (Call::Rotate(key), Answer::Gone) => {
                let (key, found) = (*key, None);
                self.add(key, at, op, Act::See { key, found });
                // It may have moved, and been ended under a key that nobody was told of.
                let moved = Act::Move {
                    from: key,
                    to: None,
                };
                if let Some(&family) = self.of.get(&key) {
                    let draft = &mut self.drafts[family];
                    draft.add(at, op, moved, false);
                    draft.hidden.push((op.called.tick, op.returned.tick));
                }
            }
            (
                Call::Update(key)
                | Call::Overwrite { over: key, .. }
                | Call::Save { over: key, .. },
                Answer::Gone,
            ) => {
                let (key, found) = (*key, None);
                self.add(key, at, op, Act::See { key, found });
            }
            (Call::Save { over, version, .. }, Answer::Conflict) => {
                let (key, version) = (*over, *version);
                self.add(key, at, op, Act::Conflict { key, version });
            }
            (
                Call::Save { over: key, .. }
                | Call::Overwrite { over: key, .. }
                | Call::Update(key),
                answer,
            ) => {
                if let Some(act) = write(*key, op, answer) {
                    self.add(*key, at, op, act);
                }
            }
            (
                Call::Resave {
                    ends: Some(key), ..
                }
                | Call::Destroy(key)
                | Call::Logout(key),
                answer,
            ) => {
                let told = !op.is_unknown() && !matches!(answer, Answer::Begun { .. });
                if let Some(&family) = self.of.get(key) {
                    self.drafts[family].add(at, op, Act::End(*key), told);
                }
            }
            (Call::Touch(key), _) => {
                self.add(*key, at, op, Act::Touch(*key));
                if self.rules.rotates_in_two && self.rules.ids == Ids::Renewed {
                    self.add_renewal(*key, at, op);
                }
            }
            (Call::Rotate(from), answer) => {
                let to = match answer {
                    Answer::Moved(to) => Some(*to),
                    _ => None,
                };
                if let (None, Some(&family)) = (to, self.of.get(from)) {
                    let hidden = &mut self.drafts[family].hidden;
                    hidden.push((op.called.tick, u64::MAX));
                }
                if self.rules.rotates_in_two {
                    self.add(*from, at, op, Act::Leave { from: *from });
                    self.add(*from, at, op, Act::Arrive { to });
                } else {
                    self.add(*from, at, op, Act::Move { from: *from, to });
                }
            }
            _ => {}
        }
    }

    fn find_ends(&mut self) {
        for draft in &mut self.drafts {
            let last = draft.last_key;
            let ends = |step: &&Step| match step.act {
                Act::End(key) | Act::See { key, found: None } => step.certain && key == last,
                _ => false,
            };
            let live = |step: &&Step| {
                step.act
                    .takes_it_to_be()
                    .is_some_and(|seen| seen != Seen::Dead)
            };
            let live = draft.steps.iter().filter(live);
            let live = live.map(|step| step.returned.tick).max().unwrap_or(0);
            draft.last_live = live.max(draft.last_live).max(draft.begun);
            let ends = draft.steps.iter().filter(ends);
            let ended = ends.map(|step| step.returned.tick).min();
            draft.over = ended.map_or(u64::MAX, |tick| draft.over_after(tick));
        }
    }

    /// What concerns all sessions of an owner. Those that must be dead by then are left out: it would change
    /// nothing, and there are many. Only what shows one of them live is kept.
    fn place_at_large(&mut self, at: usize, op: &Op, owners: &mut Owners) {
        let act = match (&op.call, &op.answer) {
            (_, Answer::Wrong(_)) | (Call::DestroyOthers(_), Answer::Gone) => return,
            (Call::Vanish, _) => {
                for draft in &mut self.drafts {
                    let act = Act::EndAll { except: None };
                    let begun = draft.begun <= op.returned.tick;
                    if draft.over >= op.called.tick && begun && draft.wants_to_know(op, &act, true)
                    {
                        draft.add(at, op, act, true);
                    }
                }
                return;
            }
            (Call::List, Answer::Listed(found)) => return self.add_list(at, op, found, owners),
            (Call::DestroyOwner, _) => Act::EndAll { except: None },
            (Call::DestroyOthers(key), _) => Act::EndAll { except: Some(*key) },
            _ => return,
        };
        let certain = !op.is_unknown();
        let until = if certain { op.returned.tick } else { u64::MAX };
        for &number in owners.sessions(op.owner, op.called.tick, until, &self.drafts) {
            let draft = &mut self.drafts[number];
            if draft.begun <= until && draft.wants_to_know(op, &act, certain) {
                draft.add(at, op, act.clone(), certain);
            }
        }
    }

    fn add(&mut self, key: Handle, at: usize, op: &Op, act: Act) {
        if let Some(&family) = self.of.get(&key) {
            self.drafts[family].add(at, op, act, !op.is_unknown());
        }
    }

    /// A renewal moves the session too, to a key that finds it just like the old one: for a moment neither does.
    fn add_renewal(&mut self, key: Handle, at: usize, op: &Op) {
        if let Some(&family) = self.of.get(&key) {
            let draft = &mut self.drafts[family];
            let told = op.renewed.is_some();
            draft.add(at, op, Act::Leave { from: key }, told);
            draft.add(at, op, Act::Arrive { to: Some(key) }, told);
        }
    }

    fn add_list(&mut self, at: usize, op: &Op, found: &[(Handle, Value)], owners: &mut Owners) {
        let mut shown = Vec::new();
        for one in found {
            if let Some(&number) = self.of.get(&one.0) {
                shown.push(number);
                // Two of one session cannot both be right, unless it was rotated in between.
                let key = (!self.nameless.contains(&one.0)).then_some(one.0);
                self.drafts[number].add(at, op, Act::List(Some((key, one.1))), true);
            }
        }
        let until = op.returned.tick;
        for &number in owners.sessions(op.owner, op.called.tick, until, &self.drafts) {
            let draft = &mut self.drafts[number];
            let news = draft.begun <= until && op.called.tick <= draft.last_live;
            if news && !shown.contains(&number) {
                draft.add(at, op, Act::List(None), true);
            }
        }
    }
}

fn write(key: Handle, op: &Op, answer: &Answer) -> Option<Act> {
    let stored = match answer {
        Answer::Stored { value, base, .. } => Some((value, base)),
        Answer::Unknown(_) => None,
        _ => return None,
    };
    let (base, count) = match (&op.call, stored) {
        (Call::Save { version, count, .. }, _) => (Base::Version(*version), Some(*count)),
        (Call::Overwrite { count, .. }, _) => (Base::Any, Some(*count)),
        (_, Some((value, Some((writer, count))))) => {
            let base = Value {
                version: value.version.saturating_sub(1),
                writer: *writer,
                count: *count,
            };
            (Base::Exactly(base), None)
        }
        _ => (Base::Any, None),
    };
    Some(Act::Write {
        key,
        base,
        writer: op.number,
        count,
        version: stored.map(|(value, _)| value.version),
    })
}
