//! Which keys there are, and how long they stay.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::time::Duration;

use cloakroom_store::{
    Clock, Enumerate, Expect, RotateOutcome, SetOutcome, Store, StoreErrorKind, Timestamp,
};
use cloakroom_testservers::{Redis, RedisCluster, or_skip};
use common::{Bench, key, keys, owner, session_name};

const DAY: Duration = Duration::from_secs(86_400);
const HOUR: Duration = Duration::from_secs(3_600);
/// How much longer than its time a key stays, and a minute for slow machines.
const SLACK: i64 = 600_000;

fn time_to_live(server: &Redis, name: &str) -> i64 {
    let answer = server.ask(&["PTTL", name]).unwrap();
    answer.trim_start_matches(':').parse().unwrap()
}

fn names_an_index(name: &str) -> bool {
    name.contains(":o:")
}

fn assert_near(found: i64, wanted: Duration) {
    let wanted = wanted.as_millis() as i64 + SLACK;
    assert!(
        found <= wanted && found > wanted - 60_000,
        "{found} is not {wanted}"
    );
}

#[tokio::test]
async fn every_key_has_a_time_to_live_unless_it_is_for_ever() {
    let Some(server) = or_skip(Redis::start()) else {
        return;
    };
    let bench = Bench::on(&server.url()).await;
    let (store, clock) = (&bench.store, &bench.clock);
    let index = format!("{}o:ada", store.prefix());
    let session = |number| session_name(store, &key(number));

    bench.add(&key(1), bench.owned("a", "ada")).await;
    assert_near(time_to_live(&server, &session(1)), DAY);
    assert_near(time_to_live(&server, &index), DAY);

    // A shorter one does not shorten the index; a longer one prolongs it.
    let mut idle = bench.owned("b", "ada");
    idle.times.idle_timeout = Some(HOUR);
    bench.add(&key(2), idle).await;
    assert_near(time_to_live(&server, &session(2)), HOUR);
    assert_near(time_to_live(&server, &index), DAY);
    let mut long = bench.owned("c", "ada");
    long.times.ends_at = Some(clock.now().plus(DAY * 3));
    bench.add(&key(3), long.clone()).await;
    assert_near(time_to_live(&server, &index), DAY * 3);

    // The application's clock counts, also where it is far from Redis'.
    clock.advance(HOUR / 2);
    assert!(store.touch(&key(2), clock.now()).await.unwrap());
    assert_near(time_to_live(&server, &session(2)), HOUR);
    clock.set(Timestamp::from_millis(4_000_000_000_000));
    bench.add(&key(4), bench.owned("d", "bob")).await;
    assert_near(time_to_live(&server, &session(4)), DAY);
    clock.set(Timestamp::from_millis(-4_000_000_000_000));
    bench.add(&key(5), bench.owned("e", "eve")).await;
    assert_near(time_to_live(&server, &session(5)), DAY);
    let mut far = bench.record("f");
    far.times.ends_at = Some(Timestamp::MAX);
    bench.add(&key(6), far).await;
    assert!(time_to_live(&server, &session(6)) > 31_000_000_000_000);

    let mut dead = bench.record("g");
    dead.times.ends_at = Some(Timestamp::MIN);
    bench.add(&key(7), dead).await;
    assert_near(time_to_live(&server, &session(7)), Duration::ZERO);

    // For ever, its index too, until it is shortened again.
    let mut endless = bench.owned("h", "zoe");
    endless.times.ends_at = None;
    bench.add(&key(8), endless).await;
    assert_eq!(time_to_live(&server, &session(8)), -1);
    let zoe = format!("{}o:zoe", store.prefix());
    assert_eq!(time_to_live(&server, &zoe), -1);
    let shorter = bench.owned("h", "zoe");
    let outcome = store.set(&key(8), shorter, Expect::Version(1)).await;
    assert_eq!(outcome.unwrap(), SetOutcome::Stored(2));
    assert_near(time_to_live(&server, &session(8)), DAY);
    store.purge_expired().await.unwrap();
    assert_near(time_to_live(&server, &zoe), DAY);

    let moved = store
        .rotate(&key(8), &key(9), bench.record("x").times)
        .await;
    assert!(matches!(moved.unwrap(), RotateOutcome::Moved { .. }));
    assert_near(time_to_live(&server, &session(9)), DAY);
}

#[tokio::test]
async fn nothing_is_left_when_all_has_expired_or_ended() {
    let Some(server) = or_skip(Redis::start()) else {
        return;
    };
    let bench = Bench::on(&server.url()).await;
    let store = &bench.store;
    let all = || keys(&server, "*");
    for number in 1..=20 {
        let name = format!("owner {}", number % 3);
        bench.add(&key(number), bench.owned("a", &name)).await;
        bench.add(&key(100 + number), bench.record("a")).await;
    }
    assert_eq!(all().len(), 43);
    bench.clock.advance(DAY);
    assert_eq!(store.purge_expired().await.unwrap(), 40);
    assert_eq!(all(), [""; 0]);

    for number in 1..=20 {
        bench.add(&key(number), bench.owned("a", "ada")).await;
    }
    assert!(store.destroy(&key(1)).await.unwrap());
    let ended = store.destroy_by_owner(&owner("ada"), &[key(2)]).await;
    assert_eq!(ended.unwrap(), 18);
    assert_eq!(all().len(), 2);
    assert_eq!(store.clear().await.unwrap(), 1);
    assert_eq!(all(), [""; 0]);
}

#[tokio::test]
async fn sessions_that_redis_dropped_leave_the_index() {
    let Some(server) = or_skip(Redis::start()) else {
        return;
    };
    let bench = Bench::on(&server.url()).await;
    let index = format!("{}o:ada", bench.store.prefix());
    let entries = || server.ask(&["ZCARD", &index]).unwrap();
    for number in 1..=3 {
        bench.add(&key(number), bench.owned("a", "ada")).await;
        let name = session_name(&bench.store, &key(number));
        assert_eq!(server.ask(&["DEL", &name]).unwrap(), ":1");
    }
    assert_eq!(entries(), ":3");
    // The next sign-in finds them due; before that, a listing would have found them gone.
    bench.clock.advance(DAY);
    bench.add(&key(4), bench.owned("a", "ada")).await;
    assert_eq!(entries(), ":1");
    server
        .ask(&["DEL", &session_name(&bench.store, &key(4))])
        .unwrap();
    let list = bench.store.list_by_owner(&owner("ada")).await.unwrap();
    assert!(list.is_empty());
    assert_eq!(entries(), ":0");
}

#[tokio::test]
async fn sessions_of_another_prefix_are_not_touched() {
    let Some(server) = or_skip(Redis::start()) else {
        return;
    };
    let (one, other) = (
        Bench::on(&server.url()).await,
        Bench::on(&server.url()).await,
    );
    one.add(&key(1), one.owned("a", "ada")).await;
    other.add(&key(1), other.owned("b", "ada")).await;
    server.ask(&["SET", "something else", "1"]).unwrap();
    assert_eq!(one.word(&key(1)).await.unwrap(), "a");
    assert_eq!(one.store.count().await.unwrap(), 1);
    assert_eq!(one.store.clear().await.unwrap(), 1);
    assert_eq!(other.word(&key(1)).await.unwrap(), "b");
    assert_eq!(keys(&server, "*").len(), 3);
}

#[tokio::test]
async fn what_is_no_session_is_undecodable_and_can_be_ended() {
    let Some(server) = or_skip(Redis::start()) else {
        return;
    };
    let bench = Bench::on(&server.url()).await;
    let store = &bench.store;
    bench.add(&key(1), bench.record("a")).await;
    for (number, words) in [
        (2, ["SET", "", "text"].as_slice()),
        (3, &["HSET", "", "field", "value"]),
        (4, &["RPUSH", "", "entry"]),
        (5, &["SET", "", &"c1, and yet no session. ".repeat(9)]),
    ] {
        let name = session_name(store, &key(number));
        let mut words = words.to_vec();
        words[1] = &name;
        server.ask(&words).unwrap();
        let found = store.get(&key(number)).await;
        assert_eq!(found.unwrap_err().kind(), StoreErrorKind::Undecodable);
        // Nothing is written over it.
        let write = store.set(&key(number), bench.record("b"), Expect::Absent);
        assert_eq!(write.await.unwrap_err().kind(), StoreErrorKind::Undecodable);
        let moved = store.rotate(&key(1), &key(number), bench.record("x").times);
        assert_eq!(moved.await.unwrap_err().kind(), StoreErrorKind::Undecodable);
    }
    assert_eq!(store.all().await.unwrap().len(), 1);
    assert_eq!(store.count().await.unwrap(), 1);
    assert!(!store.destroy(&key(2)).await.unwrap());
    assert!(store.get(&key(2)).await.unwrap().is_none());
    assert_eq!(store.purge_expired().await.unwrap(), 0);
    assert_eq!(store.clear().await.unwrap(), 1);
    assert_eq!(keys(&server, "*"), [""; 0]);
}

#[tokio::test]
async fn the_session_as_stored_shows_no_secret() {
    let Some(server) = or_skip(Redis::start()) else {
        return;
    };
    let bench = Bench::on(&server.url()).await;
    bench.add(&key(7), bench.owned("hunter2", "ada")).await;
    let stored = bench.store.stored(&key(7)).await.unwrap().unwrap();
    assert_eq!(stored.key, key(7));
    assert_eq!(stored.data, br#"["hunter2"]"#);
    assert_eq!((stored.codec.as_str(), stored.version), ("json", 1));
    assert_eq!(stored.owner.as_deref(), Some("ada"));
    let store = &bench.store;
    let shown = format!("{stored:?} {store:?}");
    assert!(
        !shown.contains("hunter2") && !shown.contains("0707"),
        "{shown}"
    );
    assert!(!shown.contains("ada"), "{shown}");
}

#[cfg(feature = "messagepack")]
#[tokio::test]
async fn codecs_can_be_switched() {
    use cloakroom_redis::{Codec, RedisStore};

    let Some(server) = or_skip(Redis::start()) else {
        return;
    };
    let bench = Bench::on(&server.url()).await;
    let packed = RedisStore::<common::Data>::builder(&server.url())
        .prefix(bench.store.prefix().clone())
        .codec(Codec::MessagePack)
        .connect()
        .await
        .unwrap();
    bench.add(&key(1), bench.record("json")).await;
    let record = bench.record("packed");
    let outcome = packed.set(&key(2), record, Expect::Absent).await;
    assert_eq!(outcome.unwrap(), SetOutcome::Stored(1));
    assert_eq!(bench.word(&key(2)).await.unwrap(), "packed");
    assert_eq!(packed.get(&key(1)).await.unwrap().unwrap().data[0], "json");
    let stored = packed.stored(&key(2)).await.unwrap().unwrap();
    assert_eq!(stored.codec, "messagepack");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_keeps_to_the_same() {
    let Some(cluster) = or_skip(RedisCluster::start()) else {
        return;
    };
    let bench = Bench::on(&cluster.url()).await;
    let store = &bench.store;
    let all = || -> Vec<(usize, String)> {
        let primaries = cluster.primaries().into_iter();
        let names = primaries.flat_map(|number| {
            let names = keys(&cluster.nodes()[number], "*");
            names.into_iter().map(move |name| (number, name))
        });
        names.collect()
    };
    for number in 1..=20 {
        let name = format!("owner {}", number % 3);
        let mut record = bench.owned("a", &name);
        if number % 2 == 0 {
            record.times.ends_at = None;
            record.times.idle_timeout = Some(DAY);
        }
        bench.add(&key(number), record.clone()).await;
        let times = record.times;
        let moved = store.rotate(&key(number), &key(number + 50), times).await;
        assert!(matches!(moved.unwrap(), RotateOutcome::Moved { .. }));
        let touched = store.touch(&key(number + 50), bench.clock.now());
        assert!(touched.await.unwrap());
    }
    let names = all();
    assert_eq!(names.len(), 23, "{names:?}");
    for (number, name) in names {
        assert_near(time_to_live(&cluster.nodes()[number], &name), DAY);
    }
    // Later uses of a session without absolute end take its index entry along.
    bench.clock.advance(DAY / 2);
    let now = bench.clock.now();
    let index_of = |name: &str| names_an_index(name).then(|| name.to_owned());
    let indexes = |names: Vec<(usize, String)>| -> Vec<(usize, String)> {
        let found = names.into_iter();
        let found = found.filter_map(|(number, name)| Some((number, index_of(&name)?)));
        found.collect()
    };
    for (number, name) in indexes(all()) {
        // As if half a day had passed for Redis, too.
        let left = (DAY / 2).as_millis().to_string();
        let server = &cluster.nodes()[number];
        assert_eq!(server.ask(&["PEXPIRE", &name, &left]).unwrap(), ":1");
    }
    for number in (2..=20).step_by(2) {
        assert!(store.touch(&key(number + 50), now).await.unwrap());
    }
    for (number, name) in indexes(all()) {
        assert_near(time_to_live(&cluster.nodes()[number], &name), DAY);
    }
    bench.clock.advance(DAY / 2);
    assert_eq!(store.purge_expired().await.unwrap(), 10);
    assert_eq!(store.count().await.unwrap(), 10);
    let mut listed = 0;
    for number in 0..3 {
        let owner = owner(&format!("owner {number}"));
        listed += store.list_by_owner(&owner).await.unwrap().len();
    }
    assert_eq!(listed, 10);
    let names = all();
    assert_eq!(names.len(), 13, "{names:?}");
    for (number, name) in names {
        let left = time_to_live(&cluster.nodes()[number], &name);
        assert!(left > 0 && left <= DAY.as_millis() as i64 * 2, "{name}");
    }
    bench.clock.advance(DAY / 2);
    assert_eq!(store.purge_expired().await.unwrap(), 10);
    assert_eq!(all(), []);
}
