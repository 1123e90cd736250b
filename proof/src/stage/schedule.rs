use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use fastrand::Rng;

use super::fault::Fault;
use super::{Stage, StoreKind};
use crate::app::Child;
use crate::history::{Answer, Call, Op, Stopwatch};

/// One fault after another, until told to stop.
#[derive(Debug)]
pub(crate) struct Schedule {
    pub(crate) dice: Rng,
    pub(crate) children: Vec<Arc<Child>>,
    pub(crate) stopwatch: Arc<Stopwatch>,
    pub(crate) numbers: Arc<AtomicU64>,
}

/// What was done.
#[derive(Debug, Default)]
pub(crate) struct Suffered {
    pub(crate) faults: BTreeMap<String, u64>,
    /// What belongs into the history: a store in memory that went with its application.
    pub(crate) ops: Vec<Op>,
}

impl Schedule {
    /// On a thread of its own: it waits.
    pub(crate) fn run(
        mut self,
        stage: &mut Stage,
        stop: &AtomicBool,
    ) -> Result<Suffered, Box<dyn Error + Send + Sync>> {
        let mut suffered = Suffered::default();
        let faults = stage.faults();
        loop {
            self.rest(stop);
            if stop.load(Ordering::Relaxed) {
                return Ok(suffered);
            }
            let fault = faults[self.dice.usize(0..faults.len())];
            let longest = u64::try_from(fault.longest().as_millis()).unwrap_or(u64::MAX);
            // Short ones are more frequent.
            let millis = self.dice.u64(0..=longest).min(self.dice.u64(0..=longest));
            let lasts = Duration::from_millis(millis);
            let number = self.dice.usize(..);
            let child = &self.children[number % self.children.len()];
            match fault {
                Fault::KillApplication => {
                    let op = self.kill(child, stage.kind())?;
                    suffered.ops.extend(op);
                }
                Fault::PauseApplication => {
                    child.stop();
                    std::thread::sleep(lasts);
                    child.cont();
                }
                _ => stage.suffer(fault, lasts, number)?,
            }
            *suffered.faults.entry(fault.to_string()).or_default() += 1;
        }
    }

    /// Kills an application. With a store in memory, that ends all sessions.
    fn kill(&self, child: &Child, kind: StoreKind) -> std::io::Result<Option<Op>> {
        let called = self.stopwatch.now();
        child.kill_9()?;
        let op = Op {
            number: self.numbers.fetch_add(1, Ordering::Relaxed) + 1,
            client: 0,
            app: 0,
            owner: 0,
            call: Call::Vanish,
            answer: Answer::Done,
            called,
            returned: self.stopwatch.now(),
        };
        Ok((kind == StoreKind::Memory).then_some(op))
    }

    /// A while without faults, cut short by the end.
    fn rest(&mut self, stop: &AtomicBool) {
        let tenths = self.dice.u64(3..12);
        for _ in 0..tenths {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}
