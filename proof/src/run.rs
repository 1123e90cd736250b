use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cloakroom::Store;
use fastrand::Rng;
use tokio::runtime::Runtime;

use crate::app::{Application, Child, IDLE_TIMEOUT, Link};
use crate::check::{Model, Rules};
use crate::history::{Op, Stopwatch};
use crate::report::Checker;
use crate::round::{Round, settle};
use crate::stages::{Schedule, Stage};
use crate::{Ids, Note, Plan, Report, StoreKind};

/// After how long ids are renewed, if they are, where no process and no server makes anything slow.
const SOON: Duration = Duration::from_millis(5);

type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Runs on that store, with everything that can go wrong with it. `program` is the program that runs
/// [`serve`](crate::serve) when it is called with `application` and a store's address. What is said while it runs
/// goes to `progress`.
///
/// # Errors
/// If a server or an application does not start, or does not come back. What the store answers is no error.
pub fn run(
    kind: StoreKind,
    program: &Path,
    plan: Plan,
    mut progress: impl FnMut(&str),
) -> Fallible<Report> {
    let runtime = Runtime::new()?;
    let mut stage = Stage::open(kind, runtime.handle())?;
    let children: Result<Vec<_>, _> = stage
        .urls()
        .into_iter()
        .map(|url| Child::start(program.to_owned(), url, plan.ids).map(Arc::new))
        .collect();
    let children = children?;
    let links: Vec<Link> = children.iter().cloned().map(Link::Child).collect();
    let rules = rules(kind == StoreKind::RedisCluster, plan.ids);
    let name = match plan.ids {
        Ids::Renewed => format!("{kind}, renewed ids"),
        _ => kind.to_string(),
    };
    let mut checker = Checker::start(name, kind.promises(), rules);
    let (stopwatch, numbers) = (Arc::<Stopwatch>::default(), Arc::<AtomicU64>::default());

    let start = Instant::now();
    let mut number = 0;
    while number == 0 || start.elapsed() < plan.length {
        if !runtime.block_on(settle(&links, &numbers)) {
            return Err(format!("{kind}: the store does not answer any more").into());
        }
        number += 1;
        let round = Round::new(number, plan, links.clone(), &stopwatch, &numbers);
        let schedule = Schedule {
            dice: Rng::with_seed(plan.seed.wrapping_add(number)),
            children: children.clone(),
            stopwatch: Arc::clone(&stopwatch),
        };
        let stop = Arc::new(AtomicBool::new(false));
        let lasts = plan.round.min(plan.length.saturating_sub(start.elapsed()));
        let mut ops = std::thread::scope(|scope| -> Fallible<_> {
            let stage = &mut stage;
            let faults = scope.spawn(|| schedule.run(stage, &stop));
            let played = runtime.block_on(async {
                let clock = async {
                    tokio::time::sleep(lasts.max(Duration::from_secs(1))).await;
                    stop.store(true, Ordering::Relaxed);
                };
                tokio::join!(round.play(&stop), clock).0
            });
            let mut ops = faults.join().expect("a schedule does not panic")?;
            ops.extend(played);
            Ok(ops)
        })?;
        // What was acknowledged has to outlive both once more.
        let mut killed = vec![stage.restart()?.then_some("server killed and restarted")];
        if kind != StoreKind::Memory {
            for child in &children {
                child.kill_9()?;
                killed.push(Some("application killed"));
            }
        }
        let faults = killed.into_iter().flatten();
        ops.extend(faults.map(|fault| Op::fault(fault, &stopwatch)));
        runtime.block_on(settle(&links, &numbers));
        ops.extend(runtime.block_on(round.look()));
        progress(&format!("{kind}, round {number}: {} operations", ops.len()));
        checker.check(ops);
    }
    Ok(checker.finish(start.elapsed()))
}

/// Runs on that store in this process: two applications share it, nothing goes wrong, and `crash` is called before
/// the last look.
///
/// # Errors
/// If there is no runtime, or no random numbers.
pub fn run_here(
    name: &str,
    store: Arc<dyn Store<Note>>,
    plan: Plan,
    crash: impl Fn(),
) -> Fallible<Report> {
    let runtime = Runtime::new()?;
    let here = || -> Fallible<Link> {
        let application = Application::new(Arc::clone(&store), plan.ids, SOON)?;
        Ok(Link::Here(Arc::new(application)))
    };
    let links = vec![here()?, here()?];
    let mut checker = Checker::start(name.to_owned(), true, rules(false, plan.ids));
    let (stopwatch, numbers) = (Arc::<Stopwatch>::default(), Arc::<AtomicU64>::default());
    let start = Instant::now();
    let round = Round::new(1, plan, links, &stopwatch, &numbers);
    let stop = Arc::new(AtomicBool::new(false));
    let ops = runtime.block_on(async {
        let clock = async {
            tokio::time::sleep(plan.length).await;
            stop.store(true, Ordering::Relaxed);
        };
        let mut ops = tokio::join!(round.play(&stop), clock).0;
        crash();
        ops.extend(round.look().await);
        ops
    });
    checker.check(ops);
    Ok(checker.finish(start.elapsed()))
}

fn rules(rotates_in_two: bool, ids: Ids) -> Rules {
    let idle_timeout = i64::try_from(IDLE_TIMEOUT.as_millis()).expect("a few seconds");
    Rules {
        model: Model { idle_timeout },
        rotates_in_two,
        ids,
    }
}
