//! What each operation sends, as the servers count it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::num::NonZeroU32;

use cloakroom_redis::RedisStore;
use cloakroom_store::{
    AdmitOutcome, Enumerate, Expect, OwnerLimit, Record, RotateOutcome, SessionKey, SetOutcome,
    Store, WhenReached,
};
use cloakroom_testservers::{Redis, RedisCluster, or_skip};
use common::monitor::Monitor;
use common::{Bench, Data, key, owner};

/// The operations that the engine uses, each with a name. On a store that knows its scripts already.
async fn each_operation(
    bench: &Bench,
    make: impl Fn(&str) -> Record<Data>,
    mut after: impl FnMut(&'static str),
) {
    let store = &bench.store;
    let created = store.set(&key(1), make("a"), Expect::Absent).await.unwrap();
    assert_eq!(created, SetOutcome::Stored(1));
    after("create");
    assert!(store.get(&key(1)).await.unwrap().is_some());
    after("get");
    assert!(store.get(&key(9)).await.unwrap().is_none());
    after("get nothing");
    let written = store.set(&key(1), make("b"), Expect::Version(1)).await;
    assert_eq!(written.unwrap(), SetOutcome::Stored(2));
    after("update");
    let written = store.set(&key(1), make("c"), Expect::Version(1)).await;
    assert_eq!(written.unwrap(), SetOutcome::Conflict(2));
    after("conflict");
    let written = store.set(&key(1), make("c"), Expect::Present).await;
    assert_eq!(written.unwrap(), SetOutcome::Stored(3));
    after("overwrite");
    let times = make("x").times;
    let touched = store.touch(&key(1), times.last_seen_at);
    assert!(touched.await.unwrap());
    after("touch");
    let moved = store.rotate(&key(1), &key(2), times).await.unwrap();
    assert!(matches!(moved, RotateOutcome::Moved { .. }));
    after("rotate");
    let replaced = store.replace(&key(2), &key(3), make("d")).await.unwrap();
    assert_eq!(replaced, SetOutcome::Stored(1));
    after("replace");
    let renewal = store.renewal().unwrap();
    let renewed = renewal.renew(&key(3), &key(4), times, times.last_seen_at);
    assert!(matches!(
        renewed.await.unwrap(),
        RotateOutcome::Moved { .. }
    ));
    after("renew");
    assert!(renewal.follow(&key(3)).await.unwrap().is_none());
    after("follow");
    let limit = OwnerLimit::new(NonZeroU32::MIN, WhenReached::Refuse);
    let limits = store.owner_limits().unwrap();
    let admitted = limits.admit(Some(&key(4)), &key(5), make("e"), limit).await;
    assert!(matches!(admitted.unwrap(), AdmitOutcome::Stored { .. }));
    after("admit");
    let limit = OwnerLimit::new(NonZeroU32::MIN, WhenReached::EndOldest);
    let admitted = limits.admit(None, &key(6), make("f"), limit).await;
    assert!(matches!(admitted.unwrap(), AdmitOutcome::Stored { .. }));
    after("admit instead of the oldest");
    let _ = store.destroy(&key(5)).await.unwrap();
    after("destroy what may be gone");
    assert!(store.destroy(&key(6)).await.unwrap());
    after("destroy");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_server_needs_one_round_trip() {
    let Some(server) = or_skip(Redis::start()) else {
        return;
    };
    let bench = Bench::on(&server.url()).await;
    for make in [Bench::record, |bench: &Bench, word: &str| {
        bench.owned(word, "ada")
    }] {
        // The first time around the server learns the scripts.
        each_operation(&bench, |word| make(&bench, word), |_| {}).await;
        let mut monitor = Monitor::on(&server);
        let after = |operation: &'static str| {
            let expected = match operation {
                "get" | "get nothing" | "follow" => "get",
                _ => "evalsha",
            };
            assert_eq!(monitor.since(&server), [expected], "{operation}");
        };
        each_operation(&bench, |word| make(&bench, word), after).await;
    }
    for number in 1..=5 {
        bench.add(&key(number), bench.owned("a", "ada")).await;
    }
    let warm = bench.store.list_by_owner(&owner("ada")).await.unwrap();
    assert_eq!(warm.len(), 5);
    bench
        .store
        .destroy_by_owner(&owner("nobody"), &[])
        .await
        .unwrap();
    let mut monitor = Monitor::on(&server);
    let list = bench.store.list_by_owner(&owner("ada")).await.unwrap();
    assert_eq!(list.len(), 5);
    assert_eq!(monitor.since(&server), ["evalsha"]);
    let ended = bench.store.destroy_by_owner(&owner("ada"), &[]).await;
    assert_eq!(ended.unwrap(), 5);
    assert_eq!(monitor.since(&server), ["evalsha"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_needs_as_many_as_the_guide_says() {
    let Some(cluster) = or_skip(RedisCluster::start()) else {
        return;
    };
    let bench = Bench::on(&cluster.url()).await;
    let primaries = cluster.primaries();
    let servers: Vec<&Redis> = primaries.iter().map(|&n| &cluster.nodes()[n]).collect();
    let sent = |monitors: &mut Vec<Monitor>| -> usize {
        let pairs = monitors.iter_mut().zip(&servers);
        pairs
            .map(|(monitor, server)| monitor.since(server).len())
            .sum()
    };
    // Without an owner nothing but the session is written.
    for (owned, expected) in [
        (false, [1, 1, 1, 1, 1, 1, 1, 4, 2, 4, 1, 3, 1, 1, 1]),
        (true, [2, 1, 1, 1, 1, 1, 1, 6, 4, 6, 1, 5, 7, 1, 2]),
    ] {
        let make = |word: &str| match owned {
            true => bench.owned(word, "ada"),
            false => bench.record(word),
        };
        // Every server learns every script.
        for _ in 0..2 {
            learn(&bench.store, &servers).await;
            each_operation(&bench, make, |_| {}).await;
        }
        let mut monitors: Vec<_> = servers.iter().map(|server| Monitor::on(server)).collect();
        let mut expected = expected.into_iter();
        let after = |operation: &'static str| {
            let found = sent(&mut monitors);
            let expected = expected.next().unwrap();
            assert_eq!(found, expected, "{operation}, with owner: {owned}");
        };
        each_operation(&bench, make, after).await;
    }
}

/// Sends every script to every server, by sessions in all parts of the cluster.
async fn learn(store: &RedisStore<Data>, servers: &[&Redis]) {
    for server in servers {
        assert_eq!(server.ask(&["PING"]).unwrap(), "+PONG");
    }
    let bench = Bench {
        store: store.clone(),
        clock: cloakroom_store::ManualClock::starting_now(),
    };
    for number in 100..160 {
        let name = format!("learner {number}");
        bench.add(&key(number), bench.owned("a", &name)).await;
        let times = bench.record("x").times;
        let to = key(number + 80);
        let touched = store.touch(&key(number), times.last_seen_at).await;
        assert!(touched.unwrap());
        let moved = store.rotate(&key(number), &to, times).await.unwrap();
        assert!(matches!(moved, RotateOutcome::Moved { .. }));
        // In turns: the next one ends this one.
        let limit = OwnerLimit::new(NonZeroU32::MIN, WhenReached::EndOldest);
        let limits = store.owner_limits().unwrap();
        let turn = SessionKey::from_bytes([number; 32].map(|byte| byte ^ 255));
        let admitted = limits.admit(None, &turn, bench.owned("b", &name), limit);
        assert!(matches!(
            admitted.await.unwrap(),
            AdmitOutcome::Stored { .. }
        ));
        let _ = store.destroy(&to).await.unwrap();
        assert!(store.destroy(&turn).await.unwrap());
    }
}
