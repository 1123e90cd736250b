//! What a session adds to one request, in one process, without sockets: nanoseconds, instructions, allocations.

use std::time::Instant;

use crate::Failure;
use crate::allocations;
use crate::app::{self, Settings, Subject};
use crate::case::Case;
use crate::figure::Figure;
use crate::steps;
use crate::visitors::Visitors;

const REQUESTS: u32 = 2_000;

/// The application and the same one without sessions.
fn pair(subject: &str, sessions: &str) -> Result<(Subject, u64, [Visitors; 2]), Failure> {
    let subject = Subject::parse(subject).ok_or("no such subject")?;
    let sessions = sessions.parse()?;
    let settings = Settings::resident(sessions);
    // Tasks of the libraries themselves run beside.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let both = runtime.block_on(async {
        [app::build(subject.base(), &settings).await, app::build(subject, &settings).await]
    });
    // Lives as long as the process.
    let runtime = Box::leak(Box::new(runtime));
    std::mem::forget(runtime.enter());
    let [base, app] = both;
    let app = Visitors::sign_in(app, sessions);
    // The same cookie goes to the one that does not look at it.
    let base = app.beside(base);
    Ok((subject, sessions, [base, app]))
}

/// Nanoseconds and allocations; the two take turns.
pub fn requests(subject: &str, sessions: &str, rounds: &str) -> Result<(), Failure> {
    let (subject, sessions, mut both) = pair(subject, sessions)?;
    let rounds: usize = rounds.parse()?;
    for case in cases(subject) {
        let mut nanos = Vec::new();
        let mut bare_nanos = Vec::new();
        let mut counts = Vec::new();
        for visitors in &mut both {
            one_round(visitors, case);
        }
        for _ in 0..rounds {
            let [bare, with] = both.each_mut().map(|visitors| one_round(visitors, case));
            nanos.push(with.0 - bare.0);
            bare_nanos.push(bare.0);
            counts.push(with.1 - bare.1);
        }
        let name = subject.name();
        Figure::of(name, case.name(), sessions, "nanoseconds", nanos).print();
        Figure::of(subject.base().name(), case.name(), sessions, "nanoseconds", bare_nanos).print();
        Figure::of(name, case.name(), sessions, "allocations", counts).print();
    }
    Ok(())
}

/// Nanoseconds and allocations for each request.
fn one_round(visitors: &mut Visitors, case: Case) -> (f64, f64) {
    let mut nanos = 0;
    let mut count = 0;
    for _ in 0..REQUESTS {
        visitors.prepare(case);
        let before = allocations::count();
        let start = Instant::now();
        visitors.serve();
        nanos += start.elapsed().as_nanos();
        count += allocations::count() - before;
        visitors.finish(case);
    }
    (nanos as f64 / f64::from(REQUESTS), count as f64 / f64::from(REQUESTS))
}

/// Under [`steps::count_in`]: for each case and round one request without sessions and one with.
pub fn steps(subject: &str, sessions: &str, rounds: &str) -> Result<(), Failure> {
    let (subject, _, mut both) = pair(subject, sessions)?;
    let rounds: usize = rounds.parse()?;
    for case in cases(subject) {
        for visitors in &mut both {
            for _ in 0..200 {
                visitors.request(case);
            }
        }
        for _ in 0..rounds {
            for visitors in &mut both {
                visitors.prepare(case);
                steps::counted(&mut || visitors.serve());
                visitors.finish(case);
            }
        }
    }
    Ok(())
}

/// Under callgrind, which writes a profile after each case: without sessions, and with.
pub fn callgrind(subject: &str, sessions: &str, requests: &str) -> Result<(), Failure> {
    let (subject, _, mut both) = pair(subject, sessions)?;
    let requests: usize = requests.parse()?;
    for case in cases(subject) {
        for visitors in &mut both {
            for _ in 0..200 {
                visitors.request(case);
            }
            callgrind_zero();
            for _ in 0..requests {
                visitors.request(case);
            }
            callgrind_dump();
        }
    }
    Ok(())
}

/// Callgrind is told to begin anew here.
#[inline(never)]
fn callgrind_zero() {
    std::hint::black_box(());
}

/// And to write down what it has counted here.
#[inline(never)]
fn callgrind_dump() {
    std::hint::black_box(1);
}

/// Those that make sense for it.
pub fn cases(subject: Subject) -> Vec<Case> {
    match subject {
        Subject::Optimum => vec![Case::Read],
        _ => Case::ALL.to_vec(),
    }
}
