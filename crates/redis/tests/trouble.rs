//! One server in trouble.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::error::Error;
use std::num::NonZeroU32;
use std::time::Duration;

use cloakroom_redis::{RedisStore, RedisStoreBuilder, RedisStoreError, RedisStoreErrorKind};
use cloakroom_store::{
    AdmitOutcome, Ending, Enumerate, Expect, OwnerLimit, SetOutcome, Store, StoreError,
    StoreErrorKind, WhenReached,
};
use cloakroom_testservers::{Redis, or_skip};
use common::proxy::SilentProxy;
use common::{Bench, Data, TIMEOUT, key, until};

fn kind(error: &StoreError) -> RedisStoreErrorKind {
    let source = error.source().unwrap();
    source.downcast_ref::<RedisStoreError>().unwrap().kind()
}

fn unavailable<R: std::fmt::Debug>(answer: Result<R, StoreError>) -> RedisStoreErrorKind {
    let error = answer.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}");
    kind(&error)
}

/// For no limit, for one: it must not be more than can be added to a moment.
#[tokio::test]
async fn any_time_out_will_do() {
    let Some(server) = or_skip(Redis::start()) else {
        return;
    };
    let longest = Duration::MAX;
    let endless =
        |builder: RedisStoreBuilder<Data>| builder.timeout(longest).connect_timeout(longest);
    let bench = Bench::with(&server.url(), endless).await;
    bench.add(&key(1), bench.record("a")).await;
    assert!(bench.store.destroy(&key(1)).await.unwrap());
}

#[tokio::test]
async fn scripts_that_the_server_forgot_are_sent_again() {
    let Some(server) = or_skip(Redis::start()) else {
        return;
    };
    let bench = Bench::on(&server.url()).await;
    let store = &bench.store;
    let forget = || assert_eq!(server.ask(&["SCRIPT", "FLUSH"]).unwrap(), "+OK");
    let owned = |word| bench.owned(word, "ada");
    let times = bench.record("x").times;

    forget();
    bench.add(&key(1), owned("a")).await;
    forget();
    assert!(store.touch(&key(1), times.last_seen_at).await.unwrap());
    forget();
    let moved = store.rotate(&key(1), &key(2), times).await.unwrap();
    assert!(matches!(
        moved,
        cloakroom_store::RotateOutcome::Moved { .. }
    ));
    forget();
    let replaced = store.replace(&key(2), &key(3), owned("b")).await.unwrap();
    assert_eq!(replaced, SetOutcome::Stored(1));
    forget();
    let owner = common::owner("ada");
    assert_eq!(store.list_by_owner(&owner).await.unwrap().len(), 1);
    forget();
    assert_eq!(store.destroy_by_owner(&owner, &[]).await.unwrap(), 1);
    for number in 1..=40 {
        bench.add(&key(number), owned("c")).await;
    }
    forget();
    assert!(store.destroy(&key(1)).await.unwrap());
    forget();
    assert_eq!(store.clear().await.unwrap(), 39);
}

#[tokio::test]
async fn a_restart_is_survived_without_an_error_once_it_is_noticed() {
    let Some(mut server) = or_skip(Redis::start()) else {
        return;
    };
    let bench = Bench::on(&server.url()).await;
    bench.add(&key(1), bench.record("a")).await;
    server.kill_9();
    assert_eq!(
        unavailable(bench.store.get(&key(1)).await),
        RedisStoreErrorKind::Unreachable
    );
    server.restart().unwrap();
    assert_eq!(bench.word(&key(1)).await.unwrap(), "a");

    // The client hears of the end of an idle connection by itself, so the next operation makes a new one.
    for round in 2..6 {
        server.restart().unwrap();
        tokio::time::sleep(TIMEOUT / 5).await;
        let outcome = bench
            .store
            .set(&key(1), bench.record("b"), Expect::Version(round - 1))
            .await;
        assert_eq!(outcome.unwrap(), SetOutcome::Stored(round));
    }
}

#[tokio::test]
async fn a_frozen_server_is_unavailable_within_the_time_out() {
    let Some(server) = or_skip(Redis::start()) else {
        return;
    };
    let bench = Bench::with(&server.url(), |builder| builder.timeout(TIMEOUT)).await;
    bench.add(&key(1), bench.record("a")).await;
    server.stop();
    for _ in 0..3 {
        let answer = bench.store.get(&key(1)).await;
        assert_eq!(unavailable(answer), RedisStoreErrorKind::TimedOut);
    }
    // Connecting to it does not work either: the kernel takes the connection, and nobody speaks.
    let connecting = RedisStore::<Data>::builder(&server.url())
        .timeout(TIMEOUT)
        .connect()
        .await;
    assert_eq!(unavailable(connecting), RedisStoreErrorKind::TimedOut);
    server.cont();
    until("service again", || async {
        bench.store.get(&key(1)).await.is_ok()
    })
    .await;
    assert_eq!(bench.word(&key(1)).await.unwrap(), "a");
}

/// A machine that vanished, or a firewall that forgot: bytes go out, and nothing ever comes back.
#[tokio::test]
async fn a_connection_that_fell_silent_is_given_up() {
    let Some(server) = or_skip(Redis::start()) else {
        return;
    };
    let proxy = SilentProxy::before(server.port()).await;
    let url = format!("redis://127.0.0.1:{}", proxy.port);
    let bench = Bench::with(&url, |builder| builder.timeout(TIMEOUT)).await;
    bench.add(&key(1), bench.record("a")).await;
    proxy.silence_what_is_open();
    let answer = bench.store.get(&key(1)).await;
    assert_eq!(unavailable(answer), RedisStoreErrorKind::TimedOut);
    assert_eq!(bench.word(&key(1)).await.unwrap(), "a");
    let write = bench
        .store
        .set(&key(1), bench.record("b"), Expect::Version(1));
    assert_eq!(write.await.unwrap(), SetOutcome::Stored(2));
}

/// A write whose answer got lost is not sent again; a read is.
#[tokio::test]
async fn only_reads_are_sent_twice() {
    let Some(server) = or_skip(Redis::start()) else {
        return;
    };
    let proxy = SilentProxy::before(server.port()).await;
    let url = format!("redis://127.0.0.1:{}", proxy.port);
    let bench = Bench::on(&url).await;
    bench.add(&key(1), bench.record("a")).await;
    let write = bench.store.set(&key(1), bench.record("b"), Expect::Present);
    assert_eq!(write.await.unwrap(), SetOutcome::Stored(2));

    proxy.swallow_the_next_answer();
    let write = bench.store.set(&key(1), bench.record("c"), Expect::Present);
    assert_eq!(unavailable(write.await), RedisStoreErrorKind::Unreachable);
    let record = bench.store.get(&key(1)).await.unwrap().unwrap();
    assert_eq!((record.version, record.data[0].as_str()), (3, "c"));

    proxy.swallow_the_next_answer();
    assert_eq!(bench.word(&key(1)).await.unwrap(), "c");
}

#[tokio::test]
async fn no_room_for_a_connection() {
    let Some(server) = or_skip(Redis::start_with(&["maxclients 2"])) else {
        return;
    };
    let first = Bench::on(&server.url()).await;
    let _second = Bench::on(&server.url()).await;
    let third = RedisStore::<Data>::connect(&server.url()).await;
    let kind = unavailable(third);
    assert!(
        matches!(
            kind,
            RedisStoreErrorKind::Busy | RedisStoreErrorKind::Unreachable
        ),
        "{kind:?}"
    );
    first.add(&key(1), first.record("a")).await;
    drop(first);
    until("room", || async {
        RedisStore::<Data>::connect(&server.url()).await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn a_read_only_replica_takes_no_writes_and_answers_reads() {
    let (Some(primary), Some(replica)) = (or_skip(Redis::start()), or_skip(Redis::start())) else {
        return;
    };
    let bench = Bench::on(&replica.url()).await;
    bench.add(&key(1), bench.record("a")).await;
    let port = primary.port().to_string();
    replica.ask(&["REPLICAOF", "127.0.0.1", &port]).unwrap();
    let store = &bench.store;
    let times = bench.record("x").times;
    until("a replica", || async {
        store.destroy(&key(1)).await.is_err()
    })
    .await;
    let read_only = RedisStoreErrorKind::ReadOnly;
    let create = store.set(&key(2), bench.owned("a", "ada"), Expect::Absent);
    assert_eq!(unavailable(create.await), read_only);
    let replace = store.replace(&key(1), &key(2), bench.record("a"));
    assert_eq!(unavailable(replace.await), read_only);
    assert_eq!(unavailable(store.destroy(&key(1)).await), read_only);
    assert_eq!(
        unavailable(store.rotate(&key(5), &key(6), times).await),
        read_only
    );
    assert!(store.get(&key(5)).await.unwrap().is_none());

    replica.ask(&["REPLICAOF", "NO", "ONE"]).unwrap();
    until("a primary", || async {
        let create = store.set(&key(3), bench.record("b"), Expect::Absent);
        create.await.is_ok()
    })
    .await;
    assert_eq!(bench.word(&key(3)).await.unwrap(), "b");
}

#[tokio::test]
async fn a_server_without_memory_refuses_writes_whole() {
    let Some(server) = or_skip(Redis::start()) else {
        return;
    };
    let bench = Bench::on(&server.url()).await;
    let store = &bench.store;
    bench.add(&key(1), bench.owned("a", "ada")).await;
    bench.add(&key(9), bench.owned("a", "ada")).await;
    server.ask(&["CONFIG", "SET", "maxmemory", "1"]).unwrap();
    let create = store.set(&key(2), bench.owned("b", "bob"), Expect::Absent);
    assert_eq!(unavailable(create.await), RedisStoreErrorKind::Busy);
    let write = store.set(&key(1), bench.owned("b", "bob"), Expect::Version(1));
    assert_eq!(unavailable(write.await), RedisStoreErrorKind::Busy);
    let replace = store.replace(&key(1), &key(2), bench.owned("b", "bob"));
    assert_eq!(unavailable(replace.await), RedisStoreErrorKind::Busy);
    // What takes no room goes on: sessions are read, kept alive and ended.
    assert_eq!(bench.word(&key(1)).await.unwrap(), "a");
    let times = bench.record("x").times;
    assert!(store.touch(&key(1), times.last_seen_at).await.unwrap());
    assert!(store.destroy(&key(9)).await.unwrap());
    server.ask(&["CONFIG", "SET", "maxmemory", "0"]).unwrap();
    assert_eq!(bench.word(&key(1)).await.unwrap(), "a");
    let owner = common::owner("ada");
    assert_eq!(store.list_by_owner(&owner).await.unwrap().len(), 1);
    let record = store.get(&key(1)).await.unwrap().unwrap();
    assert_eq!(record.version, 1);
}

#[tokio::test]
async fn a_password_is_needed_and_never_shown() {
    let Some(server) = or_skip(Redis::start()) else {
        return;
    };
    server
        .ask(&["CONFIG", "SET", "requirepass", "hunter2"])
        .unwrap();
    let port = server.port();
    for url in [
        format!("redis://127.0.0.1:{port}"),
        format!("redis://:hunter3@127.0.0.1:{port}"),
    ] {
        let refused = RedisStore::<Data>::connect(&url).await;
        let error = refused.unwrap_err();
        assert_eq!(kind(&error), RedisStoreErrorKind::Denied, "{error:?}");
        assert!(!format!("{error:?}").contains("hunter"), "{error:?}");
    }
    let bench = Bench::on(&format!("redis://:hunter2@127.0.0.1:{port}")).await;
    bench.add(&key(1), bench.record("a")).await;
    assert!(!format!("{:?}", bench.store).contains("hunter2"));
}

/// What the guide says that a user of the store needs.
#[tokio::test]
async fn a_user_with_few_rights_is_enough() {
    let Some(server) = or_skip(Redis::start()) else {
        return;
    };
    let guide = include_str!("../docs/redis.md").replace('\n', " ");
    let rights = guide.split("`~<prefix>*` and `").nth(1).unwrap();
    let rights = rights.split('`').next().unwrap();
    let prefix = common::fresh_prefix();
    let pattern = format!("~{prefix}*");
    let announcing = guide.split("announces endings needs `").nth(1).unwrap();
    let announcing = announcing.split('`').next().unwrap();
    let announcing = announcing.replace("<prefix>", prefix.as_str());
    let mut words = vec!["ACL", "SETUSER", "store", "on", ">hunter2", &pattern];
    words.extend(rights.split(' '));
    words.extend(announcing.split(' '));
    assert_eq!(server.ask(&words).unwrap(), "+OK", "{words:?}");
    let url = format!("redis://store:hunter2@127.0.0.1:{}", server.port());
    let bench = Bench::with(&url, |builder| builder.prefix(prefix).announce_endings());
    let bench = bench.await;
    let store = &bench.store;
    let times = bench.record("x").times;
    let owner = common::owner("ada");
    let (heard, mut hears) = tokio::sync::mpsc::unbounded_channel();
    let listener = move |ending| {
        let _ = heard.send(ending);
    };
    let _listening = store.announcements().unwrap().listen(Box::new(listener));
    assert_eq!(hears.recv().await, Some(Ending::Unknown));
    for number in 1..=4 {
        bench.add(&key(number), bench.owned("a", "ada")).await;
    }
    assert_eq!(bench.word(&key(1)).await.unwrap(), "a");
    let write = store.set(&key(1), bench.owned("b", "bob"), Expect::Version(1));
    assert_eq!(write.await.unwrap(), SetOutcome::Stored(2));
    assert!(store.touch(&key(1), times.last_seen_at).await.unwrap());
    let _ = store.rotate(&key(1), &key(11), times).await.unwrap();
    let _ = store
        .replace(&key(2), &key(12), bench.owned("c", "ada"))
        .await
        .unwrap();
    assert!(store.destroy(&key(12)).await.unwrap());
    for ended in [1, 2, 12] {
        assert_eq!(hears.recv().await, Some(Ending::Of(key(ended))));
    }
    assert_eq!(store.all().await.unwrap().len(), 3);
    assert_eq!(store.count().await.unwrap(), 3);
    assert_eq!(store.purge_expired().await.unwrap(), 0);
    assert_eq!(store.list_by_owner(&owner).await.unwrap().len(), 2);
    assert_eq!(store.destroy_by_owner(&owner, &[]).await.unwrap(), 2);
    let renewal = store.renewal().unwrap();
    let end = times.last_seen_at.plus(TIMEOUT);
    let _ = renewal.renew(&key(11), &key(13), times, end).await.unwrap();
    assert!(renewal.follow(&key(11)).await.unwrap().is_some());
    let limit = OwnerLimit::new(NonZeroU32::MIN, WhenReached::EndOldest);
    for number in 5..=6 {
        let record = bench.owned("d", "ada");
        let admitted = store.owner_limits().unwrap();
        let admitted = admitted.admit(None, &key(number), record, limit).await;
        assert!(matches!(admitted.unwrap(), AdmitOutcome::Stored { .. }));
    }
    assert_eq!(store.clear().await.unwrap(), 2);
}

#[tokio::test]
async fn a_unix_socket_works_like_a_port() {
    let directory = std::env::temp_dir().join(format!("cloakroom-redis-{}", std::process::id()));
    let socket = format!("unixsocket {}", directory.display());
    let Some(_server) = or_skip(Redis::start_with(&[&socket])) else {
        return;
    };
    let bench = Bench::on(&format!("redis+unix://{}", directory.display())).await;
    bench.add(&key(1), bench.record("a")).await;
    assert_eq!(bench.word(&key(1)).await.unwrap(), "a");
}

#[test]
fn outside_a_runtime_there_is_an_error_and_no_panic() {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    let Some(server) = or_skip(Redis::start()) else {
        return;
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = runtime.block_on(RedisStore::<Data>::connect(&server.url()));
    let store = store.unwrap();
    let mut get = pin!(store.get(&key(1)));
    match get.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => {
            let error = answer.unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Internal);
            assert_eq!(kind(&error), RedisStoreErrorKind::NoRuntime);
        }
        Poll::Pending => panic!("it waits for a runtime that is not there"),
    }
}
