use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fastrand::Rng;

use super::fault::Fault;
use super::{Stage, StoreKind};
use crate::app::Child;
use crate::history::{Call, Op, Stopwatch};

/// One fault after another, until told to stop.
#[derive(Debug)]
pub(crate) struct Schedule {
    pub(crate) dice: Rng,
    pub(crate) children: Vec<Arc<Child>>,
    pub(crate) stopwatch: Arc<Stopwatch>,
}

impl Schedule {
    /// What was done. On a thread of its own: it waits.
    pub(crate) fn run(
        mut self,
        stage: &mut Stage,
        stop: &AtomicBool,
    ) -> Result<Vec<Op>, Box<dyn Error + Send + Sync>> {
        let mut ops = Vec::new();
        let faults = stage.faults();
        let mut primaries = stage.primaries();
        loop {
            self.rest(stop, stage, &mut primaries, &mut ops);
            if stop.load(Ordering::Relaxed) {
                return Ok(ops);
            }
            let fault = faults[self.dice.usize(0..faults.len())];
            let longest = u64::try_from(fault.longest().as_millis()).unwrap_or(u64::MAX);
            // Short ones are more frequent.
            let millis = self.dice.u64(0..=longest).min(self.dice.u64(0..=longest));
            let lasts = Duration::from_millis(millis);
            let number = self.dice.usize(..);
            let child = &self.children[number % self.children.len()];
            let mut op = Op::fault(&fault.to_string(), &self.stopwatch);
            match fault {
                Fault::KillApplication => child.kill_9()?,
                Fault::PauseApplication => {
                    child.stop();
                    std::thread::sleep(lasts);
                    child.cont();
                }
                _ => stage.suffer(fault, lasts, number)?,
            }
            op.returned = self.stopwatch.now();
            if fault == Fault::FailOver {
                primaries = stage.primaries();
            }
            // A store in memory goes with its application.
            if fault == Fault::KillApplication && stage.kind() == StoreKind::Memory {
                let call = Call::Vanish;
                ops.push(Op { call, ..op.clone() });
            }
            ops.push(op);
        }
    }

    /// A while without faults, cut short by the end. But a replica takes over unasked if its primary was silent for too
    /// long, because it was paused or because the machine is busy, and that may lose writes as a failover does.
    fn rest(
        &mut self,
        stop: &AtomicBool,
        stage: &Stage,
        primaries: &mut Vec<usize>,
        ops: &mut Vec<Op>,
    ) {
        let tenths = self.dice.u64(3..12);
        for _ in 0..tenths {
            let before = self.stopwatch.now();
            let now = stage.primaries();
            // While it is being decided, one is missing.
            if now.len() == primaries.len() && now != *primaries {
                *primaries = now;
                let mut op = Op::fault("replica took over unasked", &self.stopwatch);
                op.called = before;
                ops.push(op);
            }
            if stop.load(Ordering::Relaxed) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}
