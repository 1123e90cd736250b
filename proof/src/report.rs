use std::collections::BTreeMap;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::Verdict;
use crate::check::{Counterexample, Rules, families, judge};
use crate::history::{Answer, Call, Op};

/// As many counterexamples are kept of each kind.
const KEPT: u64 = 3;

/// What came of a run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    store: String,
    promises: bool,
    operations: u64,
    sessions: u64,
    unknown: u64,
    renewals: u64,
    faults: BTreeMap<String, u64>,
    verdicts: BTreeMap<&'static str, u64>,
    counterexamples: Vec<Counterexample>,
    took: Duration,
}

impl Report {
    /// How many operations were asked for and checked.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.operations
    }

    /// How many writes got no answer, or the answer that the store did not answer.
    #[must_use]
    pub fn unknown(&self) -> u64 {
        self.unknown
    }

    /// How many sessions got a fresh id because they had theirs for a while.
    #[must_use]
    pub fn renewals(&self) -> u64 {
        self.renewals
    }

    /// How many things went wrong that we saw to.
    #[must_use]
    pub fn faults(&self) -> u64 {
        self.faults.values().sum()
    }

    /// How many sessions have a history of that kind.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> u64 {
        self.verdicts.get(column(verdict)).copied().unwrap_or(0)
    }

    /// Whether the store did nothing that it promises not to do. That a write which nobody acknowledged is seen before
    /// it is safe breaks no promise, and InnoDB does it: it is counted, and no failure.
    #[must_use]
    pub fn is_fine(&self) -> bool {
        let harmless = column(Verdict::SeenTooSoon);
        !self.promises || self.verdicts.keys().all(|verdict| *verdict == harmless)
    }

    /// The first few histories that no order explains, told for readers.
    pub fn counterexamples(&self) -> impl Iterator<Item = String> + '_ {
        let all = self.counterexamples.iter();
        all.map(|example| format!("{}: {example}", self.store))
    }
}

fn column(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::LostWrite => "lost",
        Verdict::SeenTooSoon => "seen too soon",
        Verdict::BroughtBack => "brought back",
        Verdict::StaleRead => "stale",
        Verdict::Impossible => "impossible",
        Verdict::Undecided => "undecided",
    }
}

/// All reports as one table, with what happened below it.
#[must_use]
pub fn table(reports: &[Report]) -> String {
    let mut text = String::from(
        "| store | operations checked | sessions | faults | unknown outcomes | acknowledged writes lost | seen too soon | \
         brought back to life | stale reads | otherwise impossible | undecided | seconds |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for report in reports {
        let count = |verdict| report.count(verdict);
        let measured = if report.promises { "" } else { " (measured)" };
        text.push_str(&format!(
            "| {}{measured} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
            report.store,
            report.operations,
            report.sessions,
            report.faults(),
            report.unknown,
            count(Verdict::LostWrite),
            count(Verdict::SeenTooSoon),
            count(Verdict::BroughtBack),
            count(Verdict::StaleRead),
            count(Verdict::Impossible),
            count(Verdict::Undecided),
            report.took.as_secs(),
        ));
    }
    text.push('\n');
    for report in reports {
        let faults = report.faults.iter();
        let mut faults: Vec<_> = faults
            .map(|(name, count)| format!("{name} {count}"))
            .collect();
        if report.renewals > 0 {
            faults.push(format!("ids renewed {}", report.renewals));
        }
        text.push_str(&format!("{}: {}\n", report.store, faults.join(", ")));
    }
    text
}

/// Checks one round while the next is played.
#[derive(Debug)]
pub(crate) struct Checker {
    rounds: mpsc::Sender<Vec<Op>>,
    thread: JoinHandle<Report>,
}

impl Checker {
    pub(crate) fn start(store: String, promises: bool, rules: Rules) -> Self {
        let (rounds, inbox) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let mut report = Report {
                store,
                promises,
                ..Report::default()
            };
            for ops in inbox {
                report.add(ops, rules);
            }
            report
        });
        Self { rounds, thread }
    }

    pub(crate) fn check(&mut self, ops: Vec<Op>) {
        let sent = self.rounds.send(ops);
        sent.expect("the checker checks until it is finished");
    }

    pub(crate) fn finish(self, took: Duration) -> Report {
        drop(self.rounds);
        let mut report = self.thread.join().expect("the checker does not panic");
        report.took = took;
        report
    }
}

impl Report {
    /// Checks one round's history.
    fn add(&mut self, mut ops: Vec<Op>, rules: Rules) {
        ops.sort_by_key(|op| op.called.tick);
        for op in &ops {
            match &op.call {
                Call::Fault(what) => *self.faults.entry(what.clone()).or_default() += 1,
                _ => self.operations += 1,
            }
        }
        self.unknown += ops
            .iter()
            .filter(|op| op.is_unknown() && op.changes())
            .count() as u64;
        // At the end of a request: elsewhere it is found out that another one did it.
        let renewal = |op: &&Op| op.renewed.is_some() && matches!(op.call, Call::Touch(_));
        self.renewals += ops.iter().filter(renewal).count() as u64;
        for op in &ops {
            if let Answer::Wrong(_) = op.answer {
                self.found(Counterexample::of_answer(op));
            }
        }
        let split = families(&ops, rules);
        for stray in split.strays {
            self.found(Counterexample::of_answer(&ops[stray]));
        }
        self.sessions += split.families.len() as u64;
        for family in &split.families {
            if let Some(example) = judge(family, rules.model, &ops) {
                self.found(example);
            }
        }
    }

    fn found(&mut self, example: Counterexample) {
        let count = self.verdicts.entry(column(example.verdict)).or_default();
        *count += 1;
        if *count <= KEPT {
            self.counterexamples.push(example);
        }
    }
}
