//! Measures operations per second side by side: this store, `SqliteStore` of `cloakroom-sqlx` over its pool, and the
//! bare statements through rusqlite on one thread, without any async. Rounds take turns; medians are printed.
//!
//! `cargo run --release -p cloakroom-rusqlite --example throughput [directory] [seconds for each round]`
//!
//! The files are in that directory, or in one for temporary files. 10,000 sessions of some 500 bytes, with owner and
//! idle time-out, so that a save changes both indexes.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement, not an application"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cloakroom_rusqlite::{Durability, Reads, SqliteStore};
use cloakroom_store::{
    Clock, Expect, Owner, Record, SessionKey, SetOutcome, Store, SystemClock, Times, Timestamp,
};
use rusqlite::Connection;

const SESSIONS: u64 = 10_000;
const ROUNDS: usize = 5;

type Data = Vec<String>;
type Shared = Arc<dyn Store<Data>>;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Operation {
    Get,
    Set,
}

/// Who is measured.
enum Contestant {
    Bare(PathBuf, &'static str),
    Store(Shared),
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let place = arguments
        .next()
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let seconds = arguments.next().map_or(1.0, |text| text.parse().unwrap());
    let round = Duration::from_secs_f64(seconds);
    println!("median of {ROUNDS} rounds, operations per second (smallest to largest)");
    for (name, durability, synchronous) in [
        ("synchronous = NORMAL", Durability::ProcessCrash, "NORMAL"),
        ("synchronous = FULL", Durability::PowerLoss, "FULL"),
    ] {
        println!("\n{name}");
        let directory = tempfile::tempdir_in(&place).unwrap();
        let contestants = contestants(directory.path(), durability, synchronous).await;
        for operation in [Operation::Get, Operation::Set] {
            for clients in [1, 16, 64] {
                let mut results = vec![Vec::new(); contestants.len()];
                for _ in 0..ROUNDS {
                    for (index, (_, contestant)) in contestants.iter().enumerate() {
                        let rate = match contestant {
                            Contestant::Bare(..) if clients > 1 => continue,
                            Contestant::Bare(path, synchronous) => {
                                bare(path, synchronous, operation, round)
                            }
                            Contestant::Store(store) => {
                                stored(store, operation, clients, round).await
                            }
                        };
                        results[index].push(rate);
                    }
                }
                for ((name, _), mut rates) in contestants.iter().zip(results) {
                    if rates.is_empty() {
                        continue;
                    }
                    rates.sort_by(f64::total_cmp);
                    let operation = format!("{operation:?}").to_lowercase();
                    println!(
                        "{operation} {clients:>3} clients  {name:<34} {:>9.0}  ({:.0} to {:.0})",
                        rates[rates.len() / 2],
                        rates[0],
                        rates[rates.len() - 1],
                    );
                }
            }
        }
    }
}

async fn contestants(
    directory: &Path,
    durability: Durability,
    synchronous: &'static str,
) -> Vec<(&'static str, Contestant)> {
    let path = |name: &str| directory.join(name);
    let builder = |name| SqliteStore::<Data>::builder(path(name)).durability(durability);
    let in_place: Shared = Arc::new(builder("in_place.db").open().await.unwrap());
    let threads = builder("threads.db").reads(Reads::OnThreads);
    let threads: Shared = Arc::new(threads.open().await.unwrap());
    let pooled = cloakroom_sqlx::SqliteFile::new(path("sqlx.db")).durability(match durability {
        Durability::ProcessCrash => cloakroom_sqlx::Durability::ProcessCrash,
        _ => cloakroom_sqlx::Durability::PowerLoss,
    });
    let pooled = cloakroom_sqlx::SqliteStore::<Data>::create(pooled.open().await.unwrap());
    let pooled: Shared = Arc::new(pooled.await.unwrap());
    // The table is filled by the store; the statements go around it.
    let filled: Shared = Arc::new(builder("bare.db").open().await.unwrap());
    for store in [&in_place, &threads, &pooled, &filled] {
        fill(store).await;
    }
    drop(filled);
    vec![
        (
            "bare statements, 1 thread",
            Contestant::Bare(path("bare.db"), synchronous),
        ),
        ("cloakroom-rusqlite", Contestant::Store(in_place)),
        ("cloakroom-rusqlite, OnThreads", Contestant::Store(threads)),
        ("cloakroom-sqlx", Contestant::Store(pooled)),
    ]
}

async fn fill(store: &Shared) {
    let tasks = (0..64).map(|client| {
        let store = Arc::clone(store);
        tokio::spawn(async move {
            for number in (client..SESSIONS).step_by(64) {
                let stored = store.set(&key(number), record(number), Expect::Absent);
                assert_eq!(stored.await.unwrap(), SetOutcome::Stored(1));
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

async fn stored(store: &Shared, operation: Operation, clients: u64, round: Duration) -> f64 {
    let start = Instant::now();
    let tasks = (0..clients).map(|client| {
        let store = Arc::clone(store);
        tokio::spawn(async move {
            let mut random = fastrand::Rng::with_seed(client);
            let mut count = 0_u64;
            while start.elapsed() < round {
                let number = random.u64(..SESSIONS);
                let key = key(number);
                match operation {
                    Operation::Get => assert!(store.get(&key).await.unwrap().is_some()),
                    Operation::Set => {
                        let set = store.set(&key, record(number), Expect::Present);
                        assert!(matches!(set.await.unwrap(), SetOutcome::Stored(_)));
                    }
                }
                count += 1;
                // As between two requests.
                tokio::task::yield_now().await;
            }
            count
        })
    });
    let mut count = 0;
    for task in tasks.collect::<Vec<_>>() {
        count += task.await.unwrap();
    }
    count as f64 / start.elapsed().as_secs_f64()
}

/// The same statements, each in a transaction of its own, with the data encoded and decoded as in the store.
fn bare(path: &Path, synchronous: &str, operation: Operation, round: Duration) -> f64 {
    let connection = Connection::open(path).unwrap();
    connection
        .pragma_update(None, "synchronous", synchronous)
        .unwrap();
    let mut select = connection
        .prepare(
            "SELECT version, created_at, last_seen_at, expires_at, owner, data FROM cloakroom_sessions
             WHERE session_key = ?1 AND (expires_at IS NULL OR expires_at > ?2)",
        )
        .unwrap();
    let mut update = connection
        .prepare(
            "UPDATE cloakroom_sessions SET version = version + 1, last_seen_at = ?3, expires_at = ?4,
             owner = ?5, data = ?6
             WHERE session_key = ?1 AND (expires_at IS NULL OR expires_at > ?2) RETURNING version",
        )
        .unwrap();
    let start = Instant::now();
    let mut random = fastrand::Rng::with_seed(1);
    let mut count = 0_u64;
    while start.elapsed() < round {
        let number = random.u64(..SESSIONS);
        let key = key(number);
        let now = SystemClock.now().as_millis();
        match operation {
            Operation::Get => {
                let data: Data = select
                    .query_row((key.as_bytes(), now), |row| {
                        let text = row.get_ref(5)?.as_str()?;
                        Ok(serde_json::from_str(text).unwrap())
                    })
                    .unwrap();
                assert!(!data.is_empty());
            }
            Operation::Set => {
                let record = record(number);
                let owner = record.owner.as_ref().map(Owner::as_str);
                let expires_at = record.times.expires_at().map(|end| end.as_millis());
                let data = serde_json::to_string(&*record.data).unwrap();
                let values = (key.as_bytes(), now, now, expires_at, owner, data);
                let version: i64 = update.query_row(values, |row| row.get(0)).unwrap();
                assert!(version > 0);
            }
        }
        count += 1;
    }
    count as f64 / start.elapsed().as_secs_f64()
}

fn key(number: u64) -> SessionKey {
    // Spread over the whole range, as hashes are.
    let mut bytes = [0x5A; 32];
    bytes[..8].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
    SessionKey::from_bytes(bytes)
}

fn record(number: u64) -> Record<Data> {
    let cart = (0..10)
        .map(|item| format!("item {item} of session {number}, as it was put there"))
        .collect();
    // As of a session that began a while ago and is saved again: beginning and owner stay.
    let mut times = Times::starting(Timestamp::from_millis(1_700_000_000_000));
    times.last_seen_at = SystemClock.now();
    times.idle_timeout = Some(Duration::from_secs(1_800));
    let mut record = Record::new(Arc::new(cart), times);
    record.owner = Owner::new(format!("user-{}", number % 100)).ok();
    record
}
