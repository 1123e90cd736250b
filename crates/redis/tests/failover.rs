//! Another server takes over.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::error::Error;
use std::time::{Duration, Instant};

use cloakroom_redis::{RedisStoreError, RedisStoreErrorKind};
use cloakroom_store::{Enumerate, Expect, Store, StoreError};
use cloakroom_testservers::{Redis, RedisCluster, or_skip};
use common::way::Way;
use common::{Bench, TIMEOUT, hex, key, owner, until};

fn kind(error: &StoreError) -> RedisStoreErrorKind {
    let source = error.source().unwrap();
    source.downcast_ref::<RedisStoreError>().unwrap().kind()
}

fn ok(answer: std::io::Result<String>) {
    assert_eq!(answer.unwrap(), "+OK");
}

/// An address that follows the primary says nothing to the connections that are open already.
#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_became_a_replica_is_left() {
    let (Some(old), Some(new)) = (or_skip(Redis::start()), or_skip(Redis::start())) else {
        return;
    };
    let way = Way::to(old.port(), Duration::ZERO).await;
    let url = format!("redis://127.0.0.1:{}", way.port);
    let (writes, ends_many) = (Bench::on(&url).await, Bench::on(&url).await);
    for bench in [&writes, &ends_many] {
        bench.add(&key(1), bench.owned("a", "ada")).await;
    }
    ok(new.ask(&["REPLICAOF", "127.0.0.1", &old.port().to_string()]));
    until("a replica in step", || async {
        let names = [&writes, &ends_many].map(|bench| common::session_name(&bench.store, &key(1)));
        names.iter().all(|name| {
            let answer = new.ask(&["EXISTS", name]);
            answer.is_ok_and(|answer| answer == ":1")
        })
    })
    .await;
    ok(new.ask(&["REPLICAOF", "NO", "ONE"]));
    ok(old.ask(&["REPLICAOF", "127.0.0.1", &new.port().to_string()]));
    way.lead_to(new.port());

    until("a write on the new primary", || async {
        let record = writes.owned("b", "ada");
        let written = writes.store.set(&key(1), record, Expect::Present).await;
        // Refused, but never lost: it is the old primary that still answers.
        if let Err(error) = &written {
            assert_eq!(kind(error), RedisStoreErrorKind::ReadOnly);
        }
        written.is_ok()
    })
    .await;
    assert_eq!(writes.word(&key(1)).await.unwrap(), "b");
    // What sends many commands in one go notices, too.
    until("an end on the new primary", || async {
        ends_many.store.clear().await.is_ok()
    })
    .await;
    assert_eq!(ends_many.word(&key(1)).await, None);
}

/// Beside a network that takes its time, all that is asked of a frozen server ends at the very moment at which it is
/// given up. Nothing is left of that for looking who has its slots now.
#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_primary_is_replaced_however_slow_the_network() {
    let Some(cluster) = or_skip(RedisCluster::start()) else {
        return;
    };
    let mut ways = Vec::new();
    for node in cluster.nodes() {
        let way = Way::to(node.port(), Duration::from_millis(3)).await;
        let port = way.port.to_string();
        ok(node.ask(&["CONFIG", "SET", "cluster-announce-port", &port]));
        // Others answer as before, so that only the frozen one is noticed.
        ok(node.ask(&["CONFIG", "SET", "cluster-require-full-coverage", "no"]));
        // Longer than operations take: nobody is promoted before the store has looked for the first time.
        ok(node.ask(&["CONFIG", "SET", "cluster-node-timeout", "3000"]));
        ways.push(way);
    }
    until("all servers under their new addresses", || async {
        cluster.nodes().iter().all(|node| {
            let seen = node.ask(&["CLUSTER", "NODES"]).unwrap();
            let replication = node.ask(&["INFO", "replication"]).unwrap();
            ways.iter()
                .all(|way| seen.contains(&format!(":{}@", way.port)))
                && (replication.contains("role:master")
                    || replication.contains("master_link_status:up"))
        })
    })
    .await;
    let hosts: Vec<_> = ways
        .iter()
        .map(|way| format!("127.0.0.1:{}", way.port))
        .collect();
    let url = format!("redis+cluster://{}", hosts.join(","));
    // Each looks for itself. One asks for one thing at a time, the other one for many.
    let reads = Bench::with(&url, |builder| builder.timeout(TIMEOUT)).await;
    let lists = Bench::with(&url, |builder| builder.timeout(TIMEOUT)).await;

    // The first three servers are the primaries, and have the slots in their order.
    let frozen = &cluster.nodes()[1];
    let is_there = |key: &str| {
        let answer = frozen.ask(&["CLUSTER", "KEYSLOT", key]).unwrap();
        let slot: usize = answer.trim_start_matches(':').parse().unwrap();
        slot * 3 / 16_384 == 1
    };
    let session = (0..).map(key).find(|key| is_there(&hex(key))).unwrap();
    let index = |name: &String| format!("{}o:{name}", lists.store.prefix());
    let mut names = (0..).map(|number: u32| number.to_string());
    let name = names.find(|name| !is_there(&index(name))).unwrap();
    for bench in [&reads, &lists] {
        bench.add(&session, bench.owned("a", &name)).await;
    }
    let in_step = || async {
        let keys = common::keys(&cluster.nodes()[4], "*s:*");
        keys.len() == 2
    };
    until("a replica in step", in_step).await;

    frozen.stop();
    let start = Instant::now();
    loop {
        let read = reads.store.get(&session).await;
        let listed = lists.store.list_by_owner(&owner(&name)).await;
        if let (Ok(Some(_)), Ok(listed)) = (&read, &listed) {
            assert_eq!(listed.len(), 1);
            break;
        }
        let never = (read.is_err(), listed.is_err());
        assert!(
            start.elapsed() < Duration::from_secs(45),
            "never replaced: {never:?}"
        );
    }
    frozen.cont();
}
