use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};

use cloakroom_store::{
    AdmitOutcome, Enumerate, OwnerLimit, OwnerLimits, RotateOutcome, StoreErrorKind, WhenReached,
};
use tokio::task::JoinSet;

use super::*;

type LimitedStore<B> = DbStore<Data, <B as Bench>::Db>;

fn limit(max: u32, when_reached: WhenReached) -> OwnerLimit {
    OwnerLimit::new(NonZeroU32::new(max).unwrap(), when_reached)
}

fn stored(ended: impl IntoIterator<Item = u32>) -> AdmitOutcome {
    AdmitOutcome::Stored {
        version: 1,
        ended: ended.into_iter().map(key).collect(),
    }
}

impl<B: Bench> Case<B> {
    /// A record of `ada`'s that began so many seconds ago.
    fn adas(&self, age: u64) -> Record<Data> {
        let mut record = self.record("a");
        record.times.created_at = record.times.created_at.minus(Duration::from_secs(age));
        record.owner = Some(owner("ada"));
        record
    }

    async fn admit(
        &self,
        ending: Option<u32>,
        number: u32,
        record: Record<Data>,
        limit: OwnerLimit,
    ) -> AdmitOutcome {
        let ending = ending.map(key);
        let limits: &dyn OwnerLimits<Data> = self.store.owner_limits().unwrap();
        let outcome = limits.admit(ending.as_ref(), &key(number), record, limit);
        outcome.await.unwrap()
    }

    async fn adas_keys(&self) -> Vec<SessionKey> {
        let entries = self.store.list_by_owner(&owner("ada")).await.unwrap();
        entries.iter().map(|entry| entry.key).collect()
    }

    async fn assert_adas(&self, numbers: impl IntoIterator<Item = u32>) {
        let keys: Vec<_> = numbers.into_iter().map(key).collect();
        assert_eq!(self.adas_keys().await, keys);
    }

    /// Stores over the same table, each with all that a process has of its own.
    async fn processes(&self) -> Vec<LimitedStore<B>> {
        let mut stores = vec![self.store.clone()];
        for _ in 0..3 {
            stores.push(self.builder().create().await.unwrap());
        }
        stores
    }
}

pub(crate) async fn the_oldest_end_when_the_limit_is_reached<B: Bench>(case: Case<B>) {
    let three = limit(3, WhenReached::EndOldest);
    // Keys in another order than times, and two that began at the same moment.
    for (number, age) in [(5, 30), (2, 20), (1, 20)] {
        let outcome = case.admit(None, number, case.adas(age), three).await;
        assert_eq!(outcome, stored([]));
    }
    // Neither what has expired counts, nor what is nobody's or somebody else's.
    let mut dead = case.ending_in("dead", 1);
    dead.owner = Some(owner("ada"));
    case.add(&key(50), dead).await;
    case.add(&key(51), case.record("nobody's")).await;
    let mut bobs = case.adas(99);
    bobs.owner = Some(owner("bob"));
    case.add(&key(52), bobs).await;
    case.clock.advance(Duration::from_secs(1));

    let outcome = case.admit(None, 6, case.adas(0), three).await;
    assert_eq!(outcome, stored([5]));
    case.assert_adas([1, 2, 6]).await;
    let outcome = case.admit(None, 7, case.adas(0), three).await;
    assert_eq!(outcome, stored([1]));
    case.assert_adas([2, 6, 7]).await;
    assert!(case.word(&key(5)).await.is_none());
    assert!(case.word(&key(51)).await.is_some() && case.word(&key(52)).await.is_some());

    // What is ended with it makes room, and goes, whoever's it was and even if it is dead.
    let outcome = case.admit(Some(6), 8, case.adas(0), three).await;
    assert_eq!(outcome, stored([]));
    case.assert_adas([2, 7, 8]).await;
    for ending in [50, 51] {
        let outcome = case
            .admit(Some(ending), 100 + ending, case.adas(0), three)
            .await;
        assert!(matches!(outcome, AdmitOutcome::Stored { .. }));
        assert!(case.store.row(&key(ending)).await.unwrap().is_none());
    }
    case.assert_adas([8, 150, 151]).await;

    // An owner with more than that, because the limit was lowered or others do not ask.
    for number in 200..240 {
        case.add(&key(number), case.adas(1)).await;
    }
    let outcome = case
        .admit(Some(8), 9, case.adas(0), limit(2, WhenReached::EndOldest))
        .await;
    assert_eq!(outcome, stored((200..240).chain([150])));
    case.assert_adas([9, 151]).await;
    let outcome = case
        .admit(None, 10, case.adas(0), limit(1, WhenReached::EndOldest))
        .await;
    assert_eq!(outcome, stored([9, 151]));
    case.assert_adas([10]).await;
    assert!(case.word(&key(52)).await.is_some(), "bob's");
}

pub(crate) async fn who_is_refused_changes_nothing<B: Bench>(case: Case<B>) {
    let two = limit(2, WhenReached::Refuse);
    assert_eq!(case.admit(None, 1, case.adas(9), two).await, stored([]));
    assert_eq!(case.admit(None, 2, case.adas(8), two).await, stored([]));
    case.add(&key(3), case.record("anonymous")).await;
    let refused = case.admit(Some(3), 4, case.adas(0), two).await;
    assert_eq!(refused, AdmitOutcome::Refused);
    case.assert_adas([1, 2]).await;
    assert_eq!(case.word(&key(3)).await.unwrap(), "anonymous");
    assert!(case.store.row(&key(4)).await.unwrap().is_none());

    // There is room as soon as one ends, one expires, or one is ended with it.
    assert_eq!(case.admit(Some(2), 5, case.adas(7), two).await, stored([]));
    case.assert_adas([1, 5]).await;
    assert!(case.store.destroy(&key(1)).await.unwrap());
    let mut short = case.ending_in("short", 5);
    short.owner = Some(owner("ada"));
    assert_eq!(case.admit(None, 6, short, two).await, stored([]));
    let refused = case.admit(None, 7, case.adas(0), two).await;
    assert_eq!(refused, AdmitOutcome::Refused);
    case.clock.advance(Duration::from_secs(5));
    assert_eq!(case.admit(None, 7, case.adas(0), two).await, stored([]));
    case.assert_adas([5, 7]).await;

    // A limit that was lowered refuses; nobody is thrown out.
    let one = limit(1, WhenReached::Refuse);
    let refused = case.admit(Some(5), 8, case.adas(0), one).await;
    assert_eq!(refused, AdmitOutcome::Refused);
    case.assert_adas([5, 7]).await;
}

pub(crate) async fn a_taken_key_changes_nothing<B: Bench>(case: Case<B>) {
    case.add(&key(1), case.adas(9)).await;
    case.add(&key(2), case.record("a")).await;
    case.add(&key(3), case.record("taken")).await;
    let one = limit(1, WhenReached::EndOldest);
    let outcome = case.admit(Some(2), 3, case.adas(0), one).await;
    assert_eq!(outcome, AdmitOutcome::Exists);
    case.assert_adas([1]).await;
    assert_eq!(case.word(&key(2)).await.unwrap(), "a");
    assert_eq!(case.word(&key(3)).await.unwrap(), "taken");

    // An expired row is as good as none.
    case.add(&key(4), case.ending_in("dead", 1)).await;
    case.clock.advance(Duration::from_secs(1));
    assert_eq!(case.admit(None, 4, case.adas(0), one).await, stored([1]));
    case.assert_adas([4]).await;

    // Too large is refused before anything is written.
    let mut large = case.adas(0);
    large.data = Arc::new(vec!["x".repeat(2 * 1024 * 1024)]);
    let limits: &dyn OwnerLimits<Data> = case.store.owner_limits().unwrap();
    let error = limits.admit(Some(&key(2)), &key(5), large, one).await;
    assert_eq!(error.unwrap_err().kind(), StoreErrorKind::TooLarge);
    assert_eq!(case.word(&key(2)).await.unwrap(), "a");
}

pub(crate) async fn nobodys_sessions_have_no_limit<B: Bench>(case: Case<B>) {
    let one = limit(1, WhenReached::Refuse);
    for number in 1..=3 {
        let record = case.record("nobody's");
        assert_eq!(case.admit(None, number, record, one).await, stored([]));
    }
    let record = case.record("nobody's");
    assert_eq!(case.admit(Some(1), 4, record, one).await, stored([]));
    let record = case.record("nobody's");
    let outcome = case.admit(None, 4, record, one).await;
    assert_eq!(outcome, AdmitOutcome::Exists);
    assert_eq!(case.store.count().await.unwrap(), 3);
    assert!(case.word(&key(1)).await.is_none());
}

/// Looks at the owner's sessions until told to stop: never more than the limit.
fn observe<B: Bench>(case: &Case<B>, max: usize, done: Arc<AtomicBool>) -> JoinSet<()> {
    let store = case.store.clone();
    let mut observer = JoinSet::new();
    observer.spawn(async move {
        while !done.load(Ordering::SeqCst) {
            let listed = store.list_by_owner(&owner("ada")).await.unwrap().len();
            assert!(listed <= max, "{listed} at once");
        }
    });
    observer
}

pub(crate) async fn of_64_sign_ins_as_many_as_allowed_are_stored<B: Bench>(case: Case<B>) {
    const MAX: u32 = 5;
    let stores = case.processes().await;
    for (round, when_reached) in [WhenReached::Refuse, WhenReached::EndOldest]
        .into_iter()
        .enumerate()
    {
        let done = Arc::new(AtomicBool::new(false));
        let mut observer = observe(&case, MAX as usize, Arc::clone(&done));
        let mut sign_ins = JoinSet::new();
        for number in 0..64_u32 {
            let store = stores[number as usize % stores.len()].clone();
            let key = key(1_000 * round as u32 + number);
            let record = case.adas(u64::from(number % 7));
            sign_ins.spawn(async move {
                let limits: &dyn OwnerLimits<Data> = store.owner_limits().unwrap();
                let limit = limit(MAX, when_reached);
                let outcome = limits.admit(None, &key, record, limit).await.unwrap();
                (key, outcome)
            });
        }
        let outcomes = sign_ins.join_all().await;
        done.store(true, Ordering::SeqCst);
        observer.join_next().await.unwrap().unwrap();

        let mut admitted = BTreeSet::new();
        let mut ended = BTreeSet::new();
        let mut refused = 0;
        for (key, outcome) in outcomes {
            match outcome {
                AdmitOutcome::Refused => refused += 1,
                AdmitOutcome::Stored { ended: some, .. } => {
                    admitted.insert(key);
                    for key in some {
                        assert!(ended.insert(key), "ended twice");
                    }
                }
                other => panic!("{other:?}"),
            }
        }
        let left = case.adas_keys().await;
        assert_eq!(left.len(), MAX as usize);
        match when_reached {
            WhenReached::Refuse => {
                assert_eq!((refused, admitted.len()), (59, 5));
                assert_eq!(admitted, left.iter().copied().collect());
            }
            _ => {
                assert_eq!((refused, admitted.len()), (0, 64));
                assert!(left.iter().all(|key| !ended.contains(key)));
                // Those of the round before ended too.
                assert_eq!(ended.len() + left.len(), 64 + MAX as usize);
            }
        }
    }
}

/// Different owners, at once: none is in another's way.
pub(crate) async fn many_owners_sign_in_at_once<B: Bench>(case: Case<B>) {
    let stores = case.processes().await;
    let mut sign_ins = JoinSet::new();
    for number in 0..96_u32 {
        let store = stores[number as usize % stores.len()].clone();
        let mut record = case.adas(u64::from(number));
        record.owner = Some(owner(&format!("user {}", number % 32)));
        sign_ins.spawn(async move {
            let limits: &dyn OwnerLimits<Data> = store.owner_limits().unwrap();
            let limit = limit(2, WhenReached::EndOldest);
            let outcome = limits.admit(None, &key(number), record, limit).await;
            assert!(matches!(outcome.unwrap(), AdmitOutcome::Stored { .. }));
        });
    }
    sign_ins.join_all().await;
    for number in 0..32 {
        let owner = owner(&format!("user {number}"));
        assert_eq!(case.store.list_by_owner(&owner).await.unwrap().len(), 2);
    }
}

/// A session that moves to another key while it is counted is still that one session.
pub(crate) async fn limits_hold_while_sessions_move<B: Bench>(case: Case<B>) {
    const MAX: u32 = 3;
    let stores = case.processes().await;
    for number in 0..MAX {
        case.add(&key(number), case.adas(60)).await;
    }
    let done = Arc::new(AtomicBool::new(false));
    let mut observer = observe(&case, MAX as usize, Arc::clone(&done));
    let mut movers = JoinSet::new();
    for number in 0..8_u32 {
        let (store, done) = (stores[number as usize % 4].clone(), Arc::clone(&done));
        let times = case.adas(60).times;
        movers.spawn(async move {
            let mut next = 10_000 * (number + 1);
            while !done.load(Ordering::SeqCst) {
                for entry in store.list_by_owner(&owner("ada")).await.unwrap() {
                    next += 1;
                    let (from, to) = (&entry.key, &key(next));
                    let moving = match number % 2 {
                        0 => store.rotate(from, to, times),
                        _ => {
                            let renewal = store.renewal().unwrap();
                            renewal.renew(from, to, times, times.renewed_at)
                        }
                    };
                    match moving.await {
                        Ok(outcome) => assert_ne!(outcome, RotateOutcome::Exists),
                        // Eight who move without a pause, on a slow machine: one of them waits too long.
                        Err(error) => assert_eq!(error.kind(), StoreErrorKind::Unavailable),
                    }
                }
            }
        });
    }
    for number in 100..140_u32 {
        let store = &stores[number as usize % 4];
        let limits: &dyn OwnerLimits<Data> = store.owner_limits().unwrap();
        let limit = limit(MAX, WhenReached::EndOldest);
        let outcome = limits.admit(None, &key(number), case.adas(0), limit).await;
        let AdmitOutcome::Stored { ended, .. } = outcome.unwrap() else {
            panic!("not stored");
        };
        assert_eq!(ended.len(), 1);
        assert!(case.store.get(&ended[0]).await.unwrap().is_none());
    }
    done.store(true, Ordering::SeqCst);
    movers.join_all().await;
    observer.join_next().await.unwrap().unwrap();
    assert_eq!(case.adas_keys().await.len(), MAX as usize);
}

/// A sign-in beside "end all" is either ended or listed, never neither.
pub(crate) async fn sign_ins_beside_end_all_are_ended_or_listed<B: Bench>(case: Case<B>) {
    let stores = case.processes().await;
    for round in 0..10_u32 {
        let mut sign_ins = JoinSet::new();
        for number in 0..12_u32 {
            let store = stores[number as usize % 4].clone();
            let from = key(1_000 * round + 100 + number);
            let to = key(1_000 * round + number);
            if number % 3 == 1 {
                case.add(&from, case.record("anonymous")).await;
            }
            let record = case.adas(0);
            sign_ins.spawn(async move {
                match number % 3 {
                    0 => {
                        let limits: &dyn OwnerLimits<Data> = store.owner_limits().unwrap();
                        let limit = limit(4, WhenReached::EndOldest);
                        let outcome = limits.admit(Some(&from), &to, record, limit).await;
                        assert!(matches!(outcome.unwrap(), AdmitOutcome::Stored { .. }));
                    }
                    1 => {
                        let outcome = store.replace(&from, &to, record).await;
                        assert_eq!(outcome.unwrap(), SetOutcome::Stored(1));
                    }
                    _ => {
                        let outcome = store.set(&to, record, Expect::Absent).await;
                        assert_eq!(outcome.unwrap(), SetOutcome::Stored(1));
                    }
                }
                to
            });
        }
        let ending = case.store.clone();
        let ended = tokio::spawn(async move {
            let ada = owner("ada");
            ending.destroy_by_owner(&ada, &[]).await.unwrap()
        });
        let keys = sign_ins.join_all().await;
        ended.await.unwrap();
        let listed: BTreeSet<_> = case.adas_keys().await.into_iter().collect();
        for key in keys {
            let live = case.store.get(&key).await.unwrap().is_some();
            assert_eq!(live, listed.contains(&key));
        }
    }
    let outcome = case
        .admit(None, 99_999, case.adas(0), limit(4, WhenReached::EndOldest))
        .await;
    assert!(matches!(outcome, AdmitOutcome::Stored { .. }));
    assert!(case.adas_keys().await.len() <= 4);
}
