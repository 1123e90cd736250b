//! Clients hang up, and what was begun for them in a cluster comes to its end.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::future::poll_fn;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::task::Poll;

use cloakroom_store::{
    AdmitOutcome, Enumerate, OwnerLimit, Record, RotateOutcome, SessionKey, SetOutcome, Store,
    WhenReached,
};
use cloakroom_testservers::{RedisCluster, or_skip};
use common::{Bench, Data, ask_cluster, key, owner, until};

type Asked<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Asks the store to move a session from one key to another.
type Move = for<'a> fn(&'a Bench, &'a [SessionKey; 2], Record<Data>) -> Asked<'a>;

const MOVES: [(&str, Move); 4] = [
    ("replace", |bench, [from, to], record| {
        Box::pin(async move {
            let replaced = bench.store.replace(from, to, record).await;
            assert_eq!(replaced.unwrap(), SetOutcome::Stored(1));
        })
    }),
    ("rotate", |bench, [from, to], record| {
        Box::pin(async move {
            let moved = bench.store.rotate(from, to, record.times).await.unwrap();
            assert!(matches!(moved, RotateOutcome::Moved { .. }));
        })
    }),
    ("renew", |bench, [from, to], record| {
        Box::pin(async move {
            let (times, renewal) = (record.times, bench.store.renewal().unwrap());
            let moved = renewal.renew(from, to, times, times.last_seen_at).await;
            assert!(matches!(moved.unwrap(), RotateOutcome::Moved { .. }));
        })
    }),
    ("admit", |bench, [from, to], record| {
        Box::pin(async move {
            let limit = OwnerLimit::new(NonZeroU32::MIN, WhenReached::Refuse);
            let limits = bench.store.owner_limits().unwrap();
            let admitted = limits.admit(Some(from), to, record, limit).await;
            assert!(matches!(admitted.unwrap(), AdmitOutcome::Stored { .. }));
        })
    }),
];

/// Polls so often, whenever there is something new, and then drops it. Whether it was done by then.
async fn is_done_after(polls: usize, mut asked: Asked<'_>) -> bool {
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        match asked.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(true),
            Poll::Pending if left == 0 => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_moves_a_session_and_hangs_up_leaves_one() {
    let Some(cluster) = or_skip(RedisCluster::start()) else {
        return;
    };
    let bench = &Bench::on(&cluster.url()).await;
    let index = format!("{}o:ada", bench.store.prefix());
    for (verb, asks) in MOVES {
        for owned in [true, false] {
            let record = match owned {
                true => bench.owned("a", "ada"),
                false => bench.record("a"),
            };
            for polls in 0.. {
                let keys = &[key(1), key(2)];
                let [from, to] = keys;
                bench.add(from, record.clone()).await;
                let done = is_done_after(polls, asks(bench, keys, record.clone())).await;
                let what = format!("{verb}, given up after {polls} polls, with owner: {owned}");
                if polls == 0 {
                    // Nobody has asked.
                    assert!(bench.word(from).await.is_some(), "{what}");
                    assert!(bench.word(to).await.is_none(), "{what}");
                    assert!(bench.store.destroy(from).await.unwrap());
                    continue;
                }
                until(&what, async || bench.word(to).await.is_some()).await;
                assert!(bench.word(from).await.is_none(), "{what}");
                // Of what it was to leave behind nothing is there, nor in the index.
                let left = if owned { ":1" } else { ":0" };
                let tidy = async || ask_cluster(&cluster, &["ZCARD", &index]) == left;
                until(&what, tidy).await;
                assert!(bench.store.destroy(to).await.unwrap());
                if done {
                    break;
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_signs_out_everywhere_and_hangs_up_is_signed_out_everywhere() {
    let Some(cluster) = or_skip(RedisCluster::start()) else {
        return;
    };
    let bench = &Bench::on(&cluster.url()).await;
    for polls in 1.. {
        // What was given up before looks once more for sessions of its owner: so this time it is another one.
        let name = format!("ada {polls}");
        let ada = &owner(&name);
        for number in 0..20 {
            bench.add(&key(number), bench.owned("a", &name)).await;
        }
        let asked = Box::pin(async move {
            let ended = bench.store.destroy_by_owner(ada, &[]).await;
            assert_eq!(ended.unwrap(), 20);
        });
        let done = is_done_after(polls, asked).await;
        let what = format!("the end of all sessions, given up after {polls} polls");
        let ended = async || bench.store.list_by_owner(ada).await.unwrap().is_empty();
        until(&what, ended).await;
        if done {
            break;
        }
    }
}
