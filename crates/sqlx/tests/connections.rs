//! Connections that a store keeps between two operations, and others who share the pool.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cloakroom_sqlx::SqliteStore;
use cloakroom_store::{Clock, Expect, Record, SessionKey, SetOutcome, Store, SystemClock, Times};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};
use tokio::runtime::Runtime;

fn key() -> SessionKey {
    SessionKey::from_bytes([5; 32])
}

fn record() -> Record<u32> {
    Record::new(Arc::new(1), Times::starting(SystemClock.now()))
}

/// A pool, and how often a connection came back to it.
async fn pool(directory: &Path, connections: u32) -> (SqlitePool, Arc<AtomicU64>) {
    let returned = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&returned);
    let options = SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(30))
        .after_release(move |_, _| {
            count.fetch_add(1, Ordering::SeqCst);
            Box::pin(async { Ok(true) })
        });
    let file = SqliteConnectOptions::new()
        .filename(directory.join("sessions.db"))
        .journal_mode(SqliteJournalMode::Wal)
        .create_if_missing(true);
    (options.connect_with(file).await.unwrap(), returned)
}

async fn store(pool: &SqlitePool) -> SqliteStore<u32> {
    let builder = SqliteStore::builder(pool.clone()).without_purge_task();
    let store = builder.create().await.unwrap();
    let outcome = store.set(&key(), record(), Expect::Absent).await.unwrap();
    assert_eq!(outcome, SetOutcome::Stored(1));
    store
}

#[tokio::test(flavor = "multi_thread")]
async fn operations_in_a_row_share_a_connection_for_a_while() {
    let directory = tempfile::tempdir().unwrap();
    let (pool, returned) = pool(directory.path(), 4).await;
    let store = store(&pool).await;
    let (start, before) = (Instant::now(), returned.load(Ordering::SeqCst));
    for _ in 0..2_000 {
        assert!(store.get(&key()).await.unwrap().is_some());
    }
    // One every 10 ms, however slow this machine is, and those that were under way.
    let most = start.elapsed().as_millis() / 10 + 4;
    let returned = returned.load(Ordering::SeqCst) - before;
    assert!(u128::from(returned) <= most, "{returned} of at most {most}");
}

#[tokio::test(flavor = "multi_thread")]
async fn kept_connections_go_back_to_the_pool() {
    let directory = tempfile::tempdir().unwrap();
    let (pool, _) = pool(directory.path(), 3).await;
    let store = store(&pool).await;
    for _ in 0..3 {
        let gets = (0..8).map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.get(&key()).await })
        });
        for get in gets.collect::<Vec<_>>() {
            assert!(get.await.unwrap().unwrap().is_some());
        }
        // Somebody else gets all of them.
        let mut all = Vec::new();
        for _ in 0..3 {
            all.push(pool.acquire().await.unwrap());
        }
    }
    assert!(store.get(&key()).await.unwrap().is_some());
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_shares_the_pool_gets_a_connection_however_busy_the_store_is() {
    let directory = tempfile::tempdir().unwrap();
    let (pool, _) = pool(directory.path(), 2).await;
    let store = store(&pool).await;
    let busy: Vec<_> = (0..16)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                loop {
                    assert!(store.get(&key()).await.unwrap().is_some());
                }
            })
        })
        .collect();
    for _ in 0..20 {
        let one: i64 = sqlx::query_scalar("SELECT 1")
            .fetch_one(&pool)
            .await
            .unwrap();
        assert_eq!(one, 1);
    }
    for task in busy {
        assert!(!task.is_finished());
        task.abort();
    }
}

#[test]
fn a_store_is_dropped_outside_of_its_runtime_and_after_it() {
    let directory = tempfile::tempdir().unwrap();
    for runtime_first in [false, true] {
        let path = directory.path().join(format!("{runtime_first}"));
        std::fs::create_dir(&path).unwrap();
        let runtime = Runtime::new().unwrap();
        let store = runtime.block_on(async {
            let (pool, _) = pool(&path, 4).await;
            store(&pool).await
        });
        if runtime_first {
            drop(runtime);
            drop(store);
        } else {
            drop(store);
            drop(runtime);
        }
    }
}
