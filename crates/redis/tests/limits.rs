//! How many sessions an owner may have, on one server and in a cluster.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cloakroom_redis::RedisStore;
use cloakroom_store::{
    AdmitOutcome, Clock, Enumerate, Expect, OwnerLimit, OwnerLimits, Record, SessionKey,
    SetOutcome, Store, WhenReached,
};
use cloakroom_testservers::{Redis, RedisCluster, or_skip};
use common::slow::Slow;
use common::{Bench, Data, ask_cluster, key, keys, owner};

fn at_most(max: u32, when_reached: WhenReached) -> OwnerLimit {
    OwnerLimit::new(NonZeroU32::new(max).unwrap(), when_reached)
}

fn limits(store: &RedisStore<Data>) -> &dyn OwnerLimits<Data> {
    store.owner_limits().unwrap()
}

/// A key for each of two numbers.
fn pair(a: u8, b: u8) -> SessionKey {
    SessionKey::from_bytes(std::array::from_fn(|at| if at == 0 { a } else { b }))
}

fn stored(outcome: AdmitOutcome) -> Vec<SessionKey> {
    match outcome {
        AdmitOutcome::Stored { version: 1, ended } => ended,
        other => panic!("{other:?}"),
    }
}

async fn listed(bench: &Bench) -> Vec<SessionKey> {
    let listed = bench.store.list_by_owner(&owner("ada")).await.unwrap();
    listed.into_iter().map(|entry| entry.key).collect()
}

/// A second process: the same sessions, connections of its own.
async fn peer(url: &str, bench: &Bench) -> RedisStore<Data> {
    let builder = RedisStore::builder(url).prefix(bench.store.prefix().clone());
    builder.clock(bench.clock.clone()).connect().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_server() {
    let Some(server) = or_skip(Redis::start()) else {
        return;
    };
    each(&server.url()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster() {
    let Some(cluster) = or_skip(RedisCluster::start()) else {
        return;
    };
    each(&cluster.url()).await;
}

async fn each(url: &str) {
    the_oldest_end_or_the_new_one_is_refused(&Bench::on(url).await).await;
    what_is_dead_takes_no_room(&Bench::on(url).await).await;
    for _ in 0..5 {
        many_at_once(url, &Bench::on(url).await).await;
        signing_in_while_sessions_move(url, &Bench::on(url).await).await;
    }
}

async fn the_oldest_end_or_the_new_one_is_refused(bench: &Bench) {
    let store = &bench.store;
    let oldest = at_most(3, WhenReached::EndOldest);
    let refuse = at_most(3, WhenReached::Refuse);
    let begun = |number: u64| {
        let mut record = bench.owned("a", "ada");
        record.times.created_at = bench.clock.now().plus(Duration::from_secs(number));
        record
    };
    // The keys are not in the order of age; of the same age the smaller key is the older one.
    for (number, age) in [(9, 1), (4, 2), (3, 2)] {
        let admitted = limits(store).admit(None, &key(number), begun(age), refuse);
        assert_eq!(stored(admitted.await.unwrap()), []);
    }
    bench.add(&key(50), bench.owned("b", "bob")).await;
    let refused = limits(store).admit(Some(&key(50)), &key(1), begun(3), refuse);
    assert_eq!(refused.await.unwrap(), AdmitOutcome::Refused);
    assert!(bench.word(&key(1)).await.is_none());
    assert_eq!(
        bench.word(&key(50)).await.unwrap(),
        "b",
        "`ending` lives on"
    );
    assert_eq!(listed(bench).await, [key(9), key(3), key(4)]);

    let taken = limits(store).admit(Some(&key(50)), &key(3), begun(3), oldest);
    assert_eq!(taken.await.unwrap(), AdmitOutcome::Exists);
    assert_eq!(bench.word(&key(50)).await.unwrap(), "b");
    assert_eq!(listed(bench).await, [key(9), key(3), key(4)]);

    let admitted = limits(store).admit(None, &key(1), begun(3), oldest).await;
    assert_eq!(stored(admitted.unwrap()), [key(9)]);
    let admitted = limits(store).admit(None, &key(2), begun(4), oldest).await;
    assert_eq!(stored(admitted.unwrap()), [key(3)]);
    assert_eq!(listed(bench).await, [key(4), key(1), key(2)]);

    // What it replaces does not count, and is not among those that made room.
    let admitted = limits(store).admit(Some(&key(2)), &key(5), begun(5), refuse);
    assert_eq!(stored(admitted.await.unwrap()), []);
    assert_eq!(listed(bench).await, [key(4), key(1), key(5)]);
    let admitted = limits(store).admit(Some(&key(50)), &key(6), begun(6), oldest);
    assert_eq!(stored(admitted.await.unwrap()), [key(4)]);
    assert!(bench.word(&key(50)).await.is_none());
    // A dead one makes no room.
    let refused = limits(store).admit(Some(&key(50)), &key(7), begun(7), refuse);
    assert_eq!(refused.await.unwrap(), AdmitOutcome::Refused);

    // The limit was lowered.
    let one = at_most(1, WhenReached::Refuse);
    let refused = limits(store).admit(Some(&key(1)), &key(7), begun(7), one);
    assert_eq!(refused.await.unwrap(), AdmitOutcome::Refused);
    let one = at_most(1, WhenReached::EndOldest);
    let admitted = limits(store).admit(Some(&key(1)), &key(7), begun(7), one);
    assert_eq!(stored(admitted.await.unwrap()), [key(5), key(6)]);
    assert_eq!(listed(bench).await, [key(7)]);

    // Nobody's sessions are not limited, and other owners' are others.
    let admitted = limits(store).admit(None, &key(8), bench.owned("b", "bob"), one);
    assert_eq!(stored(admitted.await.unwrap()), []);
    for number in 10..=12 {
        let admitted = limits(store).admit(None, &key(number), bench.record("x"), one);
        assert_eq!(stored(admitted.await.unwrap()), []);
    }
    let admitted = limits(store).admit(Some(&key(12)), &key(13), bench.record("x"), one);
    assert_eq!(stored(admitted.await.unwrap()), []);
    let taken = limits(store).admit(Some(&key(10)), &key(13), bench.record("x"), one);
    assert_eq!(taken.await.unwrap(), AdmitOutcome::Exists);
    assert_eq!(bench.store.count().await.unwrap(), 5);
}

async fn what_is_dead_takes_no_room(bench: &Bench) {
    let store = &bench.store;
    let refuse = at_most(2, WhenReached::Refuse);
    let admit = async |number| {
        let record = bench.owned("a", "ada");
        limits(store)
            .admit(None, &key(number), record, refuse)
            .await
            .unwrap()
    };
    assert_eq!(stored(admit(1).await), []);
    assert_eq!(stored(admit(2).await), []);
    assert_eq!(admit(3).await, AdmitOutcome::Refused);
    assert!(store.destroy(&key(1)).await.unwrap());
    assert_eq!(stored(admit(3).await), []);
    // Moved, changed, used: still the same two.
    let moved = store
        .rotate(&key(2), &key(4), bench.record("x").times)
        .await;
    assert!(matches!(
        moved.unwrap(),
        cloakroom_store::RotateOutcome::Moved { .. }
    ));
    let written = store.set(&key(3), bench.owned("b", "ada"), Expect::Present);
    assert_eq!(written.await.unwrap(), SetOutcome::Stored(2));
    assert_eq!(admit(5).await, AdmitOutcome::Refused);
    // Given to somebody else.
    let written = store.set(&key(3), bench.owned("b", "bob"), Expect::Present);
    assert_eq!(written.await.unwrap(), SetOutcome::Stored(3));
    assert_eq!(stored(admit(5).await), []);
    assert_eq!(admit(6).await, AdmitOutcome::Refused);
    bench.clock.advance(Duration::from_secs(86_400));
    assert_eq!(stored(admit(6).await), []);
    assert_eq!(stored(admit(7).await), []);
    assert_eq!(admit(8).await, AdmitOutcome::Refused);
    assert_eq!(store.destroy_by_owner(&owner("ada"), &[]).await.unwrap(), 2);
    assert_eq!(stored(admit(8).await), []);
}

/// In a cluster a listing reads one session after the other, and may show one that has ended since beside the one that
/// took its place.
fn lists_in_one_step(url: &str) -> bool {
    !url.contains("cluster")
}

/// 64 sign-ins from two processes: as many as fit are stored, and never are more live than that.
async fn many_at_once(url: &str, bench: &Bench) {
    let stores = [bench.store.clone(), peer(url, bench).await];
    for (round, how) in [(1, WhenReached::Refuse), (2, WhenReached::EndOldest)] {
        let limit = at_most(3, how);
        let one_step = lists_in_one_step(url);
        let over = Arc::new(AtomicBool::new(false));
        let (done, watched) = (Arc::clone(&over), stores[0].clone());
        let watching = tokio::spawn(async move {
            while one_step && !done.load(Ordering::Relaxed) {
                let live = watched.list_by_owner(&owner("ada")).await.unwrap();
                assert!(live.len() <= 3, "{} are live", live.len());
            }
        });
        let mut tasks = Vec::new();
        for number in 0..64 {
            let store = stores[usize::from(number) % 2].clone();
            let record: Record<Data> = bench.owned("a", "ada");
            tasks.push(tokio::spawn(async move {
                limits(&store)
                    .admit(None, &pair(round, number), record, limit)
                    .await
                    .unwrap()
            }));
        }
        let (mut admitted, mut ended) = (0, 0);
        for task in tasks {
            match task.await.unwrap() {
                AdmitOutcome::Stored { ended: some, .. } => {
                    admitted += 1;
                    ended += some.len();
                }
                AdmitOutcome::Refused => assert_eq!(how, WhenReached::Refuse),
                other => panic!("{other:?}"),
            }
        }
        over.store(true, Ordering::Relaxed);
        watching.await.unwrap();
        let expected = match how {
            WhenReached::Refuse => (3, 0),
            // Those that were refused in the first round are not there; the three that were stored are.
            _ => (64, 64),
        };
        assert_eq!((admitted, ended), expected, "{how:?}");
        assert_eq!(listed(bench).await.len(), 3);
    }
}

/// The session that a sign-in replaces, or that has to make room, may just be moving to another key.
async fn signing_in_while_sessions_move(url: &str, bench: &Bench) {
    let other = peer(url, bench).await;
    for round in 0..20 {
        let name = format!("{round}");
        let owned = |word| {
            let mut record = bench.owned(word, "x");
            record.owner = Some(owner(&name));
            record
        };
        let times = bench.record("x").times;
        bench.add(&pair(round, 100), owned("a")).await;
        bench.add(&pair(round, 101), owned("a")).await;
        let mover = other.clone();
        let moving = tokio::spawn(async move {
            for step in 0..6 {
                let (from, to) = (pair(round, 100 + 2 * step), pair(round, 102 + 2 * step));
                let _ = mover.rotate(&from, &to, times).await.unwrap();
            }
        });
        let how = [WhenReached::Refuse, WhenReached::EndOldest][usize::from(round % 2)];
        for step in 0..6 {
            let ending = pair(round, 100 + 2 * step);
            let to = pair(round, 200 + step);
            let admitted =
                limits(&bench.store).admit(Some(&ending), &to, owned("b"), at_most(2, how));
            let admitted = admitted.await.unwrap();
            if lists_in_one_step(url) {
                let live = bench.store.list_by_owner(&owner(&name)).await.unwrap();
                let live = live.len();
                assert!(live <= 2, "{live} are live after {admitted:?}");
            }
        }
        moving.await.unwrap();
        let live = bench.store.list_by_owner(&owner(&name)).await.unwrap();
        assert!(live.len() <= 2, "{} are live in the end", live.len());
    }
}

/// Whatever happens between two steps of a sign-in in a cluster: the session that it replaces, or those that have to
/// make room, move to other keys. Nothing is left over.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_moves_away_between_two_steps_counts() {
    let Some(cluster) = or_skip(RedisCluster::start()) else {
        return;
    };
    let bench = Bench::on(&cluster.url()).await;
    let slow = Slow::beside(&bench, &cluster.url());
    let times = bench.record("x").times;
    for steps in 0..40 {
        for how in [WhenReached::Refuse, WhenReached::EndOldest] {
            let (a, b) = (pair(steps, 1), pair(steps, 2));
            bench.add(&a, bench.owned("a", "ada")).await;
            bench.add(&b, bench.owned("b", "ada")).await;
            let new = pair(steps, 3);
            let limit = at_most(2, how);
            let record = bench.owned("c", "ada");
            let store = slow.store.clone();
            let admitting = slow.begin(async move {
                let admitted = limits(&store).admit(Some(&a), &new, record, limit);
                admitted.await.unwrap()
            });
            for _ in 0..steps {
                slow.step();
            }
            for (from, to) in [(a, pair(steps, 11)), (b, pair(steps, 12))] {
                let _ = bench.store.rotate(&from, &to, times).await.unwrap();
            }
            let outcome = slow.finish(admitting);
            let live = listed(&bench).await;
            assert_eq!(live.len(), 2, "{outcome:?} after {steps} steps");
            let stored = matches!(outcome, AdmitOutcome::Stored { .. });
            assert_eq!(
                live.contains(&new),
                stored,
                "{outcome:?} after {steps} steps"
            );
            assert_eq!(
                bench
                    .store
                    .destroy_by_owner(&owner("ada"), &[])
                    .await
                    .unwrap(),
                2
            );
        }
    }
}

/// A sign-in that was cut off between the index and the session takes no room for longer than a moment, and an entry
/// that was left long ago not even that.
#[tokio::test(flavor = "multi_thread")]
async fn an_entry_without_a_session_takes_no_room() {
    let Some(cluster) = or_skip(RedisCluster::start()) else {
        return;
    };
    let bench = Bench::on(&cluster.url()).await;
    let index = format!("{}o:ada", bench.store.prefix());
    let now = bench.clock.now().as_millis();
    let end = (now + 86_400_000).to_string();
    for (round, drawn_at) in [(1, now), (2, now - 3_600_000)] {
        let entry = format!(
            "{}:0123456789abcdef.{drawn_at}",
            common::hex(&key(200 + round))
        );
        ask_cluster(&cluster, &["ZADD", &index, &end, &entry]);
        let refuse = at_most(1, WhenReached::Refuse);
        let admitted =
            limits(&bench.store).admit(None, &key(round), bench.owned("a", "ada"), refuse);
        assert_eq!(stored(admitted.await.unwrap()), []);
        // Should it come after all, it finds that its place was given away.
        let score = ask_cluster(&cluster, &["ZCARD", &index]);
        assert_eq!(score, ":1");
        assert!(bench.store.destroy(&key(round)).await.unwrap());
    }
    let tombstones = cluster.nodes().iter().flat_map(|node| keys(node, "*:t:*"));
    assert!(tombstones.count() >= 2);
}
