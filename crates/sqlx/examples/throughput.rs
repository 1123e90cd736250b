//! Measures operations per second and their latency on each engine that this is built with:
//!
//! `cargo run --release -p cloakroom-sqlx --all-features --example throughput`
//!
//! The servers are private ones with their usual settings, but they do not wait for the disk. SQLite's file is in
//! the directory given as the argument, or in one for temporary files.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement, not an application"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use cloakroom_sqlx::{DbStore, Dialect};
use cloakroom_store::{
    Clock, Expect, Owner, Record, SessionKey, SetOutcome, Store, SystemClock, Times,
};

const SESSIONS: u64 = 5_000;
const ROUND: Duration = Duration::from_secs(2);

type Data = Vec<String>;

#[tokio::main]
async fn main() {
    println!("engine                 clients  operation     per second   median      99 %");
    sqlite().await;
    #[cfg(feature = "postgres")]
    {
        let server = cloakroom_testservers::Postgres::start().unwrap();
        let pool = sqlx::postgres::PgPoolOptions::new()
            .max_connections(16)
            .test_before_acquire(false);
        measure("PostgreSQL", pool.connect(&server.url()).await.unwrap()).await;
    }
    #[cfg(feature = "mysql")]
    {
        let server = cloakroom_testservers::MariaDb::start().unwrap();
        let pool = sqlx::mysql::MySqlPoolOptions::new()
            .max_connections(16)
            .test_before_acquire(false);
        measure("MariaDB", pool.connect(&server.url()).await.unwrap()).await;
    }
}

async fn sqlite() {
    use cloakroom_sqlx::{Durability, SqliteFile};

    let place = std::env::args()
        .nth(1)
        .map_or_else(std::env::temp_dir, Into::into);
    for (name, durability) in [
        ("SQLite, FULL", Durability::PowerLoss),
        ("SQLite, NORMAL", Durability::ProcessCrash),
    ] {
        let directory = tempfile::tempdir_in(&place).unwrap();
        let file = SqliteFile::new(directory.path().join("sessions.db")).durability(durability);
        measure(name, file.open().await.unwrap()).await;
    }
    let memory = SqliteFile::new(":memory:").open().await.unwrap();
    measure("SQLite, in memory", memory).await;
}

async fn measure<DB: Dialect>(engine: &str, pool: sqlx::Pool<DB>) {
    let store = DbStore::<Data, DB>::create(pool).await.unwrap();
    for number in 0..SESSIONS {
        let outcome = store
            .set(&key(number), record(number), Expect::Absent)
            .await
            .unwrap();
        assert_eq!(outcome, SetOutcome::Stored(1));
    }
    for clients in [1, 16] {
        for operation in [
            Operation::Get,
            Operation::Set,
            Operation::Touch,
            Operation::Rotate,
        ] {
            let tasks =
                (0..clients).map(|client| tokio::spawn(run(store.clone(), operation, client)));
            let mut latencies = Vec::new();
            for task in tasks.collect::<Vec<_>>() {
                latencies.extend(task.await.unwrap());
            }
            latencies.sort();
            let per_second = latencies.len() as f64 / ROUND.as_secs_f64();
            let median = latencies[latencies.len() / 2];
            let late = latencies[latencies.len() * 99 / 100];
            let operation = format!("{operation:?}");
            println!(
                "{engine:<22} {clients:>7}  {operation:<10} {per_second:>13.0} {median:>10.0?} {late:>10.0?}"
            );
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Operation {
    Get,
    Set,
    Touch,
    Rotate,
}

async fn run<DB: Dialect>(
    store: DbStore<Data, DB>,
    operation: Operation,
    client: u64,
) -> Vec<Duration> {
    let end = Instant::now() + ROUND;
    let mut latencies = Vec::new();
    let mut random = fastrand::Rng::with_seed(client);
    let spare = SESSIONS + client;
    while Instant::now() < end {
        let key = key(random.u64(..SESSIONS));
        let now = SystemClock.now();
        let start = Instant::now();
        match operation {
            Operation::Get => assert!(store.get(&key).await.unwrap().is_some()),
            Operation::Set => {
                let record = record(client);
                let outcome = store.set(&key, record, Expect::Present).await.unwrap();
                assert!(matches!(outcome, SetOutcome::Stored(_)));
            }
            Operation::Touch => {
                let _ = store.touch(&key, now).await.unwrap();
            }
            Operation::Rotate => {
                // There and back again.
                let times = Times::starting(now);
                let _ = store.rotate(&key, &self::key(spare), times).await.unwrap();
                latencies.push(start.elapsed());
                let start = Instant::now();
                let _ = store.rotate(&self::key(spare), &key, times).await.unwrap();
                latencies.push(start.elapsed());
                continue;
            }
        }
        latencies.push(start.elapsed());
    }
    latencies
}

fn key(number: u64) -> SessionKey {
    // Spread over the whole range, as hashes are.
    let mut bytes = [0x5A; 32];
    bytes[..8].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
    SessionKey::from_bytes(bytes)
}

fn record(number: u64) -> Record<Data> {
    let cart = (0..10)
        .map(|item| format!("item {item} of session {number}"))
        .collect();
    let mut times = Times::starting(SystemClock.now());
    times.idle_timeout = Some(Duration::from_secs(1_800));
    let mut record = Record::new(Arc::new(cart), times);
    record.owner = Owner::new(format!("user-{}", number % 100)).ok();
    record
}
