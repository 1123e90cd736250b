//! Renewed ids and the trails that they leave, on one server and in a cluster.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::time::Duration;

use cloakroom_redis::RedisStore;
use cloakroom_store::{
    Clock, Enumerate, Renewal, RotateOutcome, SessionKey, Store, Times, Timestamp, Trail,
};
use cloakroom_testservers::{Redis, RedisCluster, or_skip};
use common::slow::Slow;
use common::{Bench, Data, key, keys, owner};

const GRACE: Duration = Duration::from_secs(30);

fn renewal(store: &RedisStore<Data>) -> &dyn Renewal {
    store.renewal().unwrap()
}

async fn follow(bench: &Bench, key: &SessionKey) -> Option<Trail> {
    renewal(&bench.store).follow(key).await.unwrap()
}

/// The times of a session that is renewed now, and when its trail ends.
fn renewed(bench: &Bench) -> (Times, Timestamp) {
    let mut times = bench.record("x").times;
    times.renewed_at = bench.clock.now();
    (times, bench.clock.now().plus(GRACE))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_server() {
    let Some(server) = or_skip(Redis::start()) else {
        return;
    };
    each(&server.url(), &|| keys(&server, "*:r:*").len()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster() {
    let Some(cluster) = or_skip(RedisCluster::start()) else {
        return;
    };
    let trails = || {
        let primaries = cluster.primaries().into_iter();
        primaries
            .map(|number| keys(&cluster.nodes()[number], "*:r:*").len())
            .sum()
    };
    each(&cluster.url(), &trails).await;
}

async fn each(url: &str, trails: &dyn Fn() -> usize) {
    a_trail_leads_to_the_new_key_until_it_is_over(&Bench::on(url).await, trails).await;
    let in_one_step = !url.contains("cluster");
    let bench = Bench::on(url).await;
    let slow = Slow::beside(&bench, url);
    a_sign_out_that_follows_the_trail_is_final(&bench, &slow, in_one_step).await;
}

async fn a_trail_leads_to_the_new_key_until_it_is_over(bench: &Bench, trails: &dyn Fn() -> usize) {
    let store = &bench.store;
    bench.add(&key(1), bench.owned("a", "ada")).await;
    let record = store.get(&key(1)).await.unwrap().unwrap();
    assert_eq!(record.times.renewed_at, record.times.created_at);
    bench.clock.advance(GRACE);
    let (times, end) = renewed(bench);
    let moved = renewal(store).renew(&key(1), &key(2), times, end).await;
    assert!(matches!(
        moved.unwrap(),
        RotateOutcome::Moved {
            found: 1,
            version: 1
        }
    ));
    assert!(store.get(&key(1)).await.unwrap().is_none());
    let record = store.get(&key(2)).await.unwrap().unwrap();
    assert_eq!((record.times, record.data[0].as_str()), (times, "a"));
    let trail = Some(Trail::new(key(2), times.renewed_at));
    assert_eq!(follow(bench, &key(1)).await, trail);
    assert_eq!(follow(bench, &key(2)).await, None);

    // A plain rotation leaves none. What did not move leaves none.
    let moved = store.rotate(&key(2), &key(3), times).await.unwrap();
    assert!(matches!(moved, RotateOutcome::Moved { .. }));
    assert_eq!(follow(bench, &key(2)).await, None);
    let gone = renewal(store).renew(&key(2), &key(4), times, end).await;
    assert_eq!(gone.unwrap(), RotateOutcome::Gone);
    assert_eq!(follow(bench, &key(2)).await, None);
    bench.add(&key(5), bench.owned("b", "ada")).await;
    let taken = renewal(store).renew(&key(3), &key(5), times, end).await;
    assert_eq!(taken.unwrap(), RotateOutcome::Exists);
    assert_eq!(follow(bench, &key(3)).await, None);

    // It stays when the session ends, makes nothing live, and goes with its time.
    assert!(!store.touch(&key(1), bench.clock.now()).await.unwrap());
    assert!(!store.destroy(&key(1)).await.unwrap());
    assert!(store.destroy(&key(3)).await.unwrap());
    assert_eq!(store.destroy_by_owner(&owner("ada"), &[]).await.unwrap(), 1);
    assert_eq!(store.count().await.unwrap(), 0);
    bench.clock.set(end.minus(Duration::from_millis(1)));
    assert_eq!(follow(bench, &key(1)).await, trail);
    bench.clock.set(end);
    assert_eq!(follow(bench, &key(1)).await, None);

    bench.add(&key(6), bench.record("c")).await;
    let (times, end) = renewed(bench);
    let moved = renewal(store).renew(&key(6), &key(7), times, end).await;
    assert!(matches!(moved.unwrap(), RotateOutcome::Moved { .. }));
    assert_eq!(trails(), 2);
    assert_eq!(store.clear().await.unwrap(), 1);
    assert_eq!(trails(), 0);
    assert_eq!(follow(bench, &key(6)).await, None);
}

/// Whoever signs out with an old id follows its trail, and the session does not come back under the new key: not even
/// when it was still on the way there.
async fn a_sign_out_that_follows_the_trail_is_final(bench: &Bench, slow: &Slow, in_one_step: bool) {
    let store = &bench.store;
    for (round, record) in [(0, bench.record("a")), (10, bench.owned("a", "ada"))] {
        let (old, new) = (key(round), key(round + 1));
        bench.add(&old, record).await;
        let (times, end) = renewed(bench);
        let renewer = slow.store.clone();
        let renewing = slow.begin(async move {
            let renewed = renewal(&renewer).renew(&old, &new, times, end);
            renewed.await.unwrap()
        });
        // There is time to look after each of its steps.
        let trail = loop {
            assert!(!renewing.is_finished(), "it left no trail");
            slow.step();
            if let Some(trail) = follow(bench, &old).await {
                break trail;
            }
        };
        assert!(!store.destroy(&old).await.unwrap());
        assert_eq!(store.destroy(&trail.to).await.unwrap(), in_one_step);
        let outcome = slow.finish(renewing);
        assert_eq!(outcome == RotateOutcome::Gone, !in_one_step, "{outcome:?}");
        assert_eq!(follow(bench, &old).await.is_some(), in_one_step);
        for key in [&old, &new] {
            assert!(store.get(key).await.unwrap().is_none());
        }
    }
    let listed = store.list_by_owner(&owner("ada")).await.unwrap();
    assert!(listed.is_empty());
}
