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
