//! What a million sessions in a `MemoryStore` cost: memory, operations per second, and the worst wait while they
//! expire. `cargo run --release --example memory_store [SESSIONS] [SECONDS TO LIVE] [SECONDS OF CHURN]`
//!
//! For comparison, the least that a map in memory can do: 256 `HashMap`s of keys and data, each behind a lock. It
//! neither knows when a session ends nor looks at the clock, and reads only the data.

#![allow(clippy::print_stdout)]

use std::collections::HashMap;
use std::fmt;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, UNIX_EPOCH};

use cloakroom::{
    Clock, Expect, MemoryStore, Record, SessionKey, SetOutcome, Store, SystemClock, Times,
};
use futures_lite::future::block_on;
use peak_alloc::PeakAlloc;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// What the sessions hold.
#[derive(Debug)]
#[allow(dead_code)]
struct Visit {
    user: u64,
    name: String,
    theme: String,
    seen: u32,
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default| {
        arguments
            .next()
            .map_or(default, |text| text.parse().expect("a number"))
    };
    let (sessions, seconds, churn) = (number(1_000_000), number(30), number(0));

    reading(sessions);
    for (title, to_live) in [
        ("nothing expires", Duration::from_secs(3_600)),
        ("all expire", Duration::from_secs(seconds)),
    ] {
        expiring(title, sessions, to_live, Duration::from_secs(seconds));
    }
    if churn > 0 {
        churning(sessions, Duration::from_secs(churn));
    }
}

fn reading(sessions: u64) {
    let before = HEAP.current_usage();
    let store = fill(sessions, Duration::from_secs(3_600));
    let bytes = HEAP.current_usage() - before;
    println!("live heap per session: {} bytes", bytes as u64 / sessions);
    let bare = Bare::filled(sessions);
    for threads in [1, 2] {
        let (mut ours, mut bares) = (Vec::new(), Vec::new());
        // In turns, so that what else the machine does slows both.
        for _ in 0..5 {
            ours.push(gets(&store, sessions, threads));
            bares.push(gets(&bare, sessions, threads));
        }
        let (ours, bares) = (Spread::of(ours), Spread::of(bares));
        println!(
            "`get` by {threads}: {ours}; of the bare map {bares}; ratio {:.2}",
            ours.median / bares.median
        );
    }
}

/// What is read in the comparison.
trait Finds: Sync {
    fn finds(&self, key: &SessionKey) -> bool;
}

impl Finds for MemoryStore<Visit> {
    fn finds(&self, key: &SessionKey) -> bool {
        let found = block_on(self.get(key)).expect("memory does not fail");
        black_box(found).is_some()
    }
}

struct Bare(Vec<Mutex<HashMap<SessionKey, Arc<Visit>>>>);

impl Bare {
    fn filled(sessions: u64) -> Self {
        let bare = Self((0..256).map(|_| Mutex::default()).collect());
        for number in 0..sessions {
            let key = key(number);
            let data = record(number, Duration::ZERO).data;
            bare.shard(&key).lock().expect("no panic").insert(key, data);
        }
        bare
    }

    fn shard(&self, key: &SessionKey) -> &Mutex<HashMap<SessionKey, Arc<Visit>>> {
        &self.0[usize::from(key.as_bytes()[0])]
    }
}

impl Finds for Bare {
    fn finds(&self, key: &SessionKey) -> bool {
        let shard = self.shard(key).lock().expect("no panic");
        black_box(shard.get(key).cloned()).is_some()
    }
}

/// Millions a second.
struct Spread {
    least: f64,
    median: f64,
    most: f64,
}

impl Spread {
    fn of(mut runs: Vec<f64>) -> Self {
        runs.sort_by(f64::total_cmp);
        Self {
            least: runs[0],
            median: runs[runs.len() / 2],
            most: runs[runs.len() - 1],
        }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            least,
            median,
            most,
        } = self;
        write!(f, "{median:.2} M/s, {least:.2} to {most:.2}")
    }
}

/// Millions a second, by the time that the threads were on a processor: so other programs disturb less.
fn gets(store: &impl Finds, sessions: u64, threads: u64) -> f64 {
    const EACH: u64 = 1_000_000;
    let run = |thread| {
        let mut dice = thread + 1;
        let start = on_processor();
        for _ in 0..EACH {
            assert!(store.finds(&key(roll(&mut dice) % sessions)));
        }
        EACH as f64 / (on_processor() - start).as_secs_f64() / 1e6
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(move || run(thread)))
            .collect();
        let rates = threads
            .into_iter()
            .map(|thread| thread.join().expect("no panic"));
        rates.sum()
    })
}

/// How long this thread has run, where the system says it, or else the time of day.
fn on_processor() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    match text
        .split_whitespace()
        .next()
        .and_then(|nanos| nanos.parse().ok())
    {
        Some(nanos) => Duration::from_nanos(nanos),
        None => UNIX_EPOCH.elapsed().expect("after 1970"),
    }
}

/// Requests go on while the sessions of before expire, or do not.
fn expiring(title: &str, sessions: u64, to_live: Duration, seconds: Duration) {
    let begin = Instant::now();
    let store = fill(sessions, to_live);
    let filled = begin.elapsed();
    let over = AtomicBool::new(false);
    let mut waits = thread::scope(|scope| {
        let requests = scope.spawn(|| requests(&store, sessions, &over));
        // Until the last has expired and was purged.
        thread::sleep((seconds + Duration::from_secs(3)).saturating_sub(begin.elapsed()) + filled);
        over.store(true, Ordering::Relaxed);
        requests.join().expect("no panic")
    });
    waits.sort_unstable();
    let at = |share: f64| waits[(waits.len() as f64 * share) as usize];
    println!(
        "{title}: {} requests, worst {:?}, 99.99 % within {:?}, half within {:?}",
        waits.len(),
        waits[waits.len() - 1],
        at(0.9999),
        at(0.5),
    );
    drop(waits);
    let live = HEAP.current_usage() as f64 / 1e6;
    println!(
        "{title}: live heap {live:.1} MB, resident {:.1} MB",
        resident()
    );
}

/// Sessions begin and expire all the time, as many live at once. Memory stays at its level, and returns.
fn churning(sessions: u64, time: Duration) {
    const TO_LIVE: Duration = Duration::from_secs(10);
    let before = HEAP.current_usage();
    let store: MemoryStore<Visit> = MemoryStore::builder().max_sessions(usize::MAX).build();
    let begin = Instant::now();
    let (mut created, mut sampled) = (0, 0);
    let (mut lowest, mut highest) = (f64::MAX, f64::MIN);
    let used = || HEAP.current_usage().saturating_sub(before) as f64 / 1e6;
    while begin.elapsed() < time {
        let passed = begin.elapsed().as_secs_f64();
        let wanted = (sessions as f64 / TO_LIVE.as_secs_f64() * passed) as u64;
        for number in created..wanted {
            let created = store.set(&key(number), record(number, TO_LIVE), Expect::Absent);
            assert_eq!(block_on(created).expect("room"), SetOutcome::Stored(1));
        }
        created = wanted;
        // When the first have expired and were purged, as many end as begin.
        if passed as u64 > sampled && begin.elapsed() > TO_LIVE + Duration::from_secs(2) {
            sampled = passed as u64;
            (lowest, highest) = (lowest.min(used()), highest.max(used()));
            if sampled % 8 == 0 {
                println!(
                    "churn, {sampled} s: live heap {:.1} MB, resident {:.1} MB",
                    used(),
                    resident()
                );
            }
        }
        thread::sleep(Duration::from_millis(1));
    }
    let full = used();
    // Too short a time for a look in between.
    (lowest, highest) = (lowest.min(full), highest.max(full));
    thread::sleep(TO_LIVE + Duration::from_secs(4));
    println!(
        "churn: {created} sessions; live heap {lowest:.1} to {highest:.1} MB, at the end {full:.1} MB, after all \
         expired {:.1} MB, resident {:.1} MB",
        used(),
        resident()
    );
}

/// One at a time: read and use a session, and now and then sign in and out. How long each took.
fn requests(store: &MemoryStore<Visit>, sessions: u64, over: &AtomicBool) -> Vec<Duration> {
    let mut waits = Vec::with_capacity(100_000_000 / 16);
    let mut dice = 99;
    while !over.load(Ordering::Relaxed) && waits.len() < waits.capacity() {
        let drawn = key(roll(&mut dice) % sessions);
        let new = key(sessions + waits.len() as u64);
        let session = record(0, Duration::from_secs(5));
        let start = Instant::now();
        if waits.len() % 16 == 0 {
            let _ = block_on(store.set(&new, session, Expect::Absent)).expect("room");
        } else {
            let found = block_on(store.get(&drawn)).expect("memory does not fail");
            if found.is_some() {
                block_on(store.touch(&drawn, SystemClock.now())).expect("memory does not fail");
            }
        }
        waits.push(start.elapsed());
        // As many as a busy server has.
        while start.elapsed() < Duration::from_micros(10) {
            std::hint::spin_loop();
        }
    }
    waits
}

fn fill(sessions: u64, to_live: Duration) -> MemoryStore<Visit> {
    let store = MemoryStore::builder().max_sessions(usize::MAX).build();
    for number in 0..sessions {
        let created = store.set(&key(number), record(number, to_live), Expect::Absent);
        assert_eq!(block_on(created).expect("room"), SetOutcome::Stored(1));
    }
    store
}

fn record(number: u64, to_live: Duration) -> Record<Visit> {
    let mut times = Times::starting(SystemClock.now());
    times.ends_at = Some(times.created_at.plus(to_live));
    let visit = Visit {
        user: number,
        name: format!("user {number}"),
        theme: "dark".to_owned(),
        seen: 1,
    };
    Record::new(Arc::new(visit), times)
}

/// Evenly distributed, as the engine's keys are.
fn key(number: u64) -> SessionKey {
    let mut bytes = [0; 32];
    let mut state = number;
    for word in bytes.chunks_exact_mut(8) {
        word.copy_from_slice(&roll(&mut state).to_le_bytes());
    }
    SessionKey::from_bytes(bytes)
}

/// SplitMix64.
fn roll(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// What the system says that the process occupies, in MB; 0 where it does not say.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kib.unwrap_or(0.0) / 1024.0
}
