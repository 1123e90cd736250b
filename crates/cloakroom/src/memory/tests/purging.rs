//! A purge is in nobody's way.

use std::sync::Mutex;

use super::*;

/// Says which session's it was when it is dropped.
struct Telling {
    number: u32,
    dropped: Arc<Mutex<Vec<u32>>>,
}

impl Drop for Telling {
    fn drop(&mut self) {
        self.dropped.lock().unwrap().push(self.number);
    }
}

/// Who waits for a shard gets it between two batches only if it is not locked again at once.
#[test]
fn no_shard_is_locked_twice_running_while_others_have_something_to_purge() {
    let clock = ManualClock::at(START);
    let store = MemoryStore::builder()
        .clock(clock.clone())
        .purge_interval(Duration::ZERO)
        .build();
    let dropped = Arc::new(Mutex::new(Vec::new()));
    // Their first byte is the shard's number.
    let shard = |number: u32| key(number).as_bytes()[0];
    let of_two_shards = (0..many(100_000)).filter(|number| shard(*number) < 2);
    for number in of_two_shards {
        let data = Arc::new(Telling {
            number,
            dropped: Arc::clone(&dropped),
        });
        let record = Record::new(data, record(0, Some(10), None).times);
        let stored = store.set(&key(number), record, Expect::Absent);
        assert_eq!(block_on(stored).unwrap(), SetOutcome::Stored(1));
    }
    clock.advance(Duration::from_secs(10));
    let purged = block_on(store.inner().purge_expired()).unwrap();
    let dropped = dropped.lock().unwrap();
    assert_eq!(dropped.len() as u64, purged);
    let runs = dropped.chunk_by(|one, next| shard(*one) == shard(*next));
    let longest = runs.map(<[_]>::len).max().unwrap();
    assert!(longest <= 64, "{longest} sessions of one shard running");
}

/// Whoever is refused a place, or gets another's, asks for what has expired each time: no more is done for it.
#[test]
fn a_sign_in_into_a_full_store_leaves_giving_memory_back_to_the_purge() {
    let count = many(20_000);
    let it = Fixture::new(|builder| builder.max_sessions(count as usize));
    for number in 0..count {
        it.create(number, Some(10), Some("ada"));
    }
    let places = || it.store.memory_in_use().0;
    let before = places();
    it.clock.advance(Duration::from_secs(10));
    it.create(count, None, None);
    assert!(it.held().contains("held: 1"));
    assert_eq!(places(), before);
    assert_eq!(it.purge(), 0);
    assert!(places() < before / 10, "{} of {before}", places());
}

#[test]
fn data_that_panics_when_it_is_dropped_does_not_end_purging() {
    struct Panicking(bool);
    impl Drop for Panicking {
        fn drop(&mut self) {
            assert!(!self.0, "the data panics, as this test wants");
        }
    }
    let clock = ManualClock::at(START);
    let store = MemoryStore::builder()
        .clock(clock.clone())
        .purge_interval(Duration::from_millis(1))
        .build();
    for (number, panics) in [(1, true), (2, false)] {
        let times = record(0, Some(10 * u64::from(number)), None).times;
        let record = Record::new(Arc::new(Panicking(panics)), times);
        let stored = block_on(store.set(&key(number), record, Expect::Absent));
        assert_eq!(stored.unwrap(), SetOutcome::Stored(1));
        clock.advance(Duration::from_secs(10));
        let purged = (0..20_000).any(|_| {
            std::thread::sleep(Duration::from_millis(1));
            format!("{store:?}").contains("held: 0")
        });
        assert!(purged, "of {number}");
    }
}
