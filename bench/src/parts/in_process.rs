//! What a session adds to one request, in one process, without sockets: nanoseconds, instructions, allocations.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use crate::Failure;
use crate::allocations;
use crate::app::{self, App, Settings, Subject};
use crate::callgrind;
use crate::case::Case;
use crate::figure::Figure;
use crate::part::Part;
use crate::run::Run;
use crate::steps;
use crate::visitors::Visitors;

const REQUESTS: u32 = 2_000;

/// Of which allocations are counted.
const COUNTED: u32 = 200;

/// Each step is slow.
const ROUNDS_OF_STEPS: usize = 9;

/// A request that took longer was interrupted by something else on the machine, and is not counted. What a library
/// does rarely and for long shows in the part on memory.
const INTERRUPTED: Duration = Duration::from_micros(200);

/// The application and the same one without sessions.
fn pair(subject: &str, sessions: &str) -> Result<(Subject, u64, [Visitors; 2]), Failure> {
    let subject = Subject::parse(subject).ok_or("no such subject")?;
    let sessions = sessions.parse()?;
    let app = Visitors::sign_in(build(subject, sessions)?, sessions);
    // The same cookie goes to the one that does not look at it.
    let base = app.beside(build(subject.base(), sessions)?);
    Ok((subject, sessions, [base, app]))
}

fn build(subject: Subject, sessions: u64) -> Result<Box<dyn App>, Failure> {
    Ok(background()?.block_on(app::build(subject, &Settings::resident(sessions))))
}

/// Tasks of the libraries themselves run here, beside the measured thread.
pub fn background() -> Result<&'static Runtime, Failure> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let runtime = RUNTIME.get_or_init(|| runtime);
    // For this thread, for good.
    std::mem::forget(runtime.enter());
    Ok(runtime)
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
    (nanoseconds(visitors, case), counted(visitors, case))
}

fn nanoseconds(visitors: &mut Visitors, case: Case) -> f64 {
    let mut spent = Duration::ZERO;
    let mut timed = 0;
    for _ in 0..REQUESTS {
        visitors.prepare(case);
        let start = Instant::now();
        visitors.serve();
        let took = start.elapsed();
        if took < INTERRUPTED {
            spent += took;
            timed += 1;
        }
        visitors.finish(case);
    }
    spent.as_nanos() as f64 / f64::from(timed.max(1))
}

/// Of other requests than those that are timed, as counting takes time.
fn counted(visitors: &mut Visitors, case: Case) -> f64 {
    let before = allocations::count();
    for _ in 0..COUNTED {
        visitors.prepare(case);
        allocations::be_counted(true);
        visitors.serve();
        allocations::be_counted(false);
        visitors.finish(case);
    }
    (allocations::count() - before) as f64 / f64::from(COUNTED)
}

/// Under [`steps::count_in`]: for each case so many requests without sessions, then as many with them.
pub fn steps(subject: &str, sessions: &str, rounds: &str) -> Result<(), Failure> {
    let (subject, _, mut both) = pair(subject, sessions)?;
    let rounds: usize = rounds.parse()?;
    steps::stay_on_one_processor()?;
    for case in cases(subject) {
        for visitors in &mut both {
            for _ in 0..200 {
                visitors.request(case);
            }
        }
        for visitors in &mut both {
            for _ in 0..rounds {
                visitors.prepare(case);
                steps::counted(&mut || visitors.serve());
                visitors.finish(case);
            }
        }
    }
    Ok(())
}

/// Under callgrind: one case of one application, or of the one without sessions that it is compared with.
pub fn callgrind(subject: &str, which: &str, case: &str, requests: &str) -> Result<(), Failure> {
    let (_, requests, [bare, with]) = pair(subject, requests)?;
    let case = Case::ALL[case.parse::<usize>()?];
    let mut visitors = if which == "bare" { bare } else { with };
    for _ in 0..requests {
        visitors.request(case);
    }
    for _ in 0..requests {
        visitors.prepare(case);
        visitors.serve_counted();
        visitors.finish(case);
    }
    Ok(())
}

/// The whole part, from the process that starts the others.
pub fn run(run: &Run) -> Result<Part, Failure> {
    let mut part = Part::new(
        "a",
        "One request, in process",
        "What a session adds to a request of the same router without sessions, with a trivial handler, without \
         sockets. Every figure is above the same request to the bare router, both taking turns. Sessions are met \
         at random.",
    );
    for subject in Subject::LIBRARIES {
        part.setting(subject.name(), subject.setup());
    }
    part.setting(Subject::Optimum.name(), Subject::Optimum.setup());
    part.setting(
        "instructions",
        &format!(
            "counted one by one on this processor (`PTRACE_SINGLESTEP`), median of {ROUNDS_OF_STEPS} requests at 10,000 \
             sessions, else of 3; those inside the kernel do not count. The allocator's vary with what was freed before"
        ),
    );
    part.setting(
        "instructions, callgrind",
        "callgrind's count: it shows programs a processor without SHA instructions, so hashing weighs much more",
    );
    part.setting(
        "nanoseconds, allocations",
        &format!("rounds of {REQUESTS} requests; a request over {INTERRUPTED:?} was interrupted and is left out"),
    );
    let sizes: &[u64] = run.pick(&[1, 10_000, 1_000_000], &[1, 10_000]);
    let subjects = [&Subject::LIBRARIES[..], &[Subject::Optimum]].concat();
    for &sessions in sizes {
        for &subject in &subjects {
            // Without a store it is the same however many there are.
            if subject == Subject::ActixSession && sessions > 10_000 {
                continue;
            }
            let size = sessions.to_string();
            run.say(&format!("a: {}, {size} sessions", subject.name()));
            let rounds = run.pick("21", "7");
            part.figures.extend(run.measure(&["requests", subject.id(), &size, rounds])?);
            if steps::AVAILABLE && !(run.is_quick() && sessions == 1) {
                part.figures.extend(stepped(run, subject, sessions)?);
            }
        }
    }
    if !steps::AVAILABLE {
        part.note("instructions: counted one by one on x86-64 only; callgrind's are below");
    }
    if run.has_program("valgrind") {
        run.say("a: callgrind");
        part.figures.extend(profiled(run, run.pick(&subjects[..], &[Subject::Cloakroom]))?);
    } else {
        part.note("callgrind: not measured, valgrind is not installed");
    }
    Ok(part)
}

fn stepped(run: &Run, subject: Subject, sessions: u64) -> Result<Vec<Figure>, Failure> {
    let rounds: usize = if run.is_quick() || sessions != 10_000 { 3 } else { ROUNDS_OF_STEPS };
    let size = sessions.to_string();
    let mut child = run.child(&["steps", subject.id(), &size, &rounds.to_string()])?;
    let counts = steps::count_in(&mut child)?;
    let cases = cases(subject);
    if counts.len() != cases.len() * 2 * rounds {
        return Err(format!("{} counts of {}", counts.len(), subject.name()).into());
    }
    let figures = cases.iter().zip(counts.chunks(2 * rounds)).flat_map(|(case, counts)| {
        let counts: Vec<f64> = counts.iter().map(|&count| count as f64).collect();
        let (bare, with) = counts.split_at(rounds);
        let metric = "instructions";
        let bare = Figure::of(subject.base().name(), case.name(), sessions, metric, bare.to_vec());
        let above = with.iter().map(|with| with - bare.median).collect();
        [Figure::of(subject.name(), case.name(), sessions, metric, above), bare]
    });
    Ok(figures.collect())
}

fn profiled(run: &Run, subjects: &[Subject]) -> Result<Vec<Figure>, Failure> {
    let requests: u32 = *run.pick(&300, &100);
    let count = |subject: Subject, which: &str, case: usize| {
        let arguments = [subject.id(), which, &case.to_string(), &requests.to_string()];
        Ok::<_, Failure>(callgrind::total(run, &arguments)? as f64 / f64::from(requests))
    };
    let mut figures = Vec::new();
    for (number, case) in Case::ALL.into_iter().enumerate() {
        for &subject in subjects {
            if !cases(subject).contains(&case) {
                continue;
            }
            // The same requests, cookies and all, as above: each subject's are of another length.
            let above = count(subject, "with", number)? - count(subject, "bare", number)?;
            let metric = "instructions, callgrind";
            let size = u64::from(requests);
            figures.push(Figure::of(subject.name(), case.name(), size, metric, vec![above]));
        }
    }
    Ok(figures)
}

/// Those that make sense for it.
pub fn cases(subject: Subject) -> Vec<Case> {
    match subject {
        Subject::Optimum => vec![Case::Read],
        _ => Case::ALL.to_vec(),
    }
}

/// Memory that the system could still give.
pub fn available_kilobytes() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse().ok()).unwrap_or(0)
}
