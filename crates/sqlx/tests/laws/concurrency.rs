use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;

use cloakroom_store::{
    Clock, Enumerate, Expect, RotateOutcome, SetOutcome, Store, StoreFuture, Times,
};
use tokio::task::JoinSet;

use super::*;

const CROWD: u32 = 64;

async fn gather<R: Send + 'static>(
    tasks: impl Iterator<Item = impl Future<Output = R> + Send + 'static>,
) -> Vec<R> {
    tasks.collect::<JoinSet<_>>().join_all().await
}

pub(crate) async fn one_of_64_creates_wins<B: Bench>(case: Case<B>) {
    let outcomes = gather((0..CROWD).map(|number| {
        let (store, record) = (case.store.clone(), case.record(&number.to_string()));
        async move { store.set(&key(1), record, Expect::Absent).await.unwrap() }
    }))
    .await;
    let won = outcomes
        .iter()
        .filter(|outcome| **outcome == SetOutcome::Stored(1));
    assert_eq!(won.count(), 1);
    let lost = outcomes
        .iter()
        .filter(|outcome| **outcome == SetOutcome::Exists);
    assert_eq!(lost.count(), CROWD as usize - 1);

    // The same over a dead row.
    case.add(&key(2), case.ending_in("dead", 1)).await;
    case.clock.advance(Duration::from_secs(1));
    let outcomes = gather((0..CROWD).map(|_| {
        let (store, record) = (case.store.clone(), case.record("x"));
        async move { store.set(&key(2), record, Expect::Absent).await.unwrap() }
    }))
    .await;
    let won = outcomes
        .iter()
        .filter(|outcome| **outcome == SetOutcome::Stored(1));
    assert_eq!(won.count(), 1);
}

pub(crate) async fn one_of_64_compare_and_sets_wins<B: Bench>(case: Case<B>) {
    case.add(&key(1), case.record("start")).await;
    let outcomes = gather((0..CROWD).map(|number| {
        let (store, record) = (case.store.clone(), case.record(&number.to_string()));
        async move {
            let outcome = store
                .set(&key(1), record, Expect::Version(1))
                .await
                .unwrap();
            (number, outcome)
        }
    }))
    .await;
    let winners: Vec<_> = outcomes
        .iter()
        .filter(|(_, outcome)| *outcome == SetOutcome::Stored(2))
        .collect();
    let losers = outcomes
        .iter()
        .filter(|(_, outcome)| *outcome == SetOutcome::Conflict(2));
    assert_eq!(losers.count(), CROWD as usize - 1);
    assert_eq!(winners.len(), 1);
    assert_eq!(case.word(&key(1)).await.unwrap(), winners[0].0.to_string());
}

pub(crate) async fn counting_to_64_loses_none<B: Bench>(case: Case<B>) {
    case.add(&key(1), case.record("0")).await;
    gather((0..CROWD).map(|_| {
        let store = case.store.clone();
        async move {
            loop {
                let record = store.get(&key(1)).await.unwrap().unwrap();
                tokio::task::yield_now().await;
                let count: u32 = record.data[0].parse().unwrap();
                let next = super::record(&(count + 1).to_string(), record.times);
                let expect = Expect::Version(record.version);
                match store.set(&key(1), next, expect).await.unwrap() {
                    SetOutcome::Stored(_) => return,
                    SetOutcome::Conflict(found) => assert!(found > record.version),
                    other => panic!("{other:?}"),
                }
            }
        }
    }))
    .await;
    assert_eq!(case.word(&key(1)).await.unwrap(), "64");
}

pub(crate) async fn one_of_many_rotations_wins<B: Bench>(case: Case<B>) {
    case.add(&key(1), case.record("a")).await;
    let times = Times::starting(case.clock.now());
    let outcomes = gather((0..16).map(|number| {
        let store = case.store.clone();
        async move {
            store
                .rotate(&key(1), &key(100 + number), times)
                .await
                .unwrap()
        }
    }))
    .await;
    let moved = RotateOutcome::Moved {
        found: 1,
        version: 1,
    };
    assert_eq!(
        outcomes.iter().filter(|outcome| **outcome == moved).count(),
        1
    );
    assert_eq!(case.store.count().await.unwrap(), 1);

    // Two records, one key to go to.
    case.add(&key(2), case.record("b")).await;
    case.add(&key(3), case.record("c")).await;
    let outcomes = gather([2, 3].into_iter().map(|number| {
        let store = case.store.clone();
        async move { store.rotate(&key(number), &key(4), times).await.unwrap() }
    }))
    .await;
    assert!(outcomes.contains(&moved) && outcomes.contains(&RotateOutcome::Exists));
}

/// Whatever runs beside a destroy, nothing is live when all have returned.
pub(crate) async fn destroy_beats_every_verb<B: Bench>(case: Case<B>) {
    for round in 0..12 {
        let k = key(round);
        case.add(&k, case.record("a")).await;
        let times = Times::starting(case.clock.now());
        let (a, b, c, d) = tokio::join!(
            case.store.destroy(&k),
            case.store.set(&k, case.record("late"), Expect::Present),
            case.store.set(&k, case.record("late"), Expect::Version(1)),
            case.store.touch(&k, times.created_at),
        );
        assert!(a.unwrap());
        let (_, _, _) = (b.unwrap(), c.unwrap(), d.unwrap());
        let late = case
            .store
            .set(&k, case.record("later"), Expect::Present)
            .await
            .unwrap();
        assert_eq!(late, SetOutcome::Gone);

        // Against a rotation: it is one or the other.
        case.add(&k, case.record("a")).await;
        let to = key(1_000 + round);
        let (ended, moved) =
            tokio::join!(case.store.destroy(&k), case.store.rotate(&k, &to, times),);
        let moved = moved.unwrap() != RotateOutcome::Gone;
        assert_ne!(ended.unwrap(), moved, "exactly one of the two found it");
        assert!(case.word(&k).await.is_none());
        assert_eq!(case.word(&to).await.is_some(), moved);
    }
}

/// Who is signed out everywhere is, though the sessions get fresh ids at that moment.
pub(crate) async fn end_all_finds_what_moves<B: Bench>(case: Case<B>) {
    // As ids are: some are after the old one in the order of an index, others before it.
    let anywhere = || SessionKey::from_bytes(std::array::from_fn(|_| fastrand::u8(..)));
    for round in 0..60 {
        let ada = owner("ada");
        let mut movers = JoinSet::new();
        for _ in 0..3 {
            let mut record = case.record("a");
            record.owner = Some(ada.clone());
            let (store, times) = (case.store.clone(), record.times);
            let mut at = anywhere();
            case.add(&at, record).await;
            movers.spawn(async move {
                let renewal = store.renewal().unwrap();
                loop {
                    let to = anywhere();
                    let moving = renewal.renew(&at, &to, times, times.renewed_at);
                    match moving.await.unwrap() {
                        RotateOutcome::Moved { .. } => at = to,
                        _ => return,
                    }
                }
            });
        }
        tokio::time::sleep(Duration::from_millis(round % 5)).await;
        let ended = case.store.destroy_by_owner(&ada, &[]).await.unwrap();
        let left = case.store.list_by_owner(&ada).await.unwrap().len();
        assert_eq!((ended, left), (3, 0));
        movers.join_all().await;
    }
}

/// Sessions are refreshed while others are purged; each `true` of a touch is a promise.
pub(crate) async fn purge_spares_the_refreshed<B: Bench>(case: Case<B>) {
    const SESSIONS: u32 = 40;
    for number in 0..SESSIONS {
        let mut record = case.record("a");
        record.times.idle_timeout = Some(Duration::from_secs(60));
        case.add(&key(number), record).await;
    }
    // The refresher's clock is behind the purger's: it sees the sessions live, the purger sees them expired.
    let ahead = ManualClock::at(case.clock.now().plus(Duration::from_secs(61)));
    let purging = Case::<B>::build(&case.pool, &case.table, &ahead)
        .purge_batch(3)
        .create()
        .await
        .unwrap();
    let touching = gather((0..SESSIONS).map(|number| {
        let (store, seen) = (case.store.clone(), ahead.now());
        async move { (number, store.touch(&key(number), seen).await.unwrap()) }
    }));
    let (touched, purged) = tokio::join!(touching, purging.purge_expired());
    let kept: Vec<u32> = touched
        .iter()
        .filter(|(_, kept)| *kept)
        .map(|(n, _)| *n)
        .collect();
    assert_eq!(purged.unwrap() + kept.len() as u64, u64::from(SESSIONS));
    for number in kept {
        assert!(
            purging.get(&key(number)).await.unwrap().is_some(),
            "{number} was refreshed"
        );
    }
    assert_eq!(purging.purge_expired().await.unwrap(), 0);
}

pub(crate) async fn many_purge_together<B: Bench>(case: Case<B>) {
    for number in 0..200 {
        case.add(&key(number), case.ending_in("dead", 1)).await;
    }
    case.add(&key(1_000), case.ending_in("alive", 100)).await;
    case.clock.advance(Duration::from_secs(1));
    let small = case.builder().purge_batch(7).create().await.unwrap();
    let removed = gather((0..5).map(|_| {
        let store = small.clone();
        async move { store.purge_expired().await.unwrap() }
    }))
    .await;
    assert_eq!(removed.iter().sum::<u64>(), 200);
    assert_eq!(case.store.count().await.unwrap(), 1);
    assert!(case.store.row(&key(0)).await.unwrap().is_none());
}

/// Somebody may have seen meanwhile that it had ended.
pub(crate) async fn what_expires_while_a_write_waits_stays_ended<B: Bench>(case: Case<B>) {
    let Case {
        pool, store, clock, ..
    } = &case;
    for number in 1..=4 {
        case.add(&key(number), case.ending_in("x", 10)).await;
    }
    let later = case.ending_in("later", 1_000);
    let mut held = Vec::new();
    for _ in 0..pool.options().get_max_connections() {
        held.push(pool.acquire().await.unwrap());
    }
    let mut set = store.set(&key(1), later.clone(), Expect::Version(1));
    let mut touch = store.touch(&key(2), clock.now());
    let mut rotate = store.rotate(&key(3), &key(30), later.times);
    let mut destroy = store.destroy(&key(4));
    assert!(waits(&mut set) && waits(&mut touch));
    assert!(waits(&mut rotate) && waits(&mut destroy));
    clock.advance(Duration::from_secs(11));
    drop(held);
    let (set, touch, rotate, destroy) = tokio::join!(set, touch, rotate, destroy);
    assert_eq!(set.unwrap(), SetOutcome::Gone);
    assert!(!touch.unwrap());
    assert_eq!(rotate.unwrap(), RotateOutcome::Gone);
    assert!(!destroy.unwrap());
    assert_eq!(store.count().await.unwrap(), 0);
}

fn waits<R>(asked: &mut StoreFuture<'_, R>) -> bool {
    let mut context = Context::from_waker(Waker::noop());
    Pin::new(asked).poll(&mut context).is_pending()
}

pub(crate) async fn create_from_20_instances_at_once<B: Bench>(case: Case<B>) {
    let table: TableName = "t_made_by_20".parse().unwrap();
    let stores = gather((0..20).map(|_| {
        let builder = Case::<B>::build(&case.pool, &table, &case.clock);
        async move { builder.create().await.unwrap() }
    }))
    .await;
    let outcome = stores[0]
        .set(&key(1), case.record("a"), Expect::Absent)
        .await
        .unwrap();
    assert_eq!(outcome, SetOutcome::Stored(1));
    assert!(stores[19].get(&key(1)).await.unwrap().is_some());
}
