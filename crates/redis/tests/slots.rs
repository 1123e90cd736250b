//! A slot of a cluster is moved to another server, key by key.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::error::Error;

use cloakroom_store::{
    Clock, Enumerate, Expect, RotateOutcome, SessionKey, SetOutcome, Store, StoreErrorKind,
};
use cloakroom_testservers::{Redis, RedisCluster, or_skip};
use common::slow::Slow;
use common::{Bench, TIMEOUT, hex, key, owner, session_name};

fn ok(answer: std::io::Result<String>) {
    assert_eq!(answer.unwrap(), "+OK");
}

/// A slot that is on its way from one server to another.
struct Move<'a> {
    slot: String,
    from: &'a Redis,
    to: &'a Redis,
}

impl<'a> Move<'a> {
    /// Begins to move the slot of a key that has one key in it. Nothing has moved yet.
    fn of(cluster: &'a RedisCluster, key: &SessionKey) -> Self {
        let slot = cluster.nodes()[0].ask(&["CLUSTER", "KEYSLOT", &hex(key)]);
        let slot = slot.unwrap().trim_start_matches(':').to_owned();
        let has = |number: usize| {
            let answer = cluster.nodes()[number].ask(&["CLUSTER", "COUNTKEYSINSLOT", &slot]);
            answer.unwrap() == ":1"
        };
        let primaries = cluster.primaries();
        let (from, to) = primaries.iter().partition::<Vec<usize>, _>(|&&n| has(n));
        let (from, to) = (&cluster.nodes()[from[0]], &cluster.nodes()[to[0]]);
        ok(to.ask(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &id(from)]));
        ok(from.ask(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &id(to)]));
        Self { slot, from, to }
    }

    fn take(&self, name: &str) {
        let port = self.to.port().to_string();
        ok(self
            .from
            .ask(&["MIGRATE", "127.0.0.1", &port, name, "0", "5000"]));
    }

    fn keys_left(&self) -> String {
        let answer = self.from.ask(&["CLUSTER", "COUNTKEYSINSLOT", &self.slot]);
        answer.unwrap()
    }

    fn finish(self) {
        for node in [self.to, self.from] {
            ok(node.ask(&["CLUSTER", "SETSLOT", &self.slot, "NODE", &id(self.to)]));
        }
    }
}

fn id(node: &Redis) -> String {
    node.ask(&["CLUSTER", "MYID"]).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_found_while_and_after_their_slot_moves() {
    let Some(cluster) = or_skip(RedisCluster::start()) else {
        return;
    };
    let bench = Bench::on(&cluster.url()).await;
    let session = key(7);
    bench.add(&session, bench.record("a")).await;
    let slot = Move::of(&cluster, &session);
    // Still where it was.
    assert_eq!(bench.word(&session).await.unwrap(), "a");
    slot.take(&session_name(&bench.store, &session));
    // ASK: it has moved, its slot has not.
    assert_eq!(bench.word(&session).await.unwrap(), "a");
    let write = bench.record("b");
    let outcome = bench.store.set(&session, write, Expect::Version(1)).await;
    assert_eq!(outcome.unwrap(), SetOutcome::Stored(2));
    assert_eq!(bench.store.count().await.unwrap(), 1);
    // MOVED: so has its slot.
    slot.finish();
    assert_eq!(bench.word(&session).await.unwrap(), "b");
    let write = bench.record("c");
    let outcome = bench.store.set(&session, write, Expect::Version(2)).await;
    assert_eq!(outcome.unwrap(), SetOutcome::Stored(3));
    assert!(bench.store.destroy(&session).await.unwrap());
}

/// Before the session has moved, and after it.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_ended_while_its_slot_moves() {
    let Some(cluster) = or_skip(RedisCluster::start()) else {
        return;
    };
    let bench = Bench::on(&cluster.url()).await;
    for (session, has_moved) in [(key(1), false), (key(2), true)] {
        bench.add(&session, bench.owned("a", "ada")).await;
        let slot = Move::of(&cluster, &session);
        if has_moved {
            slot.take(&session_name(&bench.store, &session));
        }
        assert!(bench.store.destroy(&session).await.unwrap());
        assert_eq!(bench.word(&session).await, None);
        assert!(!bench.store.destroy(&session).await.unwrap());
        slot.finish();
        assert_eq!(bench.word(&session).await, None);
    }
    let listed = bench.store.list_by_owner(&owner("ada")).await;
    assert!(listed.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_lands_in_a_moving_slot_after_a_sign_out() {
    let Some(cluster) = or_skip(RedisCluster::start()) else {
        return;
    };
    let outcome = renewal_into_a_moving_slot(&cluster, async |bench, slot, new| {
        // The pass is the one key in that slot, and goes.
        assert!(!bench.store.destroy(&new).await.unwrap());
        assert_eq!(slot.keys_left(), ":0");
    });
    assert_eq!(outcome.await, RotateOutcome::Gone);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_lands_in_a_moving_slot_after_the_end_of_all() {
    let Some(cluster) = or_skip(RedisCluster::start()) else {
        return;
    };
    let outcome = renewal_into_a_moving_slot(&cluster, async |bench, slot, new| {
        let ended = bench.store.destroy_by_owner(&owner("ada"), &[]).await;
        assert_eq!(ended.unwrap(), 0);
        slot.take(&format!("{}p:{{{}}}", bench.store.prefix(), hex(&new)));
    });
    assert_eq!(outcome.await, RotateOutcome::Gone);
}

/// A session has left its old key when the slot of its new one begins to move. It is ended, and may land when the slot
/// has moved.
async fn renewal_into_a_moving_slot(
    cluster: &RedisCluster,
    end: impl AsyncFnOnce(&Bench, &Move<'_>, SessionKey),
) -> RotateOutcome {
    let url = cluster.url();
    let bench = Bench::on(&url).await;
    let slow = Slow::beside(&bench, &url);
    let (old, new) = (key(1), key(2));
    bench.add(&old, bench.owned("a", "ada")).await;
    let (times, ends_at) = (bench.record("x").times, bench.clock.now().plus(TIMEOUT));
    let renewer = slow.store.clone();
    let renewing = slow.begin(async move {
        let renewal = renewer.renewal().unwrap();
        renewal.renew(&old, &new, times, ends_at).await
    });
    let renewal = bench.store.renewal().unwrap();
    while renewal.follow(&old).await.unwrap().is_none() {
        assert!(!renewing.is_finished(), "it left no trail");
        slow.step();
    }
    let slot = Move::of(cluster, &new);
    end(&bench, &slot, new).await;
    slot.finish();
    let outcome = slow.finish(renewing).unwrap();
    assert_eq!(bench.word(&new).await, None);
    outcome
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_moving_slot_cannot_do_is_said() {
    let Some(cluster) = or_skip(RedisCluster::start()) else {
        return;
    };
    let bench = Bench::on(&cluster.url()).await;
    let session = key(1);
    bench.add(&session, bench.record("a")).await;
    let slot = Move::of(&cluster, &session);
    // A new owner takes a new entry in the index, and that a look for a tombstone.
    let write = || {
        bench
            .store
            .set(&session, bench.owned("b", "ada"), Expect::Present)
    };
    let error = write().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    let reason = error.source().unwrap().to_string();
    assert!(reason.contains("being moved"), "{reason}");
    assert_eq!(bench.word(&session).await.unwrap(), "a");
    slot.take(&session_name(&bench.store, &session));
    slot.finish();
    assert_eq!(write().await.unwrap(), SetOutcome::Stored(2));
}

/// Before the session has moved, and after it.
#[tokio::test(flavor = "multi_thread")]
async fn all_sessions_of_an_owner_are_ended_while_a_slot_moves() {
    let Some(cluster) = or_skip(RedisCluster::start()) else {
        return;
    };
    let bench = Bench::on(&cluster.url()).await;
    for (session, has_moved) in [(key(1), false), (key(2), true)] {
        let elsewhere = key(3);
        for key in [session, elsewhere] {
            bench.add(&key, bench.owned("a", "ada")).await;
        }
        let slot = Move::of(&cluster, &session);
        if has_moved {
            slot.take(&session_name(&bench.store, &session));
        }
        let ended = bench.store.destroy_by_owner(&owner("ada"), &[]).await;
        assert_eq!(ended.unwrap(), 2);
        for key in [session, elsewhere] {
            assert_eq!(bench.word(&key).await, None);
        }
    }
}
