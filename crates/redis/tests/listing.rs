//! Listings of a cluster while sessions move.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cloakroom_store::{Enumerate, RotateOutcome, SessionKey, Store};
use cloakroom_testservers::{RedisCluster, or_skip};
use common::slow::Slow;
use common::{Bench, ask_cluster, key, owner, session_name};

/// However far the listing has come when one of them moves: that one is shown once, under one key or the other.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_moves_is_listed_once() {
    let Some(cluster) = or_skip(RedisCluster::start()) else {
        return;
    };
    let bench = Bench::on(&cluster.url()).await;
    let slow = Slow::beside(&bench, &cluster.url());
    let (ada, times) = (owner("ada"), bench.record("").times);
    let mut twice = 0;
    for steps in 0..16 {
        for number in [1, 2, 3] {
            bench.add(&key(number), bench.owned("a", "ada")).await;
        }
        // An entry without a session has the listing look at the index once more.
        let name = session_name(&bench.store, &key(3));
        assert_eq!(ask_cluster(&cluster, &["DEL", &name]), ":1");
        let (theirs, hers) = (slow.store.clone(), ada.clone());
        let listing = slow.begin(async move { theirs.list_by_owner(&hers).await });
        for _ in 0..steps {
            slow.step();
        }
        let moved = bench.store.rotate(&key(1), &key(4), times).await.unwrap();
        assert!(matches!(moved, RotateOutcome::Moved { .. }));
        let listed = slow.finish(listing).unwrap();
        let keys: Vec<_> = listed.iter().map(|entry| entry.key).collect();
        let shown = [1, 4].map(|number| keys.contains(&key(number)));
        assert_ne!(shown, [false, false], "missed after {steps} steps");
        twice += u32::from(shown == [true, true]);
        assert!(keys.contains(&key(2)));
        let ended = bench.store.destroy_by_owner(&ada, &[]).await;
        assert_eq!(ended.unwrap(), 2);
    }
    assert_eq!(twice, 0);
}

/// The same with a session that moves all the time, and nothing arranged.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_moves_all_the_time_is_never_listed_twice() {
    let Some(cluster) = or_skip(RedisCluster::start()) else {
        return;
    };
    let bench = Arc::new(Bench::on(&cluster.url()).await);
    let moves = |number: u32| {
        let mut bytes = [9; 32];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        SessionKey::from_bytes(bytes)
    };
    bench.add(&moves(0), bench.owned("a", "ada")).await;
    let is_over = Arc::new(AtomicBool::new(false));
    let mover = tokio::spawn({
        let (bench, is_over) = (Arc::clone(&bench), Arc::clone(&is_over));
        async move {
            let times = bench.record("").times;
            for number in 0..500 {
                let (from, to) = (moves(number), moves(number + 1));
                let moved = bench.store.rotate(&from, &to, times).await.unwrap();
                assert!(matches!(moved, RotateOutcome::Moved { .. }));
            }
            is_over.store(true, Ordering::Release);
        }
    });
    while !is_over.load(Ordering::Acquire) {
        let listed = bench.store.list_by_owner(&owner("ada")).await.unwrap();
        assert!(listed.len() < 2, "listed {} times", listed.len());
    }
    mover.await.unwrap();
}
