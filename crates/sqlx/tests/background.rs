//! The task that purges, and what happens outside a runtime.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use cloakroom_sqlx::{SqliteFile, SqliteStore};
use cloakroom_store::{
    Clock, Expect, ManualClock, Record, SessionKey, SetOutcome, Store, StoreErrorKind, Times,
};
use tokio::runtime::Handle;

const KEY: SessionKey = SessionKey::from_bytes([1; 32]);

/// Looks again and again. A test that waits for ever has failed; this makes it say so.
async fn until<F: Future<Output = bool>>(what: &str, look: impl Fn() -> F) {
    for _ in 0..20_000 {
        if look().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("never came: {what}");
}

async fn add_expiring(store: &SqliteStore<u32>, clock: &ManualClock) {
    let mut times = Times::starting(clock.now());
    times.ends_at = Some(clock.now().plus(Duration::from_secs(60)));
    let outcome = store
        .set(&KEY, Record::new(Arc::new(1), times), Expect::Absent)
        .await;
    assert_eq!(outcome.unwrap(), SetOutcome::Stored(1));
}

#[tokio::test]
async fn a_store_purges_by_itself_and_survives_errors() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sessions.db");
    let clock = ManualClock::starting_now();
    let pool = SqliteFile::new(&path).open().await.unwrap();
    let store = SqliteStore::<u32>::builder(pool)
        .clock(clock.clone())
        .purge_every(Duration::from_millis(1))
        .create()
        .await
        .unwrap();

    add_expiring(&store, &clock).await;
    clock.advance(Duration::from_secs(60));
    until("the purge", || async {
        store.row(&KEY).await.unwrap().is_none()
    })
    .await;

    add_expiring(&store, &clock).await;
    let away = directory.path().join("away.db");
    std::fs::rename(&path, &away).unwrap();
    clock.advance(Duration::from_secs(60));
    tokio::time::sleep(Duration::from_millis(20)).await;
    std::fs::rename(&away, &path).unwrap();
    until("the purge after errors", || async {
        store.row(&KEY).await.unwrap().is_none()
    })
    .await;
}

#[tokio::test]
async fn the_task_ends_with_the_last_clone() {
    let alive = || Handle::current().metrics().num_alive_tasks();
    let pool = SqliteFile::new(":memory:").open().await.unwrap();
    // Returning a connection to the pool is a task too.
    until("a quiet runtime", || async { alive() == 0 }).await;
    let store = SqliteStore::<u32>::create(pool).await.unwrap();
    until("a task", || async { alive() == 1 }).await;
    let clone = store.clone();
    drop(store);
    assert!(clone.get(&KEY).await.unwrap().is_none());
    until("the connection's return", || async { alive() == 1 }).await;
    drop(clone);
    until("the end of the task", || async { alive() == 0 }).await;
}

#[test]
fn outside_a_runtime_there_is_an_error_and_no_panic() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let pool = runtime
        .block_on(SqliteFile::new(":memory:").open())
        .unwrap();
    let store = runtime
        .block_on(SqliteStore::<u32>::create(pool.clone()))
        .unwrap();

    fn ready<R>(future: impl Future<Output = R>) -> R {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => answer,
            Poll::Pending => panic!("it waits for a runtime that is not there"),
        }
    }
    let errors = [
        ready(SqliteStore::<u32>::create(pool)).unwrap_err(),
        ready(SqliteFile::new(":memory:").open()).unwrap_err(),
        ready(store.get(&KEY)).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), StoreErrorKind::Internal);
    }
}

#[test]
fn a_future_may_be_dropped_outside_the_runtime() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let pool = runtime
        .block_on(SqliteFile::new(":memory:").open())
        .unwrap();
    let store = runtime.block_on(SqliteStore::<u32>::create(pool)).unwrap();
    let guard = runtime.enter();
    let future = loop {
        let mut future = store.get(&KEY);
        let mut context = Context::from_waker(Waker::noop());
        if pin!(&mut future).poll(&mut context).is_pending() {
            break future;
        }
    };
    drop(guard);
    drop(future);
    assert!(runtime.block_on(store.get(&KEY)).unwrap().is_none());
}
