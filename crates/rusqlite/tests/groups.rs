//! Writes that share a transaction.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use cloakroom_rusqlite::SqliteStore;
use cloakroom_store::{
    AdmitOutcome, Clock, Enumerate, Expect, ManualClock, Owner, OwnerLimit, OwnerLimits, Record,
    Renewal, RotateOutcome, SetOutcome, Store, StoreError, StoreErrorKind, SystemClock, Times,
    WhenReached,
};
use support::{Place, add, assert_unavailable, ending, found, key, owned, record};

/// Asks for all of them while nothing can be written, so that they are done together.
async fn together<R: Send + 'static>(
    place: &Place,
    tasks: Vec<impl Future<Output = R> + Send + 'static>,
) -> Vec<R> {
    let other = place.connection();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let tasks: Vec<_> = tasks.into_iter().map(tokio::spawn).collect();
    // On one thread: each task has asked when it is this one's turn again.
    tokio::task::yield_now().await;
    other.execute_batch("ROLLBACK").unwrap();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

#[tokio::test]
async fn each_write_has_its_own_outcome() {
    let place = Place::new();
    let store = place.store().await;
    add(&store, 1).await;
    let set = |number: u32, data: u32, expect| {
        let store = store.clone();
        async move { store.set(&key(number), record(data), expect).await.unwrap() }
    };
    let tasks = vec![
        set(1, 10, Expect::Version(1)),
        set(1, 11, Expect::Version(1)),
        set(1, 12, Expect::Version(2)),
        set(1, 13, Expect::Absent),
        set(2, 20, Expect::Present),
        set(2, 21, Expect::Absent),
        set(2, 22, Expect::Absent),
        set(2, 23, Expect::Version(u64::MAX)),
    ];
    let outcomes = together(&place, tasks).await;
    let expected = [
        SetOutcome::Stored(2),
        SetOutcome::Conflict(2),
        SetOutcome::Stored(3),
        SetOutcome::Exists,
        SetOutcome::Gone,
        SetOutcome::Stored(1),
        SetOutcome::Exists,
        SetOutcome::Conflict(1),
    ];
    assert_eq!(outcomes, expected);
    assert_eq!(found(&store, 1).await, Some(12));
    assert_eq!(found(&store, 2).await, Some(21));
}

type Task = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send>>;

/// A trigger stands for whatever makes a write fail; `action` is what SQLite undoes then.
async fn a_write_that_fails(action: &str) {
    let place = Place::new();
    let store = place.store().await;
    add(&store, 1).await;
    place.execute(&format!(
        "CREATE TRIGGER evil BEFORE UPDATE ON cloakroom_sessions WHEN new.data = '666'
         BEGIN SELECT RAISE({action}, 'no'); END"
    ));
    let insert = |number: u32| {
        let store = store.clone();
        async move {
            let set = store.set(&key(number), record(number), Expect::Absent);
            set.await.map(drop)
        }
    };
    let fail = {
        let store = store.clone();
        async move {
            let set = store.set(&key(1), record(666), Expect::Present);
            set.await.map(drop)
        }
    };
    let tasks: Vec<Task> = vec![Box::pin(insert(2)), Box::pin(fail), Box::pin(insert(3))];
    let answers = together(&place, tasks).await;
    assert!(answers[0].is_ok(), "{action}: {answers:?}");
    assert!(answers[1].is_err(), "{action}: {answers:?}");
    assert!(answers[2].is_ok(), "{action}: {answers:?}");
    for number in 1..=3 {
        assert_eq!(found(&store, number).await, Some(number), "{action}");
    }
}

#[tokio::test]
async fn one_that_fails_harms_none_of_its_neighbours() {
    // The statement is undone, and the transaction goes on.
    a_write_that_fails("ABORT").await;
    // The whole transaction is undone, as when the disk is full.
    a_write_that_fails("ROLLBACK").await;
}

#[tokio::test]
async fn a_full_disk_refuses_what_does_not_fit_and_takes_what_does() {
    let place = Place::new();
    let store = SqliteStore::<String>::open(&place.path).await.unwrap();
    let set = |number: u32, size: usize| {
        let store = store.clone();
        async move {
            let data = record("x".repeat(size));
            store.set(&key(number), data, Expect::Absent).await
        }
    };
    assert_eq!(set(1, 10).await.unwrap(), SetOutcome::Stored(1));
    // Only the connection that writes can be told so; the file system is told by a limit of its own. What stands
    // for it is a trigger that does what SQLite does then.
    place.execute(
        "CREATE TRIGGER full BEFORE INSERT ON cloakroom_sessions WHEN length(new.data) > 1000
         BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END",
    );
    let answers = together(&place, vec![set(2, 10), set(3, 5_000), set(4, 10)]).await;
    assert_eq!(*answers[0].as_ref().unwrap(), SetOutcome::Stored(1));
    assert!(answers[1].is_err());
    assert_eq!(*answers[2].as_ref().unwrap(), SetOutcome::Stored(1));
    assert_eq!(store.count().await.unwrap(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn counting_to_64_loses_none() {
    let place = Place::new();
    let store = place.store().await;
    add(&store, 0).await;
    let tasks = (0..64).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            loop {
                let found = store.get(&key(0)).await.unwrap().unwrap();
                tokio::task::yield_now().await;
                let next = Record::new(Arc::new(*found.data + 1), found.times);
                let expect = Expect::Version(found.version);
                match store.set(&key(0), next, expect).await.unwrap() {
                    SetOutcome::Stored(_) => return,
                    SetOutcome::Conflict(newer) => assert!(newer > found.version),
                    other => panic!("{other:?}"),
                }
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(found(&store, 0).await, Some(64));
}

fn limit(max: u32, when_reached: WhenReached) -> OwnerLimit {
    OwnerLimit::new(max.try_into().unwrap(), when_reached)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_sign_ins_as_many_are_let_in_as_the_limit_allows() {
    for when_reached in [WhenReached::EndOldest, WhenReached::Refuse] {
        let place = Place::new();
        let (here, there) = (place.store().await, place.store().await);
        let tasks = (0..24).map(|number| {
            let store = [&here, &there][number as usize % 2].clone();
            tokio::spawn(async move {
                let record = owned(number, "ada");
                let admitted = store.admit(None, &key(number), record, limit(3, when_reached));
                admitted.await.unwrap()
            })
        });
        let (mut stored, mut ended) = (0, Vec::new());
        for task in tasks.collect::<Vec<_>>() {
            match task.await.unwrap() {
                AdmitOutcome::Stored { ended: some, .. } => {
                    stored += 1;
                    ended.extend(some);
                }
                outcome => assert_eq!(outcome, AdmitOutcome::Refused),
            }
        }
        let ada = Owner::new("ada").unwrap();
        assert_eq!(here.list_by_owner(&ada).await.unwrap().len(), 3);
        ended.sort();
        ended.dedup();
        let expected = match when_reached {
            WhenReached::EndOldest => (24, 21),
            _ => (3, 0),
        };
        assert_eq!((stored, ended.len()), expected);
    }
}

#[tokio::test]
async fn what_is_refused_changes_nothing() {
    let place = Place::new();
    let store = place.store().await;
    let refuse = limit(1, WhenReached::Refuse);
    let admit = |from: Option<u32>, to: u32, limit| {
        let store = store.clone();
        async move {
            let from = from.map(key);
            let admitted = store.admit(from.as_ref(), &key(to), owned(to, "ada"), limit);
            admitted.await.unwrap()
        }
    };
    let stored = |ended: &[u32]| AdmitOutcome::Stored {
        version: 1,
        ended: ended.iter().copied().map(key).collect(),
    };
    add(&store, 9).await;
    assert_eq!(admit(Some(9), 1, refuse).await, stored(&[]));
    assert_eq!(found(&store, 9).await, None);
    add(&store, 9).await;
    assert_eq!(admit(Some(9), 2, refuse).await, AdmitOutcome::Refused);
    assert_eq!(found(&store, 9).await, Some(9));
    // What ends makes room, and a key that is taken ends nothing.
    assert_eq!(admit(Some(1), 2, refuse).await, stored(&[]));
    let oldest = limit(1, WhenReached::EndOldest);
    assert_eq!(admit(None, 9, oldest).await, AdmitOutcome::Exists);
    assert_eq!(found(&store, 2).await, Some(2));
    assert_eq!(admit(None, 3, oldest).await, stored(&[2]));
    assert_eq!(found(&store, 2).await, None);
}

/// All of it or nothing, though the transaction of the group goes on.
#[tokio::test]
async fn an_admission_that_fails_half_way_ends_nobody() {
    let place = Place::new();
    let store = place.store().await;
    let oldest = limit(1, WhenReached::EndOldest);
    let admit = |to: u32| store.admit(None, &key(to), owned(to, "ada"), oldest);
    assert!(matches!(
        admit(1).await.unwrap(),
        AdmitOutcome::Stored { .. }
    ));
    place.execute(
        "CREATE TRIGGER stays BEFORE DELETE ON cloakroom_sessions
         BEGIN SELECT RAISE(ABORT, 'no'); END",
    );
    assert!(admit(2).await.is_err());
    assert_eq!(found(&store, 1).await, Some(1));
    assert_eq!(found(&store, 2).await, None);
}

#[tokio::test]
async fn a_renewal_leaves_a_trail() {
    let place = Place::new();
    let store = place.store().await;
    add(&store, 1).await;
    let now = SystemClock.now();
    let mut times = Times::starting(now);
    times.renewed_at = now;
    let ends_at = now.plus(std::time::Duration::from_secs(60));
    let moved = store.renew(&key(1), &key(2), times, ends_at).await.unwrap();
    assert!(matches!(moved, RotateOutcome::Moved { .. }));
    assert_eq!(found(&store, 1).await, None);
    assert_eq!(found(&store, 2).await, Some(1));
    let trail = store.follow(&key(1)).await.unwrap().unwrap();
    assert_eq!((trail.to, trail.moved_at), (key(2), now));

    // No trail without a move.
    let gone = store.renew(&key(1), &key(3), times, ends_at).await.unwrap();
    assert_eq!(gone, RotateOutcome::Gone);
    assert_eq!(store.follow(&key(1)).await.unwrap(), Some(trail));
    assert_eq!(store.follow(&key(3)).await.unwrap(), None);

    // One whose time is over leads nowhere, and is purged.
    let over = store.renew(&key(2), &key(4), times, now).await.unwrap();
    assert!(matches!(over, RotateOutcome::Moved { .. }));
    assert_eq!(store.follow(&key(2)).await.unwrap(), None);
    let trails = |count: i64| {
        let sql = "SELECT COUNT(*) FROM cloakroom_sessions_trails";
        let found: i64 = place
            .connection()
            .query_row(sql, [], |row| row.get(0))
            .unwrap();
        assert_eq!(found, count);
    };
    trails(2);
    assert_eq!(store.purge_expired().await.unwrap(), 0);
    trails(1);
    assert_eq!(store.clear().await.unwrap(), 1);
    trails(0);
}

#[tokio::test]
async fn what_could_not_be_read_back_is_not_stored() {
    let place = Place::new();
    // JSON writes this number as null, which is no number.
    let store = SqliteStore::<f64>::open(&place.path).await.unwrap();
    let created = store.set(&key(1), record(1.5), Expect::Absent).await;
    assert_eq!(created.unwrap(), SetOutcome::Stored(1));
    let over = store.set(&key(1), record(f64::NAN), Expect::Version(1));
    assert_eq!(over.await.unwrap_err().kind(), StoreErrorKind::Unencodable);
    assert_eq!(*store.get(&key(1)).await.unwrap().unwrap().data, 1.5);
}

/// Somebody may have seen meanwhile that it had ended.
#[tokio::test]
async fn what_expires_while_a_write_waits_stays_ended() {
    let place = Place::new();
    let clock = ManualClock::starting_now();
    let builder = SqliteStore::<u32>::builder(&place.path).clock(clock.clone());
    let store = builder.open().await.unwrap();
    for number in 1..=4 {
        let ending = ending(number, &clock, 10);
        let stored = store.set(&key(number), ending, Expect::Absent).await;
        assert_eq!(stored.unwrap(), SetOutcome::Stored(1));
    }
    let later = ending(9, &clock, 1_000);
    let other = place.connection();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut context = Context::from_waker(Waker::noop());
    let mut set = store.set(&key(1), later.clone(), Expect::Version(1));
    let mut touch = store.touch(&key(2), clock.now());
    let mut rotate = store.rotate(&key(3), &key(30), later.times);
    let mut destroy = store.destroy(&key(4));
    assert!(Pin::new(&mut set).poll(&mut context).is_pending());
    assert!(Pin::new(&mut touch).poll(&mut context).is_pending());
    assert!(Pin::new(&mut rotate).poll(&mut context).is_pending());
    assert!(Pin::new(&mut destroy).poll(&mut context).is_pending());
    clock.advance(Duration::from_secs(11));
    for number in 1..=4 {
        assert_eq!(found(&store, number).await, None);
    }
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(set.await.unwrap(), SetOutcome::Gone);
    assert!(!touch.await.unwrap());
    assert_eq!(rotate.await.unwrap(), RotateOutcome::Gone);
    assert!(!destroy.await.unwrap());
    assert_eq!(store.count().await.unwrap(), 0);
}

#[tokio::test]
async fn nothing_is_answered_before_the_commit() {
    let place = Place::new();
    let store = place.store().await;
    add(&store, 1).await;
    // Deferred constraints are checked by the commit: here it is what fails.
    place.execute(
        "CREATE TABLE parents (id INTEGER PRIMARY KEY);
         CREATE TABLE children (parent INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED);
         CREATE TRIGGER orphan AFTER UPDATE ON cloakroom_sessions WHEN new.data = '666'
         BEGIN INSERT INTO children VALUES (1); END",
    );
    let set = |number: u32, data: u32| {
        let store = store.clone();
        async move {
            let set = store.set(&key(number), record(data), Expect::Present);
            set.await
        }
    };
    add(&store, 2).await;
    let answers = together(&place, vec![set(2, 20), set(1, 666), set(2, 21)]).await;
    assert_eq!(*answers[0].as_ref().unwrap(), SetOutcome::Stored(2));
    assert!(answers[1].is_err());
    assert_eq!(*answers[2].as_ref().unwrap(), SetOutcome::Stored(3));
    assert_eq!(found(&store, 1).await, Some(1));
    assert_eq!(found(&store, 2).await, Some(21));
    store.close().await;
    assert_unavailable(store.get(&key(1)).await);
}
