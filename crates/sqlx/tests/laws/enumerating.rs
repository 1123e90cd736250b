use std::collections::BTreeSet;
use std::time::Duration;

use cloakroom_store::{Enumerate, RotateOutcome};

use super::*;

pub(crate) async fn visit_shows_each_once<B: Bench>(case: Case<B>) {
    // More than a page; the smallest and the largest key among them.
    for number in 0..150 {
        case.add(&key(number), case.record(&number.to_string()))
            .await;
    }
    let ends = [[0; 32], [0xFF; 32]].map(SessionKey::from_bytes);
    for end in &ends {
        case.add(end, case.record("end")).await;
    }
    case.add(&key(900), case.ending_in("dead", 1)).await;
    case.clock.advance(Duration::from_secs(1));

    let entries = case.store.all().await.unwrap();
    let keys: BTreeSet<SessionKey> = entries.iter().map(|entry| entry.key).collect();
    let expected: BTreeSet<SessionKey> = (0..150).map(key).chain(ends).collect();
    assert_eq!(entries.len(), 152);
    assert_eq!(keys, expected);
    for entry in entries.iter().filter(|entry| !ends.contains(&entry.key)) {
        assert_eq!(entry.key, key(entry.record.data[0].parse().unwrap()));
    }
}

pub(crate) async fn count_and_clear<B: Bench>(case: Case<B>) {
    for number in 0..30 {
        case.add(&key(number), case.record("a")).await;
    }
    case.add(&key(100), case.ending_in("dead", 1)).await;
    case.clock.advance(Duration::from_secs(1));
    assert_eq!(case.store.count().await.unwrap(), 30);
    assert_eq!(case.store.clear().await.unwrap(), 30);
    assert_eq!(case.store.count().await.unwrap(), 0);
    assert!(case.store.row(&key(100)).await.unwrap().is_none());
    assert_eq!(case.store.clear().await.unwrap(), 0);
}

pub(crate) async fn purge_removes_what_expired<B: Bench>(case: Case<B>) {
    for number in 0..25 {
        case.add(&key(number), case.ending_in("a", u64::from(number) + 1))
            .await;
    }
    case.add(&key(100), case.record("for ever")).await;
    case.clock.advance(Duration::from_secs(20));
    let store = case.builder().purge_batch(6).create().await.unwrap();
    assert_eq!(store.purge_expired().await.unwrap(), 20);
    assert_eq!(store.purge_expired().await.unwrap(), 0);
    assert_eq!(store.count().await.unwrap(), 6);
    assert!(store.row(&key(19)).await.unwrap().is_none());
    assert!(store.row(&key(20)).await.unwrap().is_some());
}

/// Whichever way it moved, and by whichever verb.
pub(crate) async fn purge_follows_the_expiry<B: Bench>(case: Case<B>) {
    let set = async |number, record| {
        let outcome = case.store.set(&key(number), record, Expect::Present).await;
        assert!(matches!(outcome.unwrap(), SetOutcome::Stored(_)));
    };
    // Earlier, later, for ever, no longer for ever.
    for number in 0..4 {
        case.add(&key(number), case.ending_in("a", 100)).await;
    }
    set(0, case.ending_in("a", 10)).await;
    set(1, case.ending_in("a", 1_000)).await;
    set(2, case.record("a")).await;
    set(3, case.record("a")).await;
    set(3, case.ending_in("a", 10)).await;
    // With a touch, once the row has a shorter time-out; and by moving to another key.
    let mut idle = case.record("a");
    idle.times.idle_timeout = Some(Duration::from_secs(100));
    case.add(&key(4), idle.clone()).await;
    case.add(&key(5), idle.clone()).await;
    let now = idle.times.last_seen_at;
    assert!(
        case.store
            .touch(&key(4), now.plus(Duration::from_secs(90)))
            .await
            .unwrap()
    );
    idle.times.idle_timeout = Some(Duration::from_secs(10));
    let moved = case.store.rotate(&key(5), &key(6), idle.times).await;
    assert!(matches!(moved.unwrap(), RotateOutcome::Moved { .. }));

    let store = case.builder().purge_batch(2).create().await.unwrap();
    let gone = async |number| store.row(&key(number)).await.unwrap().is_none();
    for (seconds, removed, live) in [(10, 3, 3), (95, 0, 3), (95, 1, 2), (799, 0, 2), (1, 1, 1)] {
        case.clock.advance(Duration::from_secs(seconds));
        assert_eq!(store.purge_expired().await.unwrap(), removed, "{seconds}");
        assert_eq!(store.count().await.unwrap(), live);
    }
    assert!(gone(0).await && gone(1).await && gone(3).await && gone(4).await && gone(6).await);
    assert!(!gone(2).await);
    set(2, case.ending_in("a", 10)).await;
    case.clock.advance(Duration::from_secs(10));
    assert_eq!(store.purge_expired().await.unwrap(), 1);
    assert!(gone(2).await);
}

pub(crate) async fn owners_are_told_apart_by_case<B: Bench>(case: Case<B>) {
    let names = ["ada", "Ada", "ADA", "ada ", "adä", "äda", "ada\u{308}"];
    for (number, name) in (0..).zip(names) {
        let mut record = case.record(name);
        record.owner = Some(owner(name));
        case.add(&key(number), record).await;
    }
    for name in names {
        let found = case.store.list_by_owner(&owner(name)).await.unwrap();
        assert_eq!(found.len(), 1, "{name:?}");
        assert_eq!(found[0].record.data[0], name);
    }
    assert!(
        case.store
            .list_by_owner(&owner("aDa"))
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        case.store
            .destroy_by_owner(&owner("Ada"), &[])
            .await
            .unwrap(),
        1
    );
    assert_eq!(case.store.count().await.unwrap(), 6);
}

pub(crate) async fn lists_are_oldest_first<B: Bench>(case: Case<B>) {
    // Keys in another order than times.
    for (number, age) in [(1, 10), (2, 30), (3, 20)] {
        let mut record = case.record(&age.to_string());
        record.times.created_at = record.times.created_at.minus(Duration::from_secs(age));
        record.owner = Some(owner("ada"));
        case.add(&key(number), record).await;
    }
    let mut dead = case.ending_in("dead", 1);
    dead.owner = Some(owner("ada"));
    case.add(&key(4), dead).await;
    case.clock.advance(Duration::from_secs(1));
    let listed = case.store.list_by_owner(&owner("ada")).await.unwrap();
    let ages: Vec<&str> = listed
        .iter()
        .map(|entry| entry.record.data[0].as_str())
        .collect();
    assert_eq!(ages, ["30", "20", "10"]);
}

pub(crate) async fn destroy_by_owner_spares_one<B: Bench>(case: Case<B>) {
    for number in 0..5 {
        let mut record = case.record("a");
        record.owner = Some(owner(if number == 4 { "bob" } else { "ada" }));
        case.add(&key(number), record).await;
    }
    let mut dead = case.ending_in("dead", 1);
    dead.owner = Some(owner("ada"));
    case.add(&key(5), dead).await;
    case.add(&key(6), case.record("nobody's")).await;
    case.clock.advance(Duration::from_secs(1));
    let spared = key(2);
    let ended = case
        .store
        .destroy_by_owner(&owner("ada"), &[spared])
        .await
        .unwrap();
    assert_eq!(ended, 3);
    let left = case.store.list_by_owner(&owner("ada")).await.unwrap();
    assert_eq!(
        left.iter().map(|entry| entry.key).collect::<Vec<_>>(),
        [spared]
    );
    assert_eq!(
        case.store
            .destroy_by_owner(&owner("ada"), &[])
            .await
            .unwrap(),
        1
    );
    assert_eq!(case.store.count().await.unwrap(), 2);
}
