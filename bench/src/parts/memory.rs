//! The memory stores with many sessions in them: how fast, how big, and what happens when they all expire.

use std::time::{Duration, Instant};

use crate::Failure;
use crate::allocations::{be_counted, live_bytes};
use crate::app::{self, Settings, Subject};
use crate::case::{Case, User};
use crate::figure::Figure;
use crate::keep::{Keep, Ours, Ruts, TowerSessions, TowerSessions14, block_on};
use crate::part::Part;
use crate::parts::in_process::background;
use crate::run::Run;
use crate::visitors::{Dice, Visitors};

const OPERATIONS: usize = 100_000;

const SUBJECTS: [Subject; 5] = [
    Subject::Cloakroom,
    Subject::TowerSessions,
    Subject::TowerSessionsMoka,
    Subject::Ruts,
    Subject::AxumSession,
];

/// Those whose requests go on while the others' sessions expire.
const VISITORS: u64 = 1_000;

/// How often expired sessions are purged, where that is a setting.
const PURGE: Duration = Duration::from_secs(1);

/// How the operations are measured, each in a process of its own.
const PAGES: [(&str, &[(&str, &str)]); 2] = [
    ("usual", &[]),
    // Most of an operation on one session of a million is waiting for memory, and part of that for finding out where
    // a page of 4 kB lies.
    ("huge", &[("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")]),
];

/// What is measured about expiry, each in a process of its own.
const EXPIRIES: [(&str, &[(&str, &str)]); 3] = [
    ("expire", &[]),
    // The allocator's share of the worst request: glibc keeps small pieces that are freed apart, and puts all of
    // them together when a large one is freed, while whoever needs memory waits.
    ("expire-merging", &[("GLIBC_TUNABLES", "glibc.malloc.mxfast=0")]),
    ("stay", &[]),
];

pub fn run(run: &Run) -> Result<Part, Failure> {
    let mut part = Part::new(
        "c",
        "Memory stores",
        "Many sessions with a small struct in each. Bytes are those that the program asked the allocator for and \
         has not given back. While the sessions expire, requests go on as fast as one thread makes them; the same \
         again with sessions that do not expire.",
    );
    let sessions = *run.pick(&1_000_000u64, &50_000);
    let lifetime = *run.pick(&30u64, &4);
    part.setting("sessions", &sessions.to_string());
    part.setting("lifetime in the expiry runs", &format!("{lifetime} s"));
    part.setting(
        "operations",
        &format!(
            "rounds of {OPERATIONS}: `get` of one session after the other, in an order in which they were not made; \
             `set` of one of the first thousand, which for Cloakroom is a compare-and-set of a live one"
        ),
    );
    part.setting(
        "purging",
        "as it comes; axum_session, whose default is once in an hour and a look every five minutes, is set to one \
         second; tower-sessions' `MemoryStore` has no purge",
    );
    part.setting(
        "huge pages",
        "the same with `GLIBC_TUNABLES=glibc.malloc.hugetlb=1`, with which glibc's allocator asks for pages of 2 MB; \
         the kernel's `transparent_hugepage/enabled` must not be `never`",
    );
    part.setting(
        "pieces merged at once",
        "the same with `GLIBC_TUNABLES=glibc.malloc.mxfast=0`; without that, glibc's allocator merges all small pieces \
         that were freed when a large one is freed, and whoever needs memory waits meanwhile",
    );
    let size = sessions.to_string();
    for subject in SUBJECTS {
        run.say(&format!("c: {}", subject.name()));
        if subject != Subject::AxumSession {
            let rounds = run.pick("7", "3");
            for (pages, variables) in PAGES {
                let arguments = ["store", subject.id(), &size, rounds, pages];
                part.figures.extend(run.measure_where(&arguments, variables)?);
            }
        }
        let seconds = lifetime.to_string();
        for (kind, variables) in EXPIRIES {
            let arguments = ["expiry", subject.id(), &size, &seconds, kind];
            part.figures.extend(run.measure_where(&arguments, variables)?);
        }
    }
    part.note("axum_session has no store that could be called without a request");
    Ok(part)
}

/// Operations in a second, with one thread and with two.
pub fn store(subject: &str, sessions: &str, rounds: &str, pages: &str) -> Result<(), Failure> {
    let subject = Subject::parse(subject).ok_or("no such subject")?;
    let sessions: u64 = sessions.parse()?;
    let rounds = (rounds.parse()?, pages);
    background()?;
    let user = serde_json::to_value(User::ada())?;
    match subject {
        Subject::Cloakroom => {
            let store = app::memory_store(&Settings::resident(sessions));
            clock(subject, Ours::new(store, User::ada()), sessions, rounds)
        }
        Subject::TowerSessions => {
            let store = tower_sessions::MemoryStore::default();
            clock(subject, TowerSessions::new(store, user), sessions, rounds)
        }
        Subject::TowerSessionsMoka => {
            let store = tower_sessions_moka_store::MokaStore::new(None);
            clock(subject, TowerSessions14::new(store, user), sessions, rounds)
        }
        Subject::Ruts => clock(subject, Ruts::new(sessions), sessions, rounds),
        other => Err(format!("{other:?} has no store").into()),
    }
}

fn clock(
    subject: Subject,
    mut keep: impl Keep,
    sessions: u64,
    (rounds, pages): (usize, &str),
) -> Result<(), Failure> {
    for _ in 0..sessions {
        block_on(keep.add())?;
    }
    // In which order they were made is not to help.
    let mut dice = Dice::new(0);
    for last in (1..sessions).rev() {
        keep.swap(last as usize, dice.below(last + 1) as usize);
    }
    for threads in [1, 2] {
        for (name, write) in [("get", false), ("set", true)] {
            let mut figures = Vec::new();
            for round in 0..=rounds {
                let start = Instant::now();
                std::thread::scope(|scope| {
                    let keep = &keep;
                    let running: Vec<_> = (0..threads)
                        .map(|thread| {
                            let dice = Dice::new(round as u64 * 2 + thread);
                            scope.spawn(move || operations(keep, dice, sessions, write))
                        })
                        .collect();
                    running.into_iter().try_for_each(|thread| thread.join().expect("no panic"))
                })?;
                // The first one warms up.
                if round > 0 {
                    let all = OPERATIONS as f64 * threads as f64;
                    figures.push(all / start.elapsed().as_secs_f64());
                }
            }
            let case = format!("{name}, {threads} thread{}", if threads == 1 { "" } else { "s" });
            let case = if pages == "huge" { format!("{case}, huge pages") } else { case };
            Figure::of(subject.name(), &case, sessions, "per second", figures).print();
        }
    }
    Ok(())
}

fn operations(keep: &impl Keep, mut dice: Dice, sessions: u64, write: bool) -> Result<(), Failure> {
    let first = dice.below(sessions) as usize;
    for operation in 0..OPERATIONS {
        if write {
            block_on(keep.set(dice.below(sessions.min(1_000)) as usize))?;
        } else {
            // One after the other, as they are mixed: drawing each would be waiting for the memory of the list of ids, of
            // which a request brings its own.
            block_on(keep.get((first + operation) % sessions as usize))?;
        }
    }
    Ok(())
}

/// One of [`EXPIRIES`]. Bytes of a session; what is left of them after they expired; the worst request meanwhile.
pub fn expiry(subject: &str, sessions: &str, lifetime: &str, kind: &str) -> Result<(), Failure> {
    let subject = Subject::parse(subject).ok_or("no such subject")?;
    let sessions: u64 = sessions.parse()?;
    let lifetime = Duration::from_secs(lifetime.parse()?);
    let expire = kind != "stay";
    let ttl = if expire { lifetime } else { lifetime * 100 };
    let settings = Settings { ttl, sessions, purge: Some(PURGE) };
    be_counted(true);
    let before = live_bytes();
    let app = background()?.block_on(app::build(subject, &settings));
    let start = Instant::now();
    let app = Visitors::fill(app, sessions - VISITORS);
    let filled = start.elapsed();
    let per_session = live_bytes().saturating_sub(before) as f64 / (sessions - VISITORS) as f64;
    let mut visitors = Visitors::sign_in(app, VISITORS);
    // Until the last has expired and some more; without expiry just as long as the busy part of that.
    let busy = if expire { filled + lifetime + 4 * PURGE } else { filled + lifetime / 2 };
    let mut signed_in = vec![Instant::now(); VISITORS as usize];
    let mut worst = Duration::ZERO;
    while start.elapsed() < busy {
        let who = visitors.choose();
        let case = if signed_in[who].elapsed() > ttl / 3 {
            signed_in[who] = Instant::now();
            Case::SignIn
        } else {
            Case::Read
        };
        visitors.prepare_chosen(case);
        let began = Instant::now();
        visitors.serve();
        worst = worst.max(began.elapsed());
        visitors.finish(case);
    }
    let name = subject.name();
    let figure = |case: &str, metric: &str, value: f64| {
        Figure::of(name, case, sessions, metric, vec![value]).print();
    };
    let milliseconds = worst.as_secs_f64() * 1e3;
    if kind == "expire-merging" {
        figure("worst request while they expire, pieces merged at once", "ms", milliseconds);
    } else if expire {
        let left = live_bytes().saturating_sub(before) as f64 / 1e6;
        figure("a session", "bytes", per_session);
        figure("live after all expired", "MB", left);
        figure("resident in the process after all expired", "MB", resident_megabytes());
        figure("worst request while they expire", "ms", milliseconds);
        if let Some(took) = trim() {
            figure("resident in the process after `malloc_trim`", "MB", resident_megabytes());
            figure("`malloc_trim` after all expired", "ms", took.as_secs_f64() * 1e3);
        }
    } else {
        figure("resident in the process with all sessions", "MB", resident_megabytes());
        figure("worst request, none expires", "ms", milliseconds);
    }
    Ok(())
}

/// Has the allocator give back all that it can. How long that took, if there is such a thing.
fn trim() -> Option<Duration> {
    #[cfg(target_env = "gnu")]
    {
        let start = Instant::now();
        // SAFETY: glibc lets any thread call it at any time; it moves nothing that is in use.
        unsafe { libc::malloc_trim(0) };
        Some(start.elapsed())
    }
    #[cfg(not(target_env = "gnu"))]
    None
}

/// What the system counts for this process.
fn resident_megabytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.trim().split(' ').next()?.parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) / 1e3
}
