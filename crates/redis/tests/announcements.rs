//! What listeners in other processes hear, on one server and in a cluster.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::num::NonZeroU32;
use std::time::Duration;

use cloakroom_redis::{RedisStore, RedisStoreBuilder};
use cloakroom_store::{
    Clock, Ending, Enumerate, Listening, OwnerLimit, SessionKey, Store, WhenReached,
};
use cloakroom_testservers::{Redis, RedisCluster, or_skip};
use common::{Bench, Data, TIMEOUT, key, owner};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// What a listener has heard and nobody has looked at yet.
struct Heard {
    endings: UnboundedReceiver<Ending>,
    listening: Listening,
}

impl Heard {
    async fn by(store: &RedisStore<Data>) -> Self {
        let (sender, endings) = unbounded_channel();
        let listener = move |ending| {
            let _ = sender.send(ending);
        };
        let listening = store.announcements().unwrap().listen(Box::new(listener));
        let mut heard = Self { endings, listening };
        assert_eq!(heard.next().await, Ending::Unknown);
        heard
    }

    async fn next(&mut self) -> Ending {
        let next = tokio::time::timeout(Duration::from_secs(60), self.endings.recv());
        next.await.expect("an ending").unwrap()
    }

    /// These, in any order, and no others before the last of them.
    async fn exactly(&mut self, expected: impl IntoIterator<Item = SessionKey>) {
        let mut expected: Vec<_> = expected.into_iter().collect();
        while !expected.is_empty() {
            let Ending::Of(key) = self.next().await else {
                panic!("nothing was lost");
            };
            let at = expected.iter().position(|one| *one == key);
            expected.remove(at.unwrap_or_else(|| panic!("{key:?} did not end")));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_server() {
    let Some(server) = or_skip(Redis::start()) else {
        return;
    };
    every_ending_is_announced(&server.url()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster() {
    let Some(cluster) = or_skip(RedisCluster::start()) else {
        return;
    };
    every_ending_is_announced(&cluster.url()).await;
}

async fn every_ending_is_announced(url: &str) {
    let bench = Bench::with(url, RedisStoreBuilder::announce_endings).await;
    let store = &bench.store;
    let peer = RedisStore::<Data>::builder(url)
        .prefix(store.prefix().clone())
        .announce_endings();
    let peer = peer.connect().await.unwrap();
    let mut heard = Heard::by(&peer).await;
    let mut others = Heard::by(store).await;
    let times = bench.record("x").times;
    for number in 1..=20 {
        bench.add(&key(number), bench.owned("a", "ada")).await;
    }
    assert!(!store.destroy(&key(99)).await.unwrap());
    assert!(store.touch(&key(1), bench.clock.now()).await.unwrap());
    assert!(store.destroy(&key(1)).await.unwrap());
    heard.exactly([key(1)]).await;
    let _ = store.rotate(&key(2), &key(22), times).await.unwrap();
    let _ = store.rotate(&key(2), &key(23), times).await.unwrap();
    heard.exactly([key(2)]).await;
    let renewal = store.renewal().unwrap();
    let end = bench.clock.now().plus(Duration::from_secs(9));
    let _ = renewal.renew(&key(3), &key(33), times, end).await.unwrap();
    heard.exactly([key(3)]).await;
    let record = bench.owned("b", "ada");
    let _ = store
        .replace(&key(4), &key(44), record.clone())
        .await
        .unwrap();
    heard.exactly([key(4)]).await;
    let limit = OwnerLimit::new(NonZeroU32::new(17).unwrap(), WhenReached::EndOldest);
    let admitting = store.owner_limits().unwrap();
    let _ = admitting
        .admit(Some(&key(5)), &key(55), record, limit)
        .await
        .unwrap();
    // Nineteen were live, one of them is replaced, and all are of the same age.
    heard.exactly([5, 6, 7].map(key)).await;
    let rest = (8..=20).chain([22, 33, 44, 55]);
    let spared = [key(55)];
    assert_eq!(
        store
            .destroy_by_owner(&owner("ada"), &spared)
            .await
            .unwrap(),
        16
    );
    heard
        .exactly(rest.clone().filter(|number| *number != 55).map(key))
        .await;
    assert_eq!(store.clear().await.unwrap(), 1);
    heard.exactly([key(55)]).await;
    // Each listener heard the same.
    others
        .exactly((1..=5).chain([6, 7]).chain(rest).map(key))
        .await;

    // Nobody listens, nobody hears.
    let Heard {
        mut endings,
        listening,
    } = heard;
    drop(listening);
    bench.add(&key(1), bench.record("a")).await;
    assert!(store.destroy(&key(1)).await.unwrap());
    others.exactly([key(1)]).await;
    let last = tokio::time::timeout(Duration::from_secs(60), endings.recv());
    assert_eq!(last.await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn announcing_costs_no_round_trip_and_is_off_by_default() {
    let Some(server) = or_skip(Redis::start()) else {
        return;
    };
    let (quiet, loud) = (
        Bench::on(&server.url()).await,
        Bench::with(&server.url(), RedisStoreBuilder::announce_endings).await,
    );
    assert!(quiet.store.announcements().is_none());
    let calls = |name: &str| {
        let script = "return string.match(redis.call('INFO', 'commandstats'), ARGV[1]) or '0'";
        let pattern = format!("cmdstat_{name}:calls=(%d+)");
        server
            .ask(&["EVAL", script, "0", &pattern])
            .unwrap()
            .parse::<u64>()
            .unwrap()
    };
    for (bench, expected) in [(&quiet, 0), (&loud, 2)] {
        bench.add(&key(1), bench.record("a")).await;
        let mut monitor = common::monitor::Monitor::on(&server);
        let times = bench.record("x").times;
        let _ = bench.store.rotate(&key(1), &key(2), times).await.unwrap();
        assert!(bench.store.destroy(&key(2)).await.unwrap());
        let sent = monitor.since(&server);
        assert!(
            sent.iter().all(|name| name == "evalsha" || name == "eval"),
            "{sent:?}"
        );
        assert_eq!(calls("publish"), expected);
    }
}

/// What was missed meanwhile nobody knows.
#[tokio::test(flavor = "multi_thread")]
async fn a_listener_connects_again() {
    let Some(mut server) = or_skip(Redis::start()) else {
        return;
    };
    let bench = Bench::with(&server.url(), RedisStoreBuilder::announce_endings).await;
    let mut heard = Heard::by(&bench.store).await;
    for round in 1..=3 {
        server.kill_9();
        server.restart().unwrap();
        assert_eq!(heard.next().await, Ending::Unknown);
        bench.add(&key(round), bench.record("a")).await;
        assert!(bench.store.destroy(&key(round)).await.unwrap());
        heard.exactly([key(round)]).await;
    }
    server.ask(&["CLIENT", "KILL", "TYPE", "pubsub"]).unwrap();
    assert_eq!(heard.next().await, Ending::Unknown);
    // Anybody may publish anything; it is a hint that something ended.
    let channel = format!("{}ended", bench.store.prefix());
    server.ask(&["PUBLISH", &channel, "nonsense"]).unwrap();
    assert_eq!(heard.next().await, Ending::Unknown);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_in_a_cluster_finds_another_server() {
    let Some(mut cluster) = or_skip(RedisCluster::start()) else {
        return;
    };
    let url = cluster.url();
    let bench = Bench::with(&url, |builder| builder.timeout(TIMEOUT).announce_endings());
    let bench = bench.await;
    let mut heard = Heard::by(&bench.store).await;
    let listens = |node: &Redis| {
        let script = "return tostring(#redis.call('PUBSUB', 'CHANNELS'))";
        node.ask(&["EVAL", script, "0"])
            .is_ok_and(|count| count == "1")
    };
    let at = cluster.nodes().iter().position(listens).unwrap();
    cluster.nodes_mut()[at].kill_9();
    assert_eq!(heard.next().await, Ending::Unknown);
    for number in 1..=20 {
        common::until("service", || async {
            let record = bench.owned("a", "ada");
            let begun = bench
                .store
                .set(&key(number), record, cloakroom_store::Expect::Absent);
            begun.await.is_ok()
        })
        .await;
        common::until("service", || async {
            bench.store.destroy(&key(number)).await.is_ok()
        })
        .await;
        while heard.next().await != Ending::Of(key(number)) {}
    }
}
