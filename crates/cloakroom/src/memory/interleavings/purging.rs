use super::*;

#[test]
fn law_8_a_purge_leaves_what_was_refreshed() {
    explore(|| {
        let it = Fixture::new();
        let mut idle = record(1, Some("ada"));
        idle.times.ends_at = None;
        idle.times.idle_timeout = Some(Duration::from_secs(10));
        let _ = block_on(it.store.set(&key(1), idle, Expect::Absent)).unwrap();
        it.clock.advance(Duration::from_millis(9_999));
        let purger = it.spawn(|it| {
            it.clock.advance(Duration::from_millis(1));
            it.purge()
        });
        let seen = START.plus(Duration::from_millis(9_999));
        let touched = block_on(it.store.touch(&key(1), seen)).unwrap();
        let purged = purger.join().unwrap();
        assert_eq!(it.is_live(1), touched);
        assert_eq!(purged, u64::from(!touched));
        it.is_in_order();
    });
}

#[test]
fn law_9_a_session_begins_under_a_key_that_is_purged() {
    explore(|| {
        let it = Fixture::new();
        let _ = it.set(1, Some("ada"), Expect::Absent);
        it.clock.advance(Duration::from_secs(10));
        let purger = it.spawn(|it| it.purge());
        let other = it.spawn(|it| it.purge());
        let mut fresh = record(1, Some("ada"));
        fresh.times.ends_at = None;
        let created = block_on(it.store.set(&key(1), fresh, Expect::Absent)).unwrap();
        assert_eq!(created, SetOutcome::Stored(1));
        assert_eq!(it.listed("ada"), [key(1)]);
        let purged = purger.join().unwrap() + other.join().unwrap();
        assert!(purged <= 1);
        assert_eq!(it.listed("ada"), [key(1)]);
        it.is_in_order();
    });
}

#[test]
fn a_trail_is_purged_while_it_is_followed() {
    explore(|| {
        let it = Fixture::new();
        let _ = it.set(1, None, Expect::Absent);
        assert!(it.renew(1, 2));
        it.clock.advance(Duration::from_secs(60));
        let purger = it.spawn(|it| it.purge());
        assert!(it.follow(1).is_none());
        purger.join().unwrap();
        assert_eq!(it.store.trails_held().0, 0);
        it.is_in_order();
    });
}

/// With an end that the purge does not reach.
fn lasting(number: u8, name: Option<&str>) -> Record<u32> {
    let mut fresh = record(number, name);
    fresh.times.ends_at = None;
    fresh
}

#[test]
fn law_9_a_session_moves_to_a_key_that_is_purged() {
    explore(|| {
        let it = Fixture::new();
        let _ = it.set(1, Some("ada"), Expect::Absent);
        let stored = it
            .store
            .set(&key(3), lasting(3, Some("ada")), Expect::Absent);
        let _ = block_on(stored).unwrap();
        it.clock.advance(Duration::from_secs(10));
        let purger = it.spawn(|it| it.purge());
        let times = lasting(3, None).times;
        let _ = block_on(it.store.rotate(&key(3), &key(1), times)).unwrap();
        assert_eq!(it.listed("ada"), [key(1)]);
        purger.join().unwrap();
        it.is_in_order();
    });
}

/// While a session of ada's is purged, one of bob's begins under its key, which the index still names for her.
fn bobs_under_adas_key() -> (Fixture, thread::JoinHandle<u64>) {
    let it = Fixture::new();
    let _ = it.set(1, Some("ada"), Expect::Absent);
    it.clock.advance(Duration::from_secs(10));
    let purger = it.spawn(|it| it.purge());
    let bobs = lasting(1, Some("bob"));
    let stored = block_on(it.store.set(&key(1), bobs, Expect::Absent));
    let _ = stored.unwrap();
    (it, purger)
}

#[test]
fn law_9_another_owners_session_begins_under_a_key_that_is_purged() {
    explore(|| {
        let (it, purger) = bobs_under_adas_key();
        assert_eq!(it.listed("ada"), []);
        assert_eq!(it.sign_out("ada"), 0);
        purger.join().unwrap();
        assert!(it.is_live(1));
        it.is_in_order();
    });
}

#[test]
fn law_14_another_owners_session_under_a_key_that_is_purged_does_not_count() {
    explore(|| {
        let (it, purger) = bobs_under_adas_key();
        let limits = it.store.owner_limits().unwrap();
        let one = limit(1, WhenReached::EndOldest);
        let admitted = limits.admit(None, &key(2), lasting(2, Some("ada")), one);
        let stored = AdmitOutcome::Stored {
            version: 1,
            ended: vec![],
        };
        assert_eq!(block_on(admitted).unwrap(), stored);
        purger.join().unwrap();
        it.is_in_order();
    });
}

/// What another thread is purging at this moment is no longer in the way.
#[test]
fn a_store_that_is_full_of_expired_sessions_takes_a_new_one_and_ends_none() {
    explore(|| {
        let it = Fixture::holding(2);
        let _ = it.set(1, None, Expect::Absent);
        let mut live = record(2, None);
        live.times.ends_at = Some(START.plus(Duration::from_secs(1_000)));
        let _ = block_on(it.store.set(&key(2), live, Expect::Absent)).unwrap();
        it.clock.advance(Duration::from_secs(10));
        let purger = it.spawn(|it| it.purge());
        let stored = it.store.set(&key(5), lasting(5, None), Expect::Absent);
        let _ = block_on(stored).unwrap();
        assert!(it.is_live(2), "an expired one had gone for it");
        purger.join().unwrap();
        it.is_in_order();
    });
}
