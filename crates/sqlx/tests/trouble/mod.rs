//! What happens when a database server is in trouble, written once for all servers.

use std::future::poll_fn;
use std::num::NonZeroU32;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use cloakroom_sqlx::{DbStore, Dialect};
use cloakroom_store::{
    AdmitOutcome, Clock, Enumerate, Expect, Owner, OwnerLimit, OwnerLimits, Record, SessionKey,
    SetOutcome, Store, StoreError, StoreErrorKind, SystemClock, Times, WhenReached,
};
use cloakroom_testservers::Server;
use sqlx::Pool;

const TIMEOUT: Duration = Duration::from_secs(1);

fn key(number: u32) -> SessionKey {
    let mut bytes = [3; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    SessionKey::from_bytes(bytes)
}

fn record(number: u32) -> Record<u32> {
    Record::new(Arc::new(number), Times::starting(SystemClock.now()))
}

fn assert_unavailable<R: std::fmt::Debug>(result: Result<R, StoreError>) {
    assert_eq!(result.unwrap_err().kind(), StoreErrorKind::Unavailable);
}

async fn assert_all_unavailable<DB: Dialect>(store: &DbStore<u32, DB>) {
    assert_unavailable(store.get(&key(1)).await);
    assert_unavailable(store.get(&key(999)).await);
    assert_unavailable(store.set(&key(1), record(1), Expect::Present).await);
    assert_unavailable(store.touch(&key(1), SystemClock.now()).await);
    assert_unavailable(store.count().await);
}

pub(crate) async fn store<DB: Dialect>(pool: Pool<DB>) -> DbStore<u32, DB> {
    let builder = DbStore::builder(pool).timeout(TIMEOUT).without_purge_task();
    builder.create().await.unwrap()
}

/// After trouble, connections may take a moment to be made again.
pub(crate) async fn works_again<DB: Dialect>(store: &DbStore<u32, DB>, number: u32) {
    for _ in 0..60 {
        if store.get(&key(number)).await.is_ok() {
            let outcome = store
                .set(&key(number), record(number), Expect::Absent)
                .await;
            assert_eq!(outcome.unwrap(), SetOutcome::Stored(1));
            return;
        }
    }
    panic!("service did not resume");
}

pub(crate) async fn killed_paused_and_restarted<DB: Dialect>(pool: Pool<DB>, server: &mut Server) {
    let store = store(pool.clone()).await;
    works_again(&store, 1).await;

    server.stop();
    assert_all_unavailable(&store).await;
    server.cont();
    works_again(&store, 2).await;

    // What was acknowledged is there after the server's violent end.
    server.kill_9();
    assert_all_unavailable(&store).await;
    assert_unavailable(
        DbStore::<u32, DB>::builder(pool)
            .timeout(TIMEOUT)
            .create()
            .await,
    );
    server.restart().unwrap();
    works_again(&store, 3).await;
    for number in 1..=3 {
        let found = store.get(&key(number)).await.unwrap();
        assert_eq!(found.map(|record| *record.data), Some(number));
    }
    store.pool().close().await;
    // A pool that the application closed is no logout either.
    assert_unavailable(store.get(&key(1)).await);
}

/// With a pool of two. They have their time beside each other.
pub(crate) async fn forty_that_run_out_of_time<DB: Dialect>(store: &DbStore<u32, DB>) {
    for _ in 0..10 {
        let (key, record, now) = (key(1), record(1), SystemClock.now());
        let (get, set, touch, destroy) = tokio::join!(
            store.get(&key),
            store.set(&key, record, Expect::Present),
            store.touch(&key, now),
            store.destroy(&key),
        );
        assert_unavailable(get);
        assert_unavailable(set);
        assert_unavailable(touch);
        assert_unavailable(destroy);
    }
}

/// While sign-ins under a limit wait for somebody, who reads does not.
pub(crate) async fn sign_ins_that_wait_leave_connections_to_others<DB: Dialect>(
    store: &DbStore<u32, DB>,
) {
    for number in 0..4 {
        assert_unavailable(admit_ada(store, Some(&key(40)), &key(41 + number)).await);
    }
    assert!(store.get(&key(40)).await.unwrap().is_none());
}

/// While the table is locked. An application that ends does not wait for the lock.
pub(crate) async fn the_pool_is_closed<DB: Dialect>(store: &DbStore<u32, DB>) {
    assert_unavailable(store.get(&key(1)).await);
    let closed = tokio::time::timeout(Duration::from_secs(20), store.pool().close());
    closed.await.unwrap();
}

pub(crate) async fn no_connection_to_be_had<DB: Dialect>(pool: Pool<DB>, number: u32) {
    let store = store(pool.clone()).await;
    let mut held = Vec::new();
    while let Ok(Ok(connection)) = tokio::time::timeout(TIMEOUT, pool.acquire()).await {
        held.push(connection);
    }
    assert!(!held.is_empty());
    assert_unavailable(store.get(&key(1)).await);
    assert_unavailable(store.set(&key(1), record(1), Expect::Absent).await);
    drop(held);
    works_again(&store, number).await;
    pool.close().await;
}

/// `fail_with` makes each update fail with that code.
pub(crate) async fn what_passes_is_unavailable<DB: Dialect>(
    store: &DbStore<u32, DB>,
    codes: &[&str],
    fail_with: impl AsyncFn(&str),
) {
    works_again(store, 60).await;
    for code in codes {
        fail_with(code).await;
        let refused = store.touch(&key(60), SystemClock.now()).await.unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Unavailable, "{code}");
    }
}

/// `refuse_writes` makes the server read-only, for the connections that there are and for new ones.
pub(crate) async fn reads_go_on_when_writes_are_refused<DB: Dialect>(
    store: &DbStore<u32, DB>,
    refuse_writes: impl AsyncFn(bool),
) {
    works_again(store, 70).await;
    let grace = async |number| {
        let limit = OwnerLimit::new(NonZeroU32::MIN, WhenReached::Refuse);
        admit(store, "grace", None, &key(number), limit).await
    };
    let admitted = grace(72).await.unwrap();
    assert!(matches!(admitted, AdmitOutcome::Stored { .. }));
    refuse_writes(true).await;
    // What is there is perhaps long gone elsewhere, so nobody is refused because of it.
    assert_unavailable(grace(73).await);
    assert_unavailable(store.set(&key(70), record(2), Expect::Present).await);
    assert_unavailable(store.set(&key(71), record(2), Expect::Absent).await);
    assert_unavailable(store.destroy(&key(70)).await);
    assert_eq!(*store.get(&key(70)).await.unwrap().unwrap().data, 70);
    refuse_writes(false).await;
    works_again(store, 71).await;
    assert_eq!(grace(73).await.unwrap(), AdmitOutcome::Refused);
}

/// So a server looks that has become a replica: it answers a ping and refuses writes. `refuse_writes` makes the only
/// connection of the pool read-only; a new one finds a server that is not.
pub(crate) async fn who_refuses_a_write_is_not_asked_again<DB: Dialect>(
    store: &DbStore<u32, DB>,
    refuse_writes: impl AsyncFn(),
) {
    let refuse_writes_again = async || {
        until_another_may_be_closed().await;
        refuse_writes().await;
    };
    works_again(store, 80).await;
    refuse_writes_again().await;
    assert_unavailable(store.set(&key(80), record(2), Expect::Present).await);
    let outcome = store.set(&key(80), record(2), Expect::Present).await;
    assert_eq!(outcome.unwrap(), SetOutcome::Stored(2));

    // In a transaction of several statements.
    refuse_writes_again().await;
    assert_unavailable(admit_ada(store, Some(&key(80)), &key(81)).await);
    assert!(admit_ada(store, Some(&key(80)), &key(81)).await.is_ok());

    // A read is not refused, so the connection stays.
    refuse_writes_again().await;
    assert!(store.get(&key(81)).await.unwrap().is_some());
    assert_unavailable(store.destroy(&key(81)).await);
    assert!(store.destroy(&key(81)).await.unwrap());
}

/// Not one connection after the other is closed at once, for want of a server that takes writes.
pub(crate) async fn until_another_may_be_closed() {
    tokio::time::sleep(Duration::from_millis(110)).await;
}

pub(crate) async fn admit_ada<DB: Dialect>(
    store: &DbStore<u32, DB>,
    ending: Option<&SessionKey>,
    key: &SessionKey,
) -> Result<AdmitOutcome, StoreError> {
    let limit = OwnerLimit::new(NonZeroU32::new(3).unwrap(), WhenReached::EndOldest);
    admit(store, "ada", ending, key, limit).await
}

async fn admit<DB: Dialect>(
    store: &DbStore<u32, DB>,
    owner: &str,
    ending: Option<&SessionKey>,
    key: &SessionKey,
    limit: OwnerLimit,
) -> Result<AdmitOutcome, StoreError> {
    let mut record = record(1);
    record.owner = Owner::new(owner).ok();
    let limits: &dyn OwnerLimits<u32> = store.owner_limits().unwrap();
    limits.admit(ending, key, record, limit).await
}

/// In every other round after some time, which on a fast machine may be more than is needed; else after it was polled so
/// often, as when a statement is sent and its answer not there yet.
async fn abandoned<F: Future>(round: u64, operation: F) {
    if round.is_multiple_of(2) {
        let _ = tokio::time::timeout(Duration::from_micros(round * 10), operation).await;
        return;
    }
    let mut operation = pin!(operation);
    for _ in 0..round / 2 % 12 {
        let polled = poll_fn(|context| Poll::Ready(operation.as_mut().poll(context)));
        if polled.await.is_ready() {
            return;
        }
        // The wake-up is not waited for: it may be polled before anything has come.
        tokio::task::yield_now().await;
    }
}

/// Operations whose caller went away leave nothing behind that confuses the next one.
pub(crate) async fn callers_that_go_away<DB: Dialect>(pool: Pool<DB>) {
    let store = store(pool).await;
    for round in 0..200_u64 {
        let number = 1_000 + round as u32;
        let outcome = store
            .set(&key(number), record(number), Expect::Absent)
            .await;
        assert_eq!(outcome.unwrap(), SetOutcome::Stored(1));
        abandoned(round, store.get(&key(number))).await;
        abandoned(round, store.count()).await;
        let found = store.get(&key(number)).await.unwrap().unwrap();
        assert_eq!(*found.data, number);

        // In the middle of a transaction: all of it takes effect, or nothing; on a server perhaps only now.
        let live = async |key| store.get(&key).await.unwrap().is_some();
        let (from, to) = (key(number), key(10_000 + number));
        abandoned(round, admit_ada(&store, Some(&from), &to)).await;
        let (new, old, later) = (live(to).await, live(from).await, live(to).await);
        assert!(!(new && old) && (old || later));

        let (from, to) = (key(20_000 + number), key(30_000 + number));
        let outcome = store.set(&from, record(number), Expect::Absent).await;
        assert_eq!(outcome.unwrap(), SetOutcome::Stored(1));
        let times = Times::starting(SystemClock.now());
        let ends_at = times.created_at.plus(Duration::from_secs(60));
        let renewal = store.renewal().unwrap();
        let renewing = renewal.renew(&from, &to, times, ends_at);
        abandoned(round, renewing).await;
        let trail = renewal.follow(&from).await.unwrap().is_some();
        let gone = !live(from).await;
        assert!(gone || !trail);
        assert!(!gone || renewal.follow(&from).await.unwrap().is_some() && live(to).await);
    }
    let listed = store.list_by_owner(&Owner::new("ada").unwrap()).await;
    assert!(listed.unwrap().len() <= 3);
    store.pool().close().await;
}
