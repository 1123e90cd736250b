use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use cloakroom_store::{
    ClientInfo, Clock, Expect, RotateOutcome, SetOutcome, Store, StoreErrorKind, Times, Timestamp,
};

use super::*;

pub(crate) async fn stored_is_got_back_whole<B: Bench>(case: Case<B>) {
    let mut times = Times::starting(millis(1_000));
    times.authenticated_at = Some(millis(2_000));
    times.renewed_at = millis(2_500);
    times.last_seen_at = millis(3_000);
    times.ends_at = Some(millis(i64::MAX));
    times.idle_timeout = Some(Duration::from_millis(u64::MAX / 2 - 5_000));
    let mut full = record("größe \u{1F9E5} \0 \"'\\", times);
    full.browser_session = true;
    full.owner = Some(owner("Ä 'owner' \" \\ \u{1F9E5}"));
    let address: IpAddr = "2001:db8::7".parse().unwrap();
    full.client = Some(Arc::new(ClientInfo::new(
        Some("Agent/1 ünï"),
        Some(address),
    )));
    case.add(&key(1), full.clone()).await;
    case.add(&key(2), case.record("plain")).await;

    let back = case.store.get(&key(1)).await.unwrap().unwrap();
    assert_eq!(back.data, full.data);
    assert_eq!(back.version, 1);
    assert_eq!(back.times, full.times);
    assert!(back.browser_session);
    assert_eq!(back.owner, full.owner);
    assert_eq!(back.client, full.client);

    let back = case.store.get(&key(2)).await.unwrap().unwrap();
    assert!(!back.browser_session && back.owner.is_none() && back.client.is_none());
    assert_eq!(back.times, Times::starting(case.clock.now()));
    assert!(case.store.get(&key(3)).await.unwrap().is_none());
}

pub(crate) async fn expectations_hold<B: Bench>(case: Case<B>) {
    let (store, k) = (&case.store, key(1));
    let set = |word: &str, expect| store.set(&k, case.record(word), expect);
    assert_eq!(set("a", Expect::Present).await.unwrap(), SetOutcome::Gone);
    assert_eq!(
        set("a", Expect::Version(1)).await.unwrap(),
        SetOutcome::Gone
    );
    assert!(store.get(&k).await.unwrap().is_none());

    assert_eq!(
        set("a", Expect::Absent).await.unwrap(),
        SetOutcome::Stored(1)
    );
    assert_eq!(set("b", Expect::Absent).await.unwrap(), SetOutcome::Exists);
    assert_eq!(case.word(&k).await.unwrap(), "a");
    assert_eq!(
        set("c", Expect::Present).await.unwrap(),
        SetOutcome::Stored(2)
    );
    assert_eq!(
        set("d", Expect::Version(1)).await.unwrap(),
        SetOutcome::Conflict(2)
    );
    assert_eq!(
        set("d", Expect::Version(u64::MAX)).await.unwrap(),
        SetOutcome::Conflict(2)
    );
    assert_eq!(case.word(&k).await.unwrap(), "c");
    assert_eq!(
        set("e", Expect::Version(2)).await.unwrap(),
        SetOutcome::Stored(3)
    );
    assert_eq!(
        set("e", Expect::Version(3)).await.unwrap(),
        SetOutcome::Stored(4)
    );
    let record = store.get(&k).await.unwrap().unwrap();
    assert_eq!((record.version, record.data[0].as_str()), (4, "e"));
}

pub(crate) async fn ended_stays_ended<B: Bench>(case: Case<B>) {
    let (store, k) = (&case.store, key(1));
    case.add(&k, case.record("a")).await;
    assert!(store.destroy(&k).await.unwrap());
    assert!(!store.destroy(&k).await.unwrap());
    for expect in [Expect::Present, Expect::Version(1)] {
        let outcome = store.set(&k, case.record("b"), expect).await.unwrap();
        assert_eq!(outcome, SetOutcome::Gone);
    }
    assert!(!store.touch(&k, case.clock.now()).await.unwrap());
    let times = Times::starting(case.clock.now());
    let outcome = store.rotate(&k, &key(2), times).await.unwrap();
    assert_eq!(outcome, RotateOutcome::Gone);
    for number in [1, 2] {
        assert!(store.row(&key(number)).await.unwrap().is_none());
    }
}

pub(crate) async fn an_expired_row_is_as_good_as_none<B: Bench>(case: Case<B>) {
    let store = &case.store;
    for number in 1..=4 {
        case.add(&key(number), case.ending_in("a", 10)).await;
    }
    case.clock.advance(Duration::from_secs(10));
    assert!(store.get(&key(1)).await.unwrap().is_none());
    assert!(
        store.row(&key(1)).await.unwrap().is_some(),
        "still there, not purged"
    );
    for expect in [Expect::Present, Expect::Version(1)] {
        let outcome = store.set(&key(1), case.record("b"), expect).await.unwrap();
        assert_eq!(outcome, SetOutcome::Gone);
    }
    assert!(!store.touch(&key(1), case.clock.now()).await.unwrap());
    let times = Times::starting(case.clock.now());
    let outcome = store.rotate(&key(1), &key(9), times).await.unwrap();
    assert_eq!(outcome, RotateOutcome::Gone);

    // Over a dead row, as over none.
    let mut fresh = case.record("fresh");
    fresh.owner = Some(owner("ada"));
    case.add(&key(2), fresh).await;
    let back = store.get(&key(2)).await.unwrap().unwrap();
    assert_eq!((back.version, back.data[0].as_str()), (1, "fresh"));
    assert_eq!(back.owner, Some(owner("ada")));
    assert_eq!(back.times, Times::starting(case.clock.now()));

    // Ended is ended, even if the clock steps back to a time before the expiry.
    assert!(!store.destroy(&key(3)).await.unwrap());
    case.clock
        .set(case.clock.now().minus(Duration::from_secs(5)));
    assert!(store.get(&key(3)).await.unwrap().is_none());
    assert!(store.get(&key(4)).await.unwrap().is_some());
}

pub(crate) async fn the_end_itself_is_over<B: Bench>(case: Case<B>) {
    case.add(&key(1), case.ending_in("a", 10)).await;
    case.clock.advance(Duration::from_millis(9_999));
    assert!(case.word(&key(1)).await.is_some());
    case.clock.advance(Duration::from_millis(1));
    assert!(case.word(&key(1)).await.is_none());
}

pub(crate) async fn touch_moves_the_expiry_and_nothing_else<B: Bench>(case: Case<B>) {
    let mut idle = case.record("a");
    idle.owner = Some(owner("ada"));
    idle.times.idle_timeout = Some(Duration::from_secs(60));
    idle.times.ends_at = Some(case.clock.now().plus(Duration::from_secs(100)));
    case.add(&key(1), idle.clone()).await;

    case.clock.advance(Duration::from_secs(50));
    let now = case.clock.now();
    let mut times = idle.times;
    times.last_seen_at = now;
    let expiry = times.expires_at();
    assert!(case.store.touch(&key(1), now).await.unwrap());
    let back = case.store.get(&key(1)).await.unwrap().unwrap();
    assert_eq!((back.version, back.times), (1, times));
    assert_eq!((back.data, back.owner), (idle.data, idle.owner));
    let row = case.store.row(&key(1)).await.unwrap().unwrap();
    assert_eq!(row.expires_at, expiry);

    // The absolute end holds all the same.
    case.clock.advance(Duration::from_secs(49));
    assert!(case.word(&key(1)).await.is_some());
    case.clock.advance(Duration::from_secs(1));
    assert!(case.word(&key(1)).await.is_none());
}

pub(crate) async fn touch_follows_the_rows_own_idle_timeout<B: Bench>(case: Case<B>) {
    let max = Timestamp::MAX;
    let now = case.clock.now();
    let day = Duration::from_secs(86_400);
    let cases = [
        (None, None, None),
        (Some(now.plus(day)), None, Some(now.plus(day))),
        (None, Some(day), Some(now.plus(day))),
        (Some(now.plus(day)), Some(day * 2), Some(now.plus(day))),
        (Some(now.plus(day * 2)), Some(day), Some(now.plus(day))),
        (None, Some(Duration::MAX), Some(max)),
        (
            Some(now.plus(day)),
            Some(Duration::MAX),
            Some(now.plus(day)),
        ),
    ];
    for (number, (ends_at, idle_timeout, expected)) in (0..).zip(cases) {
        let mut record = case.record("a");
        record.times.ends_at = ends_at;
        record.times.idle_timeout = idle_timeout;
        case.add(&key(number), record).await;
        assert!(case.store.touch(&key(number), now).await.unwrap());
        let row = case.store.row(&key(number)).await.unwrap().unwrap();
        assert_eq!(row.expires_at, expected, "case {number}");
    }
}

pub(crate) async fn rotate_moves<B: Bench>(case: Case<B>) {
    let mut first = case.record("a");
    first.owner = Some(owner("ada"));
    case.add(&key(1), first).await;
    let outcome = case
        .store
        .set(&key(1), case.record("b"), Expect::Present)
        .await
        .unwrap();
    assert_eq!(outcome, SetOutcome::Stored(2));

    let mut times = Times::starting(case.clock.now());
    times.authenticated_at = Some(case.clock.now());
    times.idle_timeout = Some(Duration::from_secs(7));
    let outcome = case.store.rotate(&key(1), &key(2), times).await.unwrap();
    assert_eq!(
        outcome,
        RotateOutcome::Moved {
            found: 2,
            version: 2
        }
    );
    assert!(case.word(&key(1)).await.is_none());
    let back = case.store.get(&key(2)).await.unwrap().unwrap();
    assert_eq!((back.version, back.data[0].as_str()), (2, "b"));
    assert_eq!(back.times, times);
    let row = case.store.row(&key(2)).await.unwrap().unwrap();
    assert_eq!(row.expires_at, times.expires_at());

    // Nobody gets at it under the old key.
    let outcome = case
        .store
        .set(&key(1), case.record("c"), Expect::Version(2))
        .await
        .unwrap();
    assert_eq!(outcome, SetOutcome::Gone);
    let again = case.store.rotate(&key(1), &key(3), times).await.unwrap();
    assert_eq!(again, RotateOutcome::Gone);
}

pub(crate) async fn rotate_onto_a_taken_key_moves_nothing<B: Bench>(case: Case<B>) {
    case.add(&key(1), case.record("a")).await;
    case.add(&key(2), case.record("b")).await;
    let times = Times::starting(case.clock.now());
    for to in [key(2), key(1)] {
        let outcome = case.store.rotate(&key(1), &to, times).await.unwrap();
        assert_eq!(outcome, RotateOutcome::Exists);
    }
    assert_eq!(case.word(&key(1)).await.unwrap(), "a");
    assert_eq!(case.word(&key(2)).await.unwrap(), "b");
    let gone = case.store.rotate(&key(3), &key(3), times).await.unwrap();
    assert_eq!(gone, RotateOutcome::Gone);
}

pub(crate) async fn rotate_onto_an_expired_row<B: Bench>(case: Case<B>) {
    case.add(&key(1), case.record("a")).await;
    case.add(&key(2), case.ending_in("dead", 1)).await;
    case.clock.advance(Duration::from_secs(1));
    let times = Times::starting(case.clock.now());
    let outcome = case.store.rotate(&key(1), &key(2), times).await.unwrap();
    assert_eq!(
        outcome,
        RotateOutcome::Moved {
            found: 1,
            version: 1
        }
    );
    assert_eq!(case.word(&key(2)).await.unwrap(), "a");
}

pub(crate) async fn replace_makes_a_new_session<B: Bench>(case: Case<B>) {
    let store = &case.store;
    case.add(&key(1), case.record("a")).await;
    let outcome = store
        .set(&key(1), case.record("b"), Expect::Present)
        .await
        .unwrap();
    assert_eq!(outcome, SetOutcome::Stored(2));

    let mut signed_in = case.record("in");
    signed_in.owner = Some(owner("ada"));
    let outcome = store
        .replace(&key(1), &key(2), signed_in.clone())
        .await
        .unwrap();
    assert_eq!(outcome, SetOutcome::Stored(1));
    assert!(store.row(&key(1)).await.unwrap().is_none());
    let back = store.get(&key(2)).await.unwrap().unwrap();
    assert_eq!((back.version, back.data), (1, signed_in.data));
    assert_eq!((back.owner, back.times), (signed_in.owner, signed_in.times));

    // Where nothing was, and where something dead was.
    case.add(&key(3), case.ending_in("dead", 1)).await;
    case.clock.advance(Duration::from_secs(1));
    for (from, to) in [(3, 4), (5, 6)] {
        let outcome = store
            .replace(&key(from), &key(to), case.record("new"))
            .await
            .unwrap();
        assert_eq!(outcome, SetOutcome::Stored(1));
        assert_eq!(case.word(&key(to)).await.unwrap(), "new");
        assert!(store.row(&key(from)).await.unwrap().is_none());
    }

    // A key that is taken stays whose it was.
    for from in [4, 7] {
        let outcome = store
            .replace(&key(from), &key(2), case.record("x"))
            .await
            .unwrap();
        assert_eq!(outcome, SetOutcome::Exists);
    }
    assert_eq!(case.word(&key(2)).await.unwrap(), "in");
}

pub(crate) async fn far_dates_and_a_clock_that_steps_back<B: Bench>(case: Case<B>) {
    // 2038 and 32 bits of seconds, 1970 and before, the far ends.
    for (number, at) in (0..).zip([
        i64::MIN,
        -1,
        0,
        i64::from(i32::MAX) * 1_000,
        i64::from(u32::MAX) * 1_000 + 1,
        253_402_300_800_000,
        i64::MAX - 1,
    ]) {
        case.clock.set(millis(at));
        let mut far = record("far", Times::starting(millis(at)));
        far.times.ends_at = Some(Timestamp::MAX);
        case.add(&key(number), far.clone()).await;
        let back = case.store.get(&key(number)).await.unwrap().unwrap();
        assert_eq!(back.times, far.times);
    }
    case.clock.set(Timestamp::MAX);
    assert!(
        case.word(&key(0)).await.is_none(),
        "the end of time is an end"
    );

    // A record that is born dead, as the provided `rotate` of the contract writes it.
    case.clock.set(millis(1_000));
    let mut dead = case.record("dead");
    dead.times.ends_at = Some(Timestamp::MIN);
    let outcome = case
        .store
        .set(&key(0), dead, Expect::Version(1))
        .await
        .unwrap();
    assert_eq!(outcome, SetOutcome::Stored(2));
    assert!(case.word(&key(0)).await.is_none());
    case.clock.set(Timestamp::MIN);
    assert!(case.word(&key(0)).await.is_none());
}

pub(crate) async fn too_large_is_refused_before_anything_is_written<B: Bench>(case: Case<B>) {
    let store = case.builder().payload_limit(64).create().await.unwrap();
    case.add(&key(1), case.record("small")).await;
    let large = case.record(&"x".repeat(64));
    for (number, expect) in [(1, Expect::Present), (2, Expect::Absent)] {
        let error = store
            .set(&key(number), large.clone(), expect)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::TooLarge);
    }
    let error = store.replace(&key(1), &key(3), large).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::TooLarge);
    assert_eq!(case.word(&key(1)).await.unwrap(), "small");
    assert_eq!(store.enumerate().unwrap().count().await.unwrap(), 1);
}

pub(crate) async fn large_payloads<B: Bench>(case: Case<B>) {
    let word = "0123456789abcdef".repeat(65_000);
    case.add(&key(1), case.record(&word)).await;
    assert_eq!(case.word(&key(1)).await.unwrap(), word);
}
