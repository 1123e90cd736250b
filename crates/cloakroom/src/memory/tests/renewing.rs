use super::*;

impl Fixture {
    fn renew(&self, from: u32, to: u32, trail_seconds: u64) {
        let renewal = self.store.renewal().unwrap();
        let times = record(0, Some(1_000), None).times;
        let ends_at = START.plus(Duration::from_secs(trail_seconds));
        let moved = renewal.renew(&key(from), &key(to), times, ends_at);
        let moved = block_on(moved).unwrap();
        assert!(matches!(moved, RotateOutcome::Moved { .. }), "{moved:?}");
    }

    fn follow(&self, from: u32) -> Option<SessionKey> {
        let trail = block_on(self.store.renewal().unwrap().follow(&key(from)));
        trail.unwrap().map(|trail| trail.to)
    }
}

#[test]
fn trails_leave_with_their_time_and_give_their_memory_back() {
    let it = Fixture::new(|builder| builder);
    it.create(0, Some(1_000), Some("ada"));
    let count = many(5_000);
    for number in 0..count {
        it.renew(number, number + 1, 10 + u64::from(number % 7));
    }
    assert_eq!(it.follow(17), Some(key(18)));
    assert_eq!(it.store.trails_held().0, count as usize);
    it.clock.advance(Duration::from_secs(16));
    assert_eq!(it.follow(17), None);
    assert_eq!(it.purge(), 0, "no session was removed");
    let (trails, places) = it.store.trails_held();
    assert!(trails == 0 && places < 256 * 64, "{trails} {places}");
    assert_eq!(it.listed("ada"), [0]);
}

#[test]
#[cfg_attr(miri, ignore = "it takes tens of thousands of trails to fill a store")]
fn a_full_store_keeps_the_trails_that_last_longest() {
    let it = Fixture::new(|builder| builder.max_sessions(1));
    it.create(0, Some(1_000), None);
    for number in 0..50_000 {
        it.renew(number, number + 1, 10 + u64::from(number));
    }
    let (trails, _) = it.store.trails_held();
    assert!(trails <= 256 * 64, "{trails}");
    assert_eq!(it.follow(49_999), Some(key(50_000)));
    assert_eq!(it.follow(0), None);
}

/// As they all do as a rule: for so long after the renewal.
#[test]
#[cfg_attr(miri, ignore = "it takes tens of thousands of trails to fill a store")]
fn a_full_store_keeps_the_newest_of_trails_that_last_equally_long() {
    const DAY: u64 = 86_400;
    let it = Fixture::new(|builder| builder.max_sessions(1));
    it.create(0, Some(1_000), None);
    let renewals = 25_000;
    for number in 0..renewals {
        it.renew(number, number + 1, 7 * DAY);
        assert_eq!(it.follow(number), Some(key(number + 1)), "left just now");
    }
    // The keys go round the shards.
    let kept = it.store.trails_held().0 as u32;
    assert_eq!(kept, 256 * 64);
    for number in 0..renewals {
        let is_kept = number >= renewals - kept;
        assert_eq!(it.follow(number).is_some(), is_kept, "{number}");
    }
}

#[test]
#[cfg_attr(miri, ignore = "it takes tens of thousands of trails to fill a store")]
fn a_trail_that_is_left_in_a_full_store_is_there_though_all_others_last_longer() {
    let it = Fixture::new(|builder| builder.max_sessions(1));
    it.create(0, Some(1_000), None);
    for number in 0..20_000 {
        it.renew(number, number + 1, 1_000);
    }
    let before = it.store.trails_held().0;
    it.renew(20_000, 20_001, 10);
    assert_eq!(it.follow(20_000), Some(key(20_001)));
    assert_eq!(it.store.trails_held().0, before);
}

/// Trails are purged a few under one lock, as sessions are.
#[test]
fn one_purge_takes_all_trails_that_are_over_and_their_memory_with_them() {
    let it = Fixture::new(|builder| builder.max_sessions(1_000_000));
    let shard = key(0).as_bytes()[0];
    let of_one_shard = |number: &u32| key(*number).as_bytes()[0] == shard;
    let numbers: Vec<u32> = (0..).filter(of_one_shard).take(2_001).collect();
    it.create(numbers[0], Some(1_000), None);
    // Each tenth stays, so there are gaps to be closed between them.
    for (at, pair) in numbers.windows(2).enumerate() {
        it.renew(pair[0], pair[1], if at % 10 == 0 { 1_000 } else { 10 });
    }
    let (trails, places) = it.store.trails_held();
    assert_eq!(trails, 2_000);
    it.clock.advance(Duration::from_secs(10));
    it.purge();
    let (trails, left) = it.store.trails_held();
    assert!(
        trails == 200 && left < places / 4,
        "{trails}, {left} of {places}"
    );
}
