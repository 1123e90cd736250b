//! Dates far away, and sums of them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::time::Duration;

use cloakroom_store::{Expect, SetOutcome, Store, Times, Timestamp};
use cloakroom_testservers::{Redis, or_skip};
use common::{Bench, key};

#[tokio::test]
async fn the_farthest_dates_are_told_apart_to_the_millisecond() {
    let Some(server) = or_skip(Redis::start()) else {
        return;
    };
    let bench = Bench::on(&server.url()).await;
    let moment = Timestamp::from_millis;
    for (number, (now, end)) in (0..).zip([
        (i64::MIN, i64::MIN + 1),
        (i64::MIN, i64::MAX),
        (-1_000_000_000_000_000_001, -1_000_000_000_000_000_000),
        (-1_000_000_000_000_000_000, -999_999_999_999_999_999),
        (-1, 0),
        (0, 1),
        (999_999_999_999_999_999, 1_000_000_000_000_000_000),
        (1_000_000_000_000_000_000, 1_000_000_000_000_000_001),
        (i64::MAX - 1, i64::MAX),
    ]) {
        let key = key(number);
        bench.clock.set(moment(now));
        let mut record = bench.record("a");
        record.times.ends_at = Some(moment(end));
        bench.add(&key, record.clone()).await;
        // The server judges it live until the last moment ...
        let write = bench.store.set(&key, record.clone(), Expect::Present).await;
        assert_eq!(write.unwrap(), SetOutcome::Stored(2), "{now} before {end}");
        assert!(bench.word(&key).await.is_some());
        let touched = bench.store.touch(&key, moment(now));
        assert!(touched.await.unwrap());
        // ... and dead at its end.
        bench.clock.set(moment(end));
        let write = bench.store.set(&key, record, Expect::Present).await;
        assert_eq!(write.unwrap(), SetOutcome::Gone, "{end}");
        assert!(bench.word(&key).await.is_none());
    }
}

/// A touch has the server add the idle time-out to a date: exactly, however far away, and never beyond the end
/// of time.
#[tokio::test]
async fn the_idle_end_is_exact_at_any_date() {
    let Some(server) = or_skip(Redis::start()) else {
        return;
    };
    let bench = Bench::on(&server.url()).await;
    let moment = Timestamp::from_millis;
    for (number, (now, idle)) in (0..).zip([
        (i64::MIN, 1),
        (-9_000_000_000_000_000_001, 123_456_789_012_345_678),
        (-3_000_000_000, 2_000_000_000),
        (-1_999_999_999, 999_999_999),
        (-1, 1),
        (0, 1_000_000_000),
        (999_999_999, 1),
        (1_700_000_000_000, 1_800_000),
        (9_007_199_254_740_993, 9_007_199_254_740_993),
        (i64::MAX - 2, 1),
    ]) {
        let (key, idle) = (key(number), Duration::from_millis(idle));
        let start = moment(now);
        bench.clock.set(start);
        let mut record = bench.record("a");
        record.times = Times::starting(start);
        record.times.idle_timeout = Some(idle);
        bench.add(&key, record).await;
        assert!(bench.store.touch(&key, start).await.unwrap());
        let end = start.plus(idle);
        bench.clock.set(end.minus(Duration::from_millis(1)));
        assert!(
            bench.store.get(&key).await.unwrap().is_some(),
            "{now} + {idle:?}"
        );
        bench.clock.set(end);
        assert!(
            bench.store.get(&key).await.unwrap().is_none(),
            "{now} + {idle:?}"
        );
        bench.store.destroy(&key).await.unwrap();
    }
    // As good as never: the sum is beyond what can be written down.
    let key = key(99);
    bench.clock.set(moment(i64::MAX - 5));
    let mut record = bench.record("a");
    record.times = Times::starting(moment(i64::MAX - 5));
    record.times.idle_timeout = Some(Duration::from_millis(100));
    bench.add(&key, record).await;
    assert!(bench.store.touch(&key, moment(i64::MAX - 5)).await.unwrap());
    bench.clock.set(moment(i64::MAX - 1));
    assert!(bench.store.get(&key).await.unwrap().is_some());
}
