//! How many places are taken: what ends or is written over gives its own back, whatever else happens in that step.

use super::*;

impl Fixture {
    #[track_caller]
    fn expect_held(&self, count: usize) {
        let held = format!("held: {count},");
        assert!(self.held().contains(&held), "{held} {}", self.held());
    }

    /// Two sessions, the first of which is over.
    fn with_one_over() -> Self {
        let it = Self::new(|builder| builder.max_sessions(2));
        it.create(1, Some(10), None);
        it.create(2, Some(1_000), None);
        it.clock.advance(Duration::from_secs(10));
        it.expect_held(2);
        it
    }
}

#[test]
fn a_session_that_moves_onto_one_that_is_over_leaves_one() {
    let it = Fixture::with_one_over();
    let times = record(2, Some(1_000), None).times;
    let moved = block_on(it.store.rotate(&key(2), &key(1), times)).unwrap();
    assert!(matches!(moved, RotateOutcome::Moved { .. }));
    it.expect_held(1);
    it.create(3, Some(1_000), None);
    assert_eq!(
        it.try_create(4, Some(1_000), None),
        Err(StoreErrorKind::Full)
    );
}

#[test]
fn a_session_that_replaces_another_over_one_that_is_over_leaves_one() {
    let it = Fixture::with_one_over();
    let fresh = record(7, Some(1_000), None);
    let replaced = block_on(it.store.replace(&key(2), &key(1), fresh)).unwrap();
    assert_eq!(replaced, SetOutcome::Stored(1));
    it.expect_held(1);
}

/// It may have been reserved for nothing: what was gone when it was asked for is there again.
#[test]
fn a_place_that_was_reserved_and_those_given_up_make_one() {
    let it = Fixture::with_one_over();
    let inner = it.store.inner();
    inner.release(2);
    for given_up in 0..3 {
        let before = given_up;
        let held: Vec<_> = (0..before).map(|_| inner.reserve().unwrap()).collect();
        held.into_iter().for_each(|place| place.keep());
        let reserved = (before < 2).then(|| inner.reserve().unwrap());
        inner.settle(reserved, given_up);
        it.expect_held(1);
        inner.release(1);
    }
}
