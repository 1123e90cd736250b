use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;

use fastrand::Rng;

use crate::Plan;
use crate::app::Link;
use crate::clients::{Client, Jar};
use crate::history::{Op, Stopwatch};

/// How many read at once at the end of a round.
const READERS: usize = 8;

/// Clients that start together and rest together, with sessions of their own.
#[derive(Debug)]
pub(crate) struct Round {
    number: u64,
    plan: Plan,
    links: Vec<Link>,
    stopwatch: Arc<Stopwatch>,
    numbers: Arc<AtomicU64>,
    jars: Vec<Arc<Jar>>,
}

impl Round {
    pub(crate) fn new(
        number: u64,
        plan: Plan,
        links: Vec<Link>,
        stopwatch: &Arc<Stopwatch>,
        numbers: &Arc<AtomicU64>,
    ) -> Self {
        // Each two browsers are one person's.
        let owner = |jar: usize| number * 1_000 + jar as u64 / 2;
        let jars = (0..plan.jars)
            .map(|jar| Arc::new(Jar::new(u32::try_from(owner(jar)).unwrap_or(u32::MAX))))
            .collect();
        Self {
            number,
            plan,
            links,
            stopwatch: Arc::clone(stopwatch),
            numbers: Arc::clone(numbers),
            jars,
        }
    }

    /// What happened until `stop`.
    pub(crate) async fn play(&self, stop: &Arc<AtomicBool>) -> Vec<Op> {
        let mut tasks = Vec::new();
        for number in 0..self.plan.jars * self.plan.tabs {
            let jar = &self.jars[number / self.plan.tabs];
            let client = self.client(number + 1, jar);
            tasks.push(tokio::spawn(client.run(Arc::clone(stop))));
        }
        gather(tasks).await
    }

    /// Reads every session that there ever was.
    pub(crate) async fn look(&self) -> Vec<Op> {
        let mut tasks = Vec::new();
        for jar in &self.jars {
            let cookies = jar.all();
            let size = cookies.len().div_ceil(READERS).max(1);
            for part in cookies.chunks(size) {
                let reader = self.client(self.plan.jars * self.plan.tabs + 1, jar);
                tasks.push(tokio::spawn(reader.read_all(part.to_vec())));
            }
        }
        gather(tasks).await
    }

    fn client(&self, number: usize, jar: &Arc<Jar>) -> Client {
        let seed = [self.plan.seed, self.number, number as u64]
            .into_iter()
            .fold(0, |seed, part| Rng::with_seed(seed ^ part).u64(..));
        Client {
            number,
            dice: Rng::with_seed(seed),
            jar: Arc::clone(jar),
            links: self.links.clone(),
            stopwatch: Arc::clone(&self.stopwatch),
            numbers: Arc::clone(&self.numbers),
            ids: self.plan.ids,
            ops: Vec::new(),
        }
    }
}

async fn gather(tasks: Vec<tokio::task::JoinHandle<Vec<Op>>>) -> Vec<Op> {
    let mut ops = Vec::new();
    for task in tasks {
        ops.extend(task.await.expect("a client does not panic"));
    }
    ops
}

/// Waits until the store answers: one read that is part of no history.
pub(crate) async fn settle(links: &[Link], numbers: &AtomicU64) -> bool {
    use crate::app::{Outcome, Verb};
    use std::sync::atomic::Ordering;

    for link in links {
        let mut well = false;
        for _ in 0..600 {
            let request = numbers.fetch_add(1, Ordering::Relaxed) + 1;
            let open = Verb::Open {
                cookie: None,
                load: true,
            };
            let opened = link.ask(request, open).await;
            let listed = link.ask(request, Verb::List { owner: 0 }).await;
            let _ = link.ask(request, Verb::Finish).await;
            let fine = listed.is_ok_and(|reply| reply.outcome == Outcome::Done);
            if opened.is_ok() && fine {
                well = true;
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        if !well {
            return false;
        }
    }
    true
}
