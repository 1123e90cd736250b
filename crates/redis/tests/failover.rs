//! Another server takes over.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::error::Error;
use std::time::Duration;

use cloakroom_redis::{RedisStoreError, RedisStoreErrorKind};
use cloakroom_store::{Expect, Store, StoreError};
use cloakroom_testservers::{Redis, or_skip};
use common::way::Way;
use common::{Bench, key, until};

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
    let all = ends_many.store.enumerate().unwrap();
    until("an end on the new primary", || async {
        all.clear().await.is_ok()
    })
    .await;
    assert_eq!(ends_many.word(&key(1)).await, None);
}
