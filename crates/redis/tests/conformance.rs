//! The laws, on one server and on a cluster.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cloakroom::{EncryptionKeys, Secret};
use cloakroom_redis::{KeyPrefix, RedisStore, RedisStoreBuilder};
use cloakroom_store::ManualClock;
use cloakroom_store::conformance::{self, Harness, Payload};
use cloakroom_testservers::{Redis, RedisCluster, or_skip};
use common::{TIMEOUT, ask_cluster, fresh_prefix, session_name};

/// The longest that an operation of the outage test may take: its time-out, and room for a busy machine.
const BOUND: Duration = Duration::from_secs(30);
const LIMIT: usize = 256 * 1024;

type TestStore = RedisStore<Payload>;

async fn open(url: String, prefix: KeyPrefix, clock: ManualClock, timeout: Duration) -> TestStore {
    let store = builder(url, prefix, clock).timeout(timeout);
    store.connect().await.unwrap()
}

async fn open_encrypted(url: String, prefix: KeyPrefix, clock: ManualClock) -> TestStore {
    let secret = Secret::from_bytes(b"the same for all stores of a test").unwrap();
    let store = builder(url, prefix, clock).only_encrypted_with(EncryptionKeys::new(&secret));
    store.timeout(BOUND).connect().await.unwrap()
}

fn builder(url: String, prefix: KeyPrefix, clock: ManualClock) -> RedisStoreBuilder<Payload> {
    RedisStore::builder(&url)
        .prefix(prefix)
        .clock(clock)
        .payload_limit(LIMIT)
}

/// What both kinds have in common. Only stores that meet an outage are impatient.
fn harness(url: String, timeout: Duration) -> Harness<TestStore> {
    let again = url.clone();
    Harness::new(move |clock| open(url.clone(), fresh_prefix(), clock, timeout))
        .peer(move |store: Arc<TestStore>, clock| {
            let prefix = store.prefix().clone();
            open(again.clone(), prefix, clock, timeout)
        })
        .payload_limit(LIMIT)
        .touch_keeps_version()
        .spawner(|future| {
            tokio::spawn(future);
        })
}

/// Only stores that encrypt.
fn encrypted_harness(url: String) -> Harness<TestStore> {
    let again = url.clone();
    Harness::new(move |clock| open_encrypted(url.clone(), fresh_prefix(), clock))
        .peer(move |store: Arc<TestStore>, clock| {
            open_encrypted(again.clone(), store.prefix().clone(), clock)
        })
        .payload_limit(LIMIT)
        .touch_keeps_version()
        .spawner(|future| {
            tokio::spawn(future);
        })
}

#[tokio::test(flavor = "multi_thread")]
async fn one_server_encrypted() {
    let Some(server) = or_skip(Redis::start()) else {
        return;
    };
    let url = server.url();
    let harness = encrypted_harness(url)
        .rotates_in_one_step()
        .corrupt(move |store, key| {
            let name = session_name(&store, &key);
            server.ask(&["APPEND", &name, "spoiled"]).unwrap();
            async {}
        });
    conformance::run_all(&harness).await.assert_passed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_encrypted() {
    let Some(cluster) = or_skip(RedisCluster::start()) else {
        return;
    };
    let url = cluster.url();
    let harness = encrypted_harness(url).corrupt(move |store, key| {
        let name = session_name(&store, &key);
        ask_cluster(&cluster, &["APPEND", &name, "spoiled"]);
        async {}
    });
    conformance::run_all(&harness).await.assert_passed();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_server() {
    let Some(server) = or_skip(Redis::start()) else {
        return;
    };
    let url = server.url();
    let server = Arc::new(Mutex::new(server));
    let (spoiler, killer) = (Arc::clone(&server), Arc::clone(&server));
    let restarted = url.clone();
    let harness = harness(url.clone(), Duration::from_secs(10))
        .rotates_in_one_step()
        .corrupt(move |store, key| {
            let name = session_name(&store, &key);
            let server = spoiler.lock().unwrap();
            server.ask(&["APPEND", &name, "spoiled"]).unwrap();
            async {}
        })
        .reopen(move |store: Arc<TestStore>, clock| {
            killer.lock().unwrap().restart().unwrap();
            let prefix = store.prefix().clone();
            open(restarted.clone(), prefix, clock, BOUND)
        });
    let report = conformance::run_all(&harness).await;
    println!("{report}");
    report.assert_passed();

    let impatient = || self::harness(url.clone(), TIMEOUT);
    let (begin, end) = (Arc::clone(&server), Arc::clone(&server));
    let paused = impatient().outage(
        move |_| {
            begin.lock().unwrap().stop();
            async {}
        },
        move |_| {
            end.lock().unwrap().cont();
            async {}
        },
        BOUND,
    );
    conformance::law_10_trouble_is_unavailable(&paused)
        .await
        .unwrap();
    let (begin, end) = (Arc::clone(&server), Arc::clone(&server));
    let killed = impatient().outage(
        move |_| {
            begin.lock().unwrap().kill_9();
            async {}
        },
        move |_| {
            end.lock().unwrap().restart().unwrap();
            async {}
        },
        BOUND,
    );
    conformance::law_10_trouble_is_unavailable(&killed)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster() {
    let Some(cluster) = or_skip(RedisCluster::start()) else {
        return;
    };
    let url = cluster.url();
    let cluster = Arc::new(Mutex::new(cluster));
    let (spoiler, killer) = (Arc::clone(&cluster), Arc::clone(&cluster));
    let restarted = url.clone();
    // 64 sign-ins of an owner at the limit follow each other, each with several trips that wait for the disk.
    let harness = harness(url.clone(), BOUND)
        .corrupt(move |store, key| {
            let name = session_name(&store, &key);
            ask_cluster(&spoiler.lock().unwrap(), &["APPEND", &name, "spoiled"]);
            async {}
        })
        .reopen(move |store: Arc<TestStore>, clock| {
            let mut cluster = killer.lock().unwrap();
            for node in cluster.nodes_mut() {
                node.kill_9();
            }
            for node in cluster.nodes_mut() {
                node.restart().unwrap();
            }
            cluster.settle().unwrap();
            let prefix = store.prefix().clone();
            open(restarted.clone(), prefix, clock, BOUND)
        });
    let report = conformance::run_all(&harness).await;
    println!("{report}");
    report.assert_passed();

    let (begin, end) = (Arc::clone(&cluster), Arc::clone(&cluster));
    let paused = self::harness(url, TIMEOUT).outage(
        move |_| {
            for node in begin.lock().unwrap().nodes() {
                node.stop();
            }
            async {}
        },
        move |_| {
            for node in end.lock().unwrap().nodes() {
                node.cont();
            }
            async {}
        },
        BOUND,
    );
    conformance::law_10_trouble_is_unavailable(&paused)
        .await
        .unwrap();
}
