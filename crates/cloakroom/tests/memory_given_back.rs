//! Law 8 for the memory store, counted: what sessions take, and that it is given back when they have expired.

use std::sync::Arc;
use std::time::Duration;

use cloakroom::{
    Clock, Expect, ManualClock, MemoryStore, Owner, Record, SessionKey, SetOutcome, Store, Times,
};
use futures_lite::future::block_on;
use peak_alloc::PeakAlloc;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

const SESSIONS: u64 = 20_000;

/// A second test in this file would be counted too.
#[test]
fn law_8_memory_returns_to_its_level_after_every_wave() {
    let clock = ManualClock::starting_now();
    let store = MemoryStore::builder()
        .clock(clock.clone())
        .purge_interval(Duration::ZERO)
        .build();
    let empty = HEAP.current_usage();
    for wave in 0..6 {
        let owned = wave % 2 == 1;
        for number in 0..SESSIONS {
            let key = key(wave * SESSIONS + number);
            let owner = owned.then(|| Owner::new(format!("owner {number}")).unwrap());
            let record = record(&clock, owner);
            let created = block_on(store.set(&key, record, Expect::Absent)).unwrap();
            assert_eq!(created, SetOutcome::Stored(1));
        }
        let bytes = (HEAP.current_usage() - empty) as u64 / SESSIONS;
        // With its data, which takes 24 bytes here; an owner has a place in the index besides.
        let most = if owned { 500 } else { 280 };
        assert!(bytes < most, "wave {wave}: {bytes} bytes a session");

        if owned {
            let renewal = store.renewal().unwrap();
            let ends_at = clock.now().plus(Duration::from_secs(60));
            for number in 0..SESSIONS / 10 {
                let (from, to) = (key(wave * SESSIONS + number), key(u64::MAX - number));
                let times = record(&clock, None).times;
                let _ = block_on(renewal.renew(&from, &to, times, ends_at)).unwrap();
            }
        }
        clock.advance(Duration::from_secs(60));
        let purged = block_on(store.enumerate().unwrap().purge_expired()).unwrap();
        assert_eq!(purged, SESSIONS);
        let left = HEAP.current_usage().saturating_sub(empty);
        assert!(left < 200_000, "wave {wave}: {left} bytes are left");
    }
}

/// Ends after half a minute.
fn record(clock: &ManualClock, owner: Option<Owner>) -> Record<u64> {
    let mut times = Times::starting(clock.now());
    times.ends_at = Some(clock.now().plus(Duration::from_secs(30)));
    let mut record = Record::new(Arc::new(7), times);
    record.owner = owner;
    record
}

/// Evenly distributed, as the engine's keys are (SplitMix64).
fn key(number: u64) -> SessionKey {
    let mut bytes = [0; 32];
    let mut state = number;
    for word in bytes.chunks_exact_mut(8) {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word.copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes());
    }
    SessionKey::from_bytes(bytes)
}
