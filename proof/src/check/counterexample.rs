use std::fmt;

use super::draft::Family;
use super::model::{Model, State};
use super::search::{Found, Search};
use super::step::Step;
use super::verdict::Verdict;
use crate::history::{Call, Op, short};

/// Longer ones are shown from here before their end.
const LINES: usize = 40;

/// Why a history cannot be: as few operations of one session as show it.
#[derive(Clone, Debug)]
pub(crate) struct Counterexample {
    pub(crate) verdict: Verdict,
    text: String,
}

impl Counterexample {
    /// An answer that is wrong by itself.
    pub(crate) fn of_answer(op: &Op) -> Self {
        Self {
            verdict: Verdict::Impossible,
            text: format!("  {op}"),
        }
    }
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:\n{}", self.verdict, self.text)
    }
}

/// What is wrong with the history of one session, if something is.
pub(crate) fn judge(family: &Family, model: Model, ops: &[Op]) -> Option<Counterexample> {
    let steps = &family.steps;
    match Search::new(model, steps).order(u64::MAX) {
        Found::Order => None,
        Found::Undecided => Some(Counterexample {
            verdict: Verdict::Undecided,
            text: list(steps, ops, None),
        }),
        Found::None => Some(explain(steps, model, ops)),
    }
}

fn explain(steps: &[Step], model: Model, ops: &[Op]) -> Counterexample {
    let culprit = culprit(steps, model);
    let mut kept: Vec<Step> = steps
        .iter()
        .filter(|step| step.called.tick <= culprit.returned.tick)
        .cloned()
        .collect();
    let states = before(&kept, &culprit, model);
    let verdict = Verdict::of(&culprit, &states, steps);
    shrink(&mut kept, &culprit, model);
    let states = before(&kept, &culprit, model);
    let text = list(&kept, ops, Some((&culprit, &states)));
    Counterexample { verdict, text }
}

/// The first step to return that does not fit what was answered before.
fn culprit(steps: &[Step], model: Model) -> Step {
    let search = Search::new(model, steps);
    let mut by_return: Vec<&Step> = steps.iter().filter(|step| step.certain).collect();
    by_return.sort_by_key(|step| step.returned.tick);
    // What does not fit does not fit with more of it either.
    let fits = by_return.partition_point(|step| search.order(step.returned.tick) == Found::Order);
    by_return[fits.min(by_return.len() - 1)].clone()
}

/// What the session could be just before the culprit's answer, without the culprit.
fn before(steps: &[Step], culprit: &Step, model: Model) -> Vec<State> {
    let others: Vec<Step> = steps
        .iter()
        .filter(|step| !same(step, culprit))
        .cloned()
        .collect();
    Search::new(model, &others).states(culprit.returned.tick - 1)
}

/// Leaves out what only looked, as long as no order is found for the rest.
fn shrink(steps: &mut Vec<Step>, culprit: &Step, model: Model) {
    let mut at = 0;
    while at < steps.len() {
        let step = &steps[at];
        let may_go = step.act.only_looks() && !same(step, culprit);
        if may_go {
            let mut rest = steps.clone();
            rest.remove(at);
            if Search::new(model, &rest).order(culprit.returned.tick) == Found::None {
                *steps = rest;
                continue;
            }
        }
        at += 1;
    }
}

fn same(one: &Step, other: &Step) -> bool {
    one.op == other.op && one.called == other.called && one.act.key() == other.act.key()
}

fn list(steps: &[Step], ops: &[Op], culprit: Option<(&Step, &[State])>) -> String {
    let mut numbers: Vec<usize> = steps.iter().map(|step| step.op).collect();
    let first = numbers.first().map_or(0, |at| ops[*at].called.tick);
    let last = steps.iter().map(|step| step.called.tick).max().unwrap_or(0);
    let meanwhile = |op: &Op| op.returned.tick > first && op.called.tick < last;
    let faults = ops
        .iter()
        .enumerate()
        .filter(|(_, op)| matches!(op.call, Call::Fault(_)));
    numbers.extend(faults.filter(|(_, op)| meanwhile(op)).map(|(at, _)| at));
    numbers.sort_unstable();
    numbers.dedup();
    let mut lines: Vec<String> = Vec::new();
    for at in numbers {
        if culprit.is_none_or(|(culprit, _)| culprit.op != at) {
            lines.push(format!("  {}", ops[at]));
        }
    }
    let hidden = lines.len().saturating_sub(LINES);
    if hidden > 0 {
        lines.drain(..hidden);
        lines.insert(0, format!("  ({hidden} earlier operations)"));
    }
    if let Some((culprit, states)) = culprit {
        let states: Vec<String> = states.iter().map(tell).collect();
        lines.push(format!("  then it is: {}", states.join("; or: ")));
        lines.push(format!("> {}", ops[culprit.op]));
        lines.extend(around(&ops[culprit.op], ops));
    }
    lines.join("\n")
}

/// What else was asked of the owner's sessions at the time: it may be why, though it is of no session in question.
fn around(culprit: &Op, ops: &[Op]) -> Vec<String> {
    let meanwhile = |op: &&Op| {
        op.owner == culprit.owner
            && op.changes()
            && op.returned.tick > culprit.called.tick
            && op.called.tick < culprit.returned.tick
            && op.number != culprit.number
    };
    let mut lines: Vec<String> = ops
        .iter()
        .filter(meanwhile)
        .take(LINES)
        .map(|op| {
            let millis = op.called.millis - culprit.called.millis;
            format!("    {op} ({millis:+} ms)")
        })
        .collect();
    let lasted = culprit.returned.millis - culprit.called.millis;
    lines.insert(
        0,
        format!("  in the {lasted} ms of this, of the same owner:"),
    );
    lines
}

fn tell(state: &State) -> String {
    match state {
        State::Unborn => "not begun".to_owned(),
        State::Ended => "ended".to_owned(),
        State::Moving(..) => "between two keys".to_owned(),
        State::Live(live) => {
            let key = live
                .key
                .map_or("a key that nobody knows".to_owned(), |key| short(&key));
            format!("live as {key} with {}", live.value)
        }
    }
}
