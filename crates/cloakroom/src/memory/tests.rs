mod admitting;
mod dropping;
mod evicting;
mod places;
mod purging;
mod renewing;

use std::sync::Arc;
use std::time::Duration;

use cloakroom_store::{
    Enumerate, Expect, ManualClock, Owner, Record, RotateOutcome, SessionKey, SetOutcome, Store,
    StoreErrorKind, Times, Timestamp,
};
use futures_lite::future::block_on;

use super::{MemoryStore, MemoryStoreBuilder, WhenFull};

const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// So many, but under Miri, which is a thousand times as slow, a hundredth of them.
pub(super) const fn many(count: u32) -> u32 {
    if cfg!(miri) { count / 100 } else { count }
}

struct Fixture {
    store: MemoryStore<u32>,
    clock: ManualClock,
}

impl Fixture {
    /// Without the thread, so that nothing happens by itself.
    fn new(configure: impl FnOnce(MemoryStoreBuilder<u32>) -> MemoryStoreBuilder<u32>) -> Self {
        let clock = ManualClock::at(START);
        let builder = MemoryStore::builder()
            .clock(clock.clone())
            .purge_interval(Duration::ZERO);
        Self {
            store: configure(builder).build(),
            clock,
        }
    }

    fn create(&self, number: u32, seconds: Option<u64>, owner: Option<&str>) {
        let created = self.try_create(number, seconds, owner);
        assert_eq!(created, Ok(SetOutcome::Stored(1)));
    }

    fn try_create(
        &self,
        number: u32,
        seconds: Option<u64>,
        owner: Option<&str>,
    ) -> Result<SetOutcome, StoreErrorKind> {
        let record = record(number, seconds, owner);
        let stored = block_on(self.store.set(&key(number), record, Expect::Absent));
        stored.map_err(|error| error.kind())
    }

    fn write(&self, key: &SessionKey, record: Record<u32>, expect: Expect) {
        let outcome = block_on(self.store.set(key, record, expect)).unwrap();
        assert!(matches!(outcome, SetOutcome::Stored(2..)), "{outcome:?}");
    }

    fn get(&self, number: u32) -> Option<Record<u32>> {
        block_on(self.store.get(&key(number))).unwrap()
    }

    fn listed(&self, name: &str) -> Vec<u32> {
        let entries = block_on(self.enumerate().list_by_owner(&owner(name))).unwrap();
        let mut numbers: Vec<u32> = entries.iter().map(|entry| *entry.record.data).collect();
        numbers.sort_unstable();
        numbers
    }

    fn enumerate(&self) -> &dyn Enumerate<u32> {
        self.store.enumerate().unwrap()
    }

    fn purge(&self) -> u64 {
        block_on(self.enumerate().purge_expired()).unwrap()
    }

    fn held(&self) -> String {
        format!("{:?}", self.store)
    }
}

fn key(number: u32) -> SessionKey {
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = (number.wrapping_mul(0x9e37_79b9) >> (at % 4 * 8)) as u8;
    }
    bytes[4..8].copy_from_slice(&number.to_le_bytes());
    SessionKey::from_bytes(bytes)
}

fn owner(name: &str) -> Owner {
    Owner::new(name).unwrap()
}

fn record(number: u32, seconds: Option<u64>, name: Option<&str>) -> Record<u32> {
    let mut times = Times::starting(START);
    times.ends_at = seconds.map(|seconds| START.plus(Duration::from_secs(seconds)));
    let mut record = Record::new(Arc::new(number), times);
    record.owner = name.map(owner);
    record
}

#[test]
fn a_full_store_refuses_and_keeps_those_who_are_in() {
    let it = Fixture::new(|builder| builder.max_sessions(3));
    for number in 0..3 {
        it.create(number, Some(10), None);
    }
    assert_eq!(it.try_create(3, Some(10), None), Err(StoreErrorKind::Full));
    assert!((0..3).all(|number| it.get(number).is_some()));

    // Writing, rotating and signing in need no further place.
    let write = it
        .store
        .set(&key(0), record(7, Some(10), None), Expect::Version(1));
    assert_eq!(block_on(write).unwrap(), SetOutcome::Stored(2));
    let rotate = it
        .store
        .rotate(&key(0), &key(10), record(0, Some(10), None).times);
    assert_eq!(
        block_on(rotate).unwrap(),
        RotateOutcome::Moved {
            found: 2,
            version: 2
        }
    );
    let replace = it
        .store
        .replace(&key(1), &key(11), record(1, Some(10), Some("ada")));
    assert_eq!(block_on(replace).unwrap(), SetOutcome::Stored(1));
    let replace = it
        .store
        .replace(&key(99), &key(12), record(1, Some(10), None));
    assert_eq!(block_on(replace).unwrap_err().kind(), StoreErrorKind::Full);

    // A place is free again when a session ends, by itself or not.
    assert!(block_on(it.store.destroy(&key(2))).unwrap());
    it.create(4, Some(20), None);
    it.clock.advance(Duration::from_secs(10));
    it.create(5, Some(20), None);
    it.create(6, Some(20), None);
    assert_eq!(it.try_create(8, Some(20), None), Err(StoreErrorKind::Full));
}

#[test]
fn a_session_of_a_full_store_can_become_somebodys() {
    let full = |when_full| Fixture::new(|builder| builder.max_sessions(2).when_full(when_full));
    for when_full in [WhenFull::Refuse, WhenFull::EvictSoonestToExpire] {
        let it = full(when_full);
        it.create(0, Some(10), None);
        it.create(1, Some(20), None);
        for (owner, version) in [(Some("ada"), 1), (Some("bob"), 2), (None, 3)] {
            let expect = Expect::Version(version);
            let write = it.store.set(&key(1), record(1, Some(20), owner), expect);
            assert_eq!(block_on(write).unwrap(), SetOutcome::Stored(version + 1));
            assert_eq!(it.listed("ada").len(), usize::from(owner == Some("ada")));
        }
        assert!(it.get(0).is_some(), "nobody has to go for it");
        assert!(it.held().contains("held: 2"), "{}", it.held());
    }
}

#[test]
fn a_full_store_can_evict_what_ends_soonest() {
    let it = Fixture::new(|builder| {
        builder
            .max_sessions(2)
            .when_full(WhenFull::EvictSoonestToExpire)
    });
    it.create(0, None, Some("ada"));
    it.create(1, Some(10), Some("ada"));
    it.create(2, Some(20), Some("ada"));
    assert_eq!(it.listed("ada"), [0, 2]);
    let unlimited = Fixture::new(|builder| {
        builder
            .max_sessions(1)
            .when_full(WhenFull::EvictSoonestToExpire)
    });
    unlimited.create(0, None, None);
    assert_eq!(
        unlimited.try_create(1, None, None),
        Err(StoreErrorKind::Full)
    );
}

#[test]
fn law_8_expired_sessions_leave_and_give_their_memory_back() {
    let it = Fixture::new(|builder| builder);
    let count = many(20_000);
    for number in 0..count {
        it.create(
            number,
            Some(10 + u64::from(number % 7)),
            Some(&format!("owner {number}")),
        );
    }
    assert!(it.held().contains(&format!("held: {count}")));
    it.clock.advance(Duration::from_secs(16));
    assert_eq!(block_on(it.enumerate().count()).unwrap(), 0);
    assert_eq!(it.purge(), u64::from(count));
    assert!(it.held().contains("held: 0"));
    let (slots, schedule, owners) = it.store.memory_in_use();
    assert!(
        slots < 256 * 64 && schedule == 0 && owners == 0,
        "{slots} {schedule} {owners}"
    );
}

#[test]
fn a_purge_never_takes_a_session_that_was_used_since() {
    let it = Fixture::new(|builder| builder);
    let mut used = record(1, None, Some("ada"));
    used.times.idle_timeout = Some(Duration::from_secs(10));
    let _ = block_on(it.store.set(&key(1), used, Expect::Absent)).unwrap();
    for step in 1..=10 {
        it.clock.advance(Duration::from_secs(9));
        let now = START.plus(Duration::from_secs(step * 9));
        assert!(block_on(it.store.touch(&key(1), now)).unwrap());
        it.clock.advance(Duration::ZERO);
        assert_eq!(it.purge(), 0);
    }
    assert_eq!(it.listed("ada"), [1]);
    it.clock.advance(Duration::from_secs(10));
    assert_eq!(it.purge(), 1);
    assert_eq!(it.store.memory_in_use().2, 0, "the index entry leaves too");
}

#[test]
fn a_session_whose_end_moves_closer_is_purged_then() {
    let it = Fixture::new(|builder| builder);
    it.create(1, Some(1_000), None);
    it.write(&key(1), record(1, Some(10), None), Expect::Present);
    it.clock.advance(Duration::from_secs(10));
    assert_eq!(it.purge(), 1);
    assert!(it.held().contains("held: 0"));
}

#[test]
fn the_owner_index_follows_every_verb() {
    let it = Fixture::new(|builder| builder);
    it.create(1, None, Some("ada"));
    it.create(2, None, None);
    assert_eq!(it.listed("ada"), [1]);
    it.write(&key(2), record(2, None, Some("ada")), Expect::Present);
    assert_eq!(it.listed("ada"), [1, 2]);
    it.write(&key(1), record(1, None, Some("bob")), Expect::Version(1));
    assert_eq!((it.listed("ada"), it.listed("bob")), (vec![2], vec![1]));
    let times = record(0, None, None).times;
    let moved = block_on(it.store.rotate(&key(1), &key(3), times)).unwrap();
    assert_eq!(
        moved,
        RotateOutcome::Moved {
            found: 2,
            version: 2
        }
    );
    assert_eq!(it.listed("bob"), [1]);
    let replaced = block_on(
        it.store
            .replace(&key(3), &key(4), record(4, None, Some("ada"))),
    )
    .unwrap();
    assert_eq!(replaced, SetOutcome::Stored(1));
    assert_eq!((it.listed("ada"), it.listed("bob")), (vec![2, 4], vec![]));
    let ended = it.enumerate().destroy_by_owner(&owner("ada"), &[key(4)]);
    assert_eq!(block_on(ended).unwrap(), 1);
    assert_eq!(it.listed("ada"), [4]);
    assert_eq!(block_on(it.enumerate().clear()).unwrap(), 1);
    assert_eq!(it.listed("ada"), Vec::<u32>::new());
    assert!(it.held().contains("held: 0"));
}

#[test]
fn a_record_stored_anew_over_an_expired_one_changes_hands() {
    let it = Fixture::new(|builder| builder.max_sessions(2));
    it.create(1, Some(10), Some("ada"));
    it.clock.advance(Duration::from_secs(10));
    it.create(1, Some(100), Some("bob"));
    assert_eq!((it.listed("ada"), it.listed("bob")), (vec![], vec![1]));
    assert_eq!(it.purge(), 0);
    assert!(it.held().contains("held: 1"));
}

#[test]
fn the_thread_purges_without_traffic_and_ends_with_the_store() {
    let clock = ManualClock::at(START);
    let store = MemoryStore::builder()
        .clock(clock.clone())
        .purge_interval(Duration::from_millis(1))
        .build();
    let it = Fixture { store, clock };
    for number in 0..many(1_000) {
        it.create(number, Some(10), Some("ada"));
    }
    it.clock.advance(Duration::from_secs(10));
    // Waits for the thread as long as it takes: there is no time in which it has to be done.
    while !it.held().contains("held: 0") || it.store.memory_in_use().2 > 0 {
        std::thread::yield_now();
    }
    let inner = Arc::downgrade(it.store.inner());
    drop(it);
    while inner.strong_count() > 0 {
        std::thread::yield_now();
    }
}

#[test]
fn law_9_a_listing_never_misses_a_session_that_moves() {
    let it = Fixture::new(|builder| builder);
    it.create(0, None, Some("ada"));
    let times = record(0, None, None).times;
    std::thread::scope(|scope| {
        let mover = scope.spawn(|| {
            for number in 0..many(5_000) {
                let moved = it.store.rotate(&key(number), &key(number + 1), times);
                let expected = RotateOutcome::Moved {
                    found: 1,
                    version: 1,
                };
                assert_eq!(block_on(moved).unwrap(), expected);
            }
        });
        while !mover.is_finished() {
            assert_eq!(it.listed("ada"), [0]);
        }
    });
}

#[test]
fn law_4_nothing_comes_back_after_a_destroy_in_parallel_with_everything() {
    let it = Fixture::new(|builder| builder);
    for round in 0..many(500) {
        let (mine, next) = (2 * round, 2 * round + 1);
        it.create(mine, None, Some("ada"));
        std::thread::scope(|scope| {
            for verb in 0..4 {
                let it = &it;
                scope.spawn(move || {
                    let times = record(0, None, None).times;
                    let data = record(9, None, Some("ada"));
                    match verb {
                        0 => drop(block_on(it.store.set(&key(mine), data, Expect::Present))),
                        1 => drop(block_on(it.store.set(&key(mine), data, Expect::Version(1)))),
                        2 => drop(block_on(it.store.touch(&key(mine), START))),
                        _ => drop(block_on(it.store.rotate(&key(mine), &key(next), times))),
                    }
                });
            }
            block_on(it.store.destroy(&key(mine))).unwrap();
            assert!(it.get(mine).is_none());
        });
        assert!(it.get(mine).is_none());
        block_on(it.store.destroy(&key(next))).unwrap();
        assert_eq!(it.listed("ada"), Vec::<u32>::new());
    }
    assert!(it.held().contains("held: 0"));
}
