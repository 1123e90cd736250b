//! What other processes hear when a session ends.
#![cfg(feature = "postgres")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cloakroom_sqlx::PostgresStore;
use cloakroom_store::{
    Announcements, Clock, Ending, Enumerate, Expect, Listening, Owner, OwnerLimit, OwnerLimits,
    Record, SessionKey, SetOutcome, Store, SystemClock, Times, WhenReached,
};
use cloakroom_testservers::{Postgres, or_skip};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

async fn pool(server: &Postgres) -> PgPool {
    let options = PgPoolOptions::new().max_connections(4);
    options.connect(&server.url()).await.unwrap()
}

/// A process of its own.
async fn process(server: &Postgres) -> PostgresStore<u32> {
    let builder = PostgresStore::builder(pool(server).await).announce_endings();
    builder.create().await.unwrap()
}

fn key(number: u8) -> SessionKey {
    SessionKey::from_bytes([number; 32])
}

fn times() -> Times {
    Times::starting(SystemClock.now())
}

fn adas(number: u8) -> Record<u32> {
    let mut record = Record::new(Arc::new(u32::from(number)), times());
    record.owner = Some(Owner::new("ada").unwrap());
    record
}

async fn add(store: &PostgresStore<u32>, number: u8) {
    let outcome = store.set(&key(number), adas(number), Expect::Absent).await;
    assert_eq!(outcome.unwrap(), SetOutcome::Stored(1));
}

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

struct Ear {
    heard: Arc<Mutex<Vec<Ending>>>,
    _listening: Listening,
}

impl Ear {
    /// Connected.
    async fn of(store: &PostgresStore<u32>) -> Self {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let note = Arc::clone(&heard);
        let announcements: &dyn Announcements = store.announcements().unwrap();
        let listening =
            announcements.listen(Box::new(move |ending| note.lock().unwrap().push(ending)));
        let ear = Self {
            heard,
            _listening: listening,
        };
        ear.hears_first(&[Ending::Unknown]).await;
        ear
    }

    /// These, and nothing before them. Forgets them.
    async fn hears_first(&self, endings: &[Ending]) {
        let so_many = || async { self.heard.lock().unwrap().len() >= endings.len() };
        until("an announcement", so_many).await;
        let mut heard = self.heard.lock().unwrap();
        let first: Vec<_> = heard.drain(..endings.len()).collect();
        assert_eq!(first, endings);
    }

    /// These, in any order.
    async fn hears_all_of(&self, numbers: &[u8]) {
        let so_many = || async { self.heard.lock().unwrap().len() >= numbers.len() };
        until("an announcement", so_many).await;
        let heard = self.heard.lock().unwrap().split_off(0);
        let heard = heard.into_iter().map(|ending| match ending {
            Ending::Of(key) => key,
            other => panic!("{other:?}"),
        });
        assert_eq!(
            heard.collect::<BTreeSet<_>>(),
            numbers.iter().copied().map(key).collect()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_a_session_is_heard_elsewhere() {
    let Some(server) = or_skip(Postgres::start()) else {
        return;
    };
    let (here, there) = (process(&server).await, process(&server).await);
    let ear = Ear::of(&there).await;
    let of = |number| [Ending::Of(key(number))];
    let ada = Owner::new("ada").unwrap();

    add(&here, 1).await;
    assert!(here.destroy(&key(1)).await.unwrap());
    ear.hears_first(&of(1)).await;
    // What changes nothing is not told, nor what ends nothing. Were it, it would be heard before the next.
    assert!(!here.destroy(&key(1)).await.unwrap());
    add(&here, 2).await;
    let _ = here.set(&key(2), adas(2), Expect::Present).await.unwrap();
    assert!(here.touch(&key(2), SystemClock.now()).await.unwrap());
    let _ = here.rotate(&key(9), &key(10), times()).await.unwrap();
    let _ = here.replace(&key(9), &key(10), adas(10)).await.unwrap();

    let _ = here.rotate(&key(2), &key(3), times()).await.unwrap();
    ear.hears_first(&of(2)).await;
    let renewal = here.renewal().unwrap();
    let ends_at = SystemClock.now().plus(Duration::from_secs(60));
    let moved = renewal.renew(&key(3), &key(4), times(), ends_at).await;
    let _ = moved.unwrap();
    ear.hears_first(&of(3)).await;
    let _ = here.replace(&key(4), &key(5), adas(5)).await.unwrap();
    ear.hears_first(&of(4)).await;

    // A sign-in that is refused tells nothing; one that is not, all that ended.
    let limits: &dyn OwnerLimits<u32> = here.owner_limits().unwrap();
    let one = |when_reached| OwnerLimit::new(NonZeroU32::MIN, when_reached);
    let refused = limits.admit(Some(&key(5)), &key(6), adas(6), one(WhenReached::Refuse));
    let _ = refused.await.unwrap();
    let stored = limits.admit(Some(&key(5)), &key(6), adas(6), one(WhenReached::EndOldest));
    let _ = stored.await.unwrap();
    ear.hears_all_of(&[5, 10]).await;

    add(&here, 7).await;
    assert_eq!(here.destroy_by_owner(&ada, &[]).await.unwrap(), 2);
    ear.hears_all_of(&[6, 7]).await;

    // All at once are not named.
    add(&here, 1).await;
    add(&here, 2).await;
    assert_eq!(here.clear().await.unwrap(), 2);
    ear.hears_first(&[Ending::Unknown]).await;
    add(&here, 8).await;
    assert!(here.destroy(&key(8)).await.unwrap());
    ear.hears_first(&of(8)).await;

    // Other tables have channels of their own, and who was not asked tells nothing.
    let silent = PostgresStore::<u32>::create(pool(&server).await);
    let silent = silent.await.unwrap();
    assert!(silent.announcements().is_none());
    add(&silent, 11).await;
    assert!(silent.destroy(&key(11)).await.unwrap());
    let other = PostgresStore::builder(pool(&server).await).table("others".parse().unwrap());
    let other = other.announce_endings().create().await.unwrap();
    add(&other, 12).await;
    assert!(other.destroy(&key(12)).await.unwrap());
    add(&here, 13).await;
    assert!(here.destroy(&key(13)).await.unwrap());
    ear.hears_first(&of(13)).await;
    assert!(ear.heard.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_connects_again() {
    let Some(mut server) = or_skip(Postgres::start()) else {
        return;
    };
    let store = process(&server).await;
    let ear = Ear::of(&store).await;
    for number in 1..3 {
        server.kill_9();
        server.restart().unwrap();
        ear.hears_first(&[Ending::Unknown]).await;
        let stored = async || {
            let outcome = store.set(&key(number), adas(number), Expect::Absent).await;
            outcome.is_ok()
        };
        until("the store", &stored).await;
        assert!(store.destroy(&key(number)).await.unwrap());
        ear.hears_first(&[Ending::Of(key(number))]).await;
    }
    // Cut off by an administrator, while the others go on.
    let cut =
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'";
    let ended: i64 = sqlx::query_scalar(cut)
        .fetch_one(store.pool())
        .await
        .unwrap();
    assert_eq!(ended, 1);
    ear.hears_first(&[Ending::Unknown]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn listening_ends_when_it_is_dropped_or_the_pool_is_closed() {
    let Some(server) = or_skip(Postgres::start()) else {
        return;
    };
    let observer = pool(&server).await;
    let listeners = async |expected: i64| {
        let count = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'";
        let found: i64 = sqlx::query_scalar(count)
            .fetch_one(&observer)
            .await
            .unwrap();
        found == expected
    };
    let store = process(&server).await;
    let (one, two) = (Ear::of(&store).await, Ear::of(&store).await);
    until("two listeners", || listeners(2)).await;
    drop(one);
    until("the end of one", || listeners(1)).await;
    store.pool().close().await;
    until("the end of the other", || listeners(0)).await;
    drop(two);
}
