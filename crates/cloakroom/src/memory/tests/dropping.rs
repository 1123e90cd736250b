//! The data is the application's: it is dropped when nothing is locked, and may use the store then.

use std::sync::Weak;
use std::sync::atomic::{AtomicU32, Ordering};

use cloakroom_store::{OwnerLimit, OwnerLimits, WhenReached};

use super::super::store::Inner;
use super::*;

struct Watching {
    store: Weak<Inner<Watching>>,
    /// How many were dropped as they should.
    dropped: Arc<AtomicU32>,
}

impl Drop for Watching {
    fn drop(&mut self) {
        let store = self.store.upgrade();
        if store.is_some_and(|store| store.locks.all_are_free()) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[test]
fn data_is_dropped_when_nothing_is_locked() {
    let clock = ManualClock::at(START);
    let store: MemoryStore<Watching> = MemoryStore::builder()
        .clock(clock.clone())
        .purge_interval(Duration::ZERO)
        .build();
    let dropped = Arc::new(AtomicU32::new(0));
    let record_of = |name: &str, seconds| {
        let times = record(0, Some(seconds), None).times;
        let watching = Watching {
            store: Arc::downgrade(store.inner()),
            dropped: Arc::clone(&dropped),
        };
        let mut record = Record::new(Arc::new(watching), times);
        record.owner = Some(owner(name));
        record
    };
    let set_for = |seconds, number, name, expect| {
        let stored = store.set(&key(number), record_of(name, seconds), expect);
        let stored = block_on(stored).unwrap();
        assert!(matches!(stored, SetOutcome::Stored(_)));
    };
    let set = |number, name, expect| set_for(1_000, number, name, expect);
    let goes = |count, what: &dyn Fn()| {
        let before = dropped.load(Ordering::Relaxed);
        what();
        assert_eq!(dropped.load(Ordering::Relaxed) - before, count);
    };

    set(1, "ada", Expect::Absent);
    goes(1, &|| set(1, "ada", Expect::Present));
    goes(1, &|| set(1, "bob", Expect::Present));
    goes(1, &|| {
        let _ = block_on(store.replace(&key(1), &key(2), record_of("ada", 1_000))).unwrap();
    });
    set(3, "ada", Expect::Absent);
    let limits: &dyn OwnerLimits<Watching> = &**store.inner();
    let one = OwnerLimit::new(1.try_into().unwrap(), WhenReached::EndOldest);
    goes(2, &|| {
        let _ = block_on(limits.admit(None, &key(4), record_of("ada", 1_000), one)).unwrap();
    });
    goes(1, &|| assert!(block_on(store.destroy(&key(4))).unwrap()));

    for number in 5..8 {
        set_for(10, number, "ada", Expect::Absent);
    }
    clock.advance(Duration::from_secs(10));
    goes(1, &|| set(5, "bob", Expect::Absent));
    let times = record(0, Some(1_000), None).times;
    goes(1, &|| {
        let _ = block_on(store.rotate(&key(5), &key(6), times)).unwrap();
    });
    goes(1, &|| {
        assert_eq!(block_on(store.inner().purge_expired()).unwrap(), 1)
    });
    for number in [8, 9] {
        set(number, "ada", Expect::Absent);
    }
    goes(2, &|| {
        let _ = block_on(store.inner().destroy_by_owner(&owner("ada"), &[])).unwrap();
    });
    goes(1, &|| {
        assert_eq!(block_on(store.inner().clear()).unwrap(), 1)
    });
}
