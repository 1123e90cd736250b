//! What happens in clusters only.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::time::{Duration, Instant};

use cloakroom_store::{
    Enumerate, Expect, RotateOutcome, SessionKey, SetOutcome, Store, StoreErrorKind,
};
use cloakroom_testservers::{RedisCluster, or_skip};
use common::{Bench, TIMEOUT, ask_cluster, key, owner, session_name, until};

/// Sessions enough to be in every part of the cluster.
const MANY: u8 = 60;

async fn add_many(bench: &Bench) {
    for number in 0..MANY {
        bench.add(&key(number), bench.owned("a", "ada")).await;
    }
}

async fn all_answer(bench: &Bench) -> bool {
    for number in 0..MANY {
        match bench.store.get(&key(number)).await {
            Ok(record) => assert!(record.is_some(), "an acknowledged session was lost"),
            Err(error) => {
                assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}");
                return false;
            }
        }
    }
    true
}

/// Writes need every part of the cluster, too.
async fn all_are_written(bench: &Bench) {
    for number in 0..MANY {
        let record = bench.owned("b", "bob");
        let outcome = bench.store.set(&key(number), record, Expect::Present).await;
        assert!(matches!(outcome.unwrap(), SetOutcome::Stored(_)));
    }
    let listed = bench.store.list_by_owner(&owner("bob")).await.unwrap();
    assert_eq!(listed.len(), usize::from(MANY));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_and_a_frozen_primary_are_replaced() {
    let Some(mut cluster) = or_skip(RedisCluster::start()) else {
        return;
    };
    let bench = Bench::with(&cluster.url(), |builder| builder.timeout(TIMEOUT)).await;
    add_many(&bench).await;
    // Replication is asynchronous: what is tested here is not what a failover may lose.
    settle(&cluster).await;

    let killed = cluster.primaries()[0];
    cluster.nodes_mut()[killed].kill_9();
    until("a new primary for a killed one", || all_answer(&bench)).await;
    all_are_written(&bench).await;
    cluster.nodes_mut()[killed].restart().unwrap();
    cluster.settle().unwrap();
    settle(&cluster).await;

    // A frozen one still takes connections, and answers nothing.
    let frozen = cluster.primaries()[1];
    cluster.nodes()[frozen].stop();
    let start = Instant::now();
    while !all_answer(&bench).await {
        assert!(start.elapsed() < Duration::from_secs(60), "never replaced");
    }
    all_are_written(&bench).await;
    cluster.nodes()[frozen].cont();
    cluster.settle().unwrap();
    until("the cluster as it was", || all_answer(&bench)).await;
    all_are_written(&bench).await;
}

/// Replicas have what their primaries have.
async fn settle(cluster: &RedisCluster) {
    let in_step = || async {
        cluster.primaries().into_iter().all(|number| {
            let node = &cluster.nodes()[number];
            let info = node.ask(&["INFO", "replication"]).unwrap_or_default();
            let field = |name: &str| {
                let line = info.lines().find_map(|line| line.split_once(name));
                line.map(|(_, rest)| rest.trim().to_owned())
            };
            let written = field("master_repl_offset:");
            let replica = field("slave0:").unwrap_or_default();
            written.is_some_and(|written| replica.contains(&format!("offset={written},")))
        })
    };
    until("replicas in step", in_step).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_that_a_server_forgot_are_sent_again() {
    let Some(cluster) = or_skip(RedisCluster::start()) else {
        return;
    };
    let bench = Bench::on(&cluster.url()).await;
    let forget = || {
        for number in cluster.primaries() {
            let answer = cluster.nodes()[number].ask(&["SCRIPT", "FLUSH"]);
            assert_eq!(answer.unwrap(), "+OK");
        }
    };
    for number in 0..20 {
        forget();
        bench.add(&key(number), bench.owned("a", "ada")).await;
        forget();
        let times = bench.record("x").times;
        let moved = bench.store.rotate(&key(number), &key(number + 100), times);
        assert!(matches!(moved.await.unwrap(), RotateOutcome::Moved { .. }));
    }
    forget();
    let listed = bench.store.list_by_owner(&owner("ada")).await.unwrap();
    assert_eq!(listed.len(), 20);
    let ended = bench.store.destroy_by_owner(&owner("ada"), &[]).await;
    assert_eq!(ended.unwrap(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_does_not_escape_the_end_of_all_sessions() {
    let Some(cluster) = or_skip(RedisCluster::start()) else {
        return;
    };
    let bench = Bench::on(&cluster.url()).await;
    for round in 0..200_u8 {
        let ada = owner("ada");
        let keys = [1, 2, 3].map(|part| {
            let mut bytes = [part; 32];
            bytes[0] = round;
            SessionKey::from_bytes(bytes)
        });
        bench.add(&keys[0], bench.owned("a", "ada")).await;
        let times = bench.record("x").times;
        let store = bench.store.clone();
        let rotating = tokio::spawn(async move {
            for pair in keys.windows(2) {
                let _ = store.rotate(&pair[0], &pair[1], times).await.unwrap();
            }
        });
        // From the beginning to the end of the two rotations.
        tokio::time::sleep(Duration::from_micros(u64::from(round) * 15)).await;
        let ended = bench.store.destroy_by_owner(&ada, &[]).await.unwrap();
        rotating.await.unwrap();
        for key in &keys {
            assert!(
                bench.store.get(key).await.unwrap().is_none(),
                "round {round}: a session outlived the end of all, {ended} were ended"
            );
        }
        let listed = bench.store.list_by_owner(&ada).await.unwrap();
        assert!(listed.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_loses_no_acknowledged_update() {
    let Some(cluster) = or_skip(RedisCluster::start()) else {
        return;
    };
    let bench = Bench::on(&cluster.url()).await;
    for round in 0..60_u8 {
        let (from, to) = (key(round), key(round + 100));
        bench.add(&from, bench.owned("0", "ada")).await;
        let writer = bench.store.clone();
        let record = |word: u64| bench.owned(&word.to_string(), "ada");
        let records: Vec<_> = (1..30).map(record).collect();
        let writing = tokio::spawn(async move {
            let mut acknowledged = 0;
            for (version, record) in (1..).zip(records) {
                match writer.set(&from, record, Expect::Version(version)).await {
                    Ok(SetOutcome::Stored(_)) => acknowledged = version,
                    Ok(SetOutcome::Gone) => break,
                    other => panic!("{other:?}"),
                }
            }
            acknowledged
        });
        tokio::time::sleep(Duration::from_micros(u64::from(round) * 30)).await;
        let times = bench.record("x").times;
        let moved = bench.store.rotate(&from, &to, times).await.unwrap();
        let acknowledged: u64 = writing.await.unwrap();
        let found = bench.store.get(&to).await.unwrap().unwrap();
        assert_eq!(found.data[0], acknowledged.to_string());
        assert_eq!(found.version, acknowledged + 1);
        let version = found.version;
        assert_eq!(
            moved,
            RotateOutcome::Moved {
                found: version,
                version
            }
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tidying_while_sessions_begin_hides_none() {
    let Some(cluster) = or_skip(RedisCluster::start()) else {
        return;
    };
    let bench = Bench::on(&cluster.url()).await;
    // Listings tidy away the entries that have no session, as those of sessions that are just beginning.
    let listers: Vec<_> = (0..4)
        .map(|_| {
            let store = bench.store.clone();
            tokio::spawn(async move {
                loop {
                    store.list_by_owner(&owner("ada")).await.unwrap();
                }
            })
        })
        .collect();
    for number in 0..200 {
        bench.add(&key(number), bench.owned("a", "ada")).await;
        let listed = bench.store.list_by_owner(&owner("ada")).await.unwrap();
        assert!(
            listed.iter().any(|entry| entry.key == key(number)),
            "session {number} is live and not listed"
        );
        let to = key(number.wrapping_add(200));
        let times = bench.record("x").times;
        let moved = bench.store.rotate(&key(number), &to, times).await.unwrap();
        assert!(matches!(moved, RotateOutcome::Moved { .. }), "{moved:?}");
        let listed = bench.store.list_by_owner(&owner("ada")).await.unwrap();
        assert!(
            listed.iter().any(|entry| entry.key == to),
            "session {number} is live under its new key and not listed"
        );
        assert!(bench.store.destroy(&to).await.unwrap());
    }
    for lister in listers {
        lister.abort();
    }
}

/// A listing that is complete is not spoilt by what it would tidy away.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_listed_where_dead_entries_cannot_be_removed() {
    let Some(cluster) = or_skip(RedisCluster::start()) else {
        return;
    };
    let bench = Bench::on(&cluster.url()).await;
    for number in [1, 2] {
        bench.add(&key(number), bench.owned("a", "ada")).await;
    }
    let name = session_name(&bench.store, &key(1));
    assert_eq!(ask_cluster(&cluster, &["DEL", &name]), ":1");
    let index = format!("{}o:ada", bench.store.prefix());
    let entries = || ask_cluster(&cluster, &["ZCARD", &index]);
    let replicas = |count| {
        for node in cluster.nodes() {
            let answer = node.ask(&["CONFIG", "SET", "min-replicas-to-write", count]);
            assert_eq!(answer.unwrap(), "+OK");
        }
    };
    // More than there are: no server takes writes.
    replicas("9");
    for takes_writes in [false, true] {
        if takes_writes {
            replicas("0");
        }
        let listed = bench.store.list_by_owner(&owner("ada")).await.unwrap();
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].key, key(2));
        assert_eq!(entries(), if takes_writes { ":1" } else { ":2" });
    }
}
