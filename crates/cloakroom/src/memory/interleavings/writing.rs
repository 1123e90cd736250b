use super::*;

#[test]
fn law_3_of_two_writes_with_one_expectation_one_wins() {
    explore(|| {
        let it = Fixture::new();
        let first = it.spawn(|it| it.set(1, Some("ada"), Expect::Absent));
        let second = it.spawn(|it| it.set(1, Some("bob"), Expect::Absent));
        let outcomes = [first.join().unwrap(), second.join().unwrap()];
        assert!(outcomes.contains(&SetOutcome::Stored(1)));
        assert!(outcomes.contains(&SetOutcome::Exists));
        it.is_in_order();

        let first = it.spawn(|it| it.set(1, Some("bob"), Expect::Version(1)));
        let second = it.spawn(|it| it.set(1, None, Expect::Version(1)));
        let third = it.set(1, Some("ada"), Expect::Present);
        let outcomes = [first.join().unwrap(), second.join().unwrap()];
        let won = outcomes
            .iter()
            .filter(|outcome| **outcome == SetOutcome::Stored(2));
        // The third may have been first; then both had the wrong version.
        let expected = usize::from(third != SetOutcome::Stored(2));
        assert_eq!(won.count(), expected);
        it.is_in_order();
    });
}

#[test]
fn law_4_what_was_destroyed_stays_so() {
    explore(|| {
        let it = Fixture::new();
        let _ = it.set(1, Some("ada"), Expect::Absent);
        let writer = it.spawn(|it| {
            let _ = it.set(1, Some("bob"), Expect::Present);
            it.touch(1);
        });
        let other = it.spawn(|it| it.set(1, None, Expect::Version(1)));
        it.destroy(1);
        assert!(!it.is_live(1));
        assert!(!it.touch(1));
        assert_eq!(it.set(1, None, Expect::Present), SetOutcome::Gone);
        writer.join().unwrap();
        let _ = other.join().unwrap();
        assert!(!it.is_live(1));
        it.is_in_order();
    });
}

#[test]
fn law_3_a_replacement_ends_one_and_begins_one() {
    explore(|| {
        let it = Fixture::new();
        let _ = it.set(1, None, Expect::Absent);
        let first = it.spawn(|it| it.replace(1, 2, Some("ada")));
        let second = it.spawn(|it| it.replace(1, 3, Some("ada")));
        let writer = it.set(1, Some("bob"), Expect::Present);
        assert!(matches!(writer, SetOutcome::Gone | SetOutcome::Stored(2)));
        assert_eq!(first.join().unwrap(), Ok(SetOutcome::Stored(1)));
        assert_eq!(second.join().unwrap(), Ok(SetOutcome::Stored(1)));
        assert!(!it.is_live(1));
        assert_eq!(it.listed("ada").len(), 2);
        it.is_in_order();
    });
}

#[test]
fn a_full_store_stays_within_its_limit() {
    explore(|| {
        let it = Fixture::holding(2);
        let _ = it.set(1, Some("ada"), Expect::Absent);
        let first = it.spawn(|it| it.replace(9, 2, Some("ada")));
        let second = it.spawn(|it| it.replace(8, 3, Some("bob")));
        let third = it.spawn(|it| it.replace(1, 4, Some("bob")));
        let outcomes = [first, second, third].map(|thread| thread.join().unwrap());
        // All places may be taken by sessions that are just about to begin: those cannot be evicted.
        let honest = [Ok(SetOutcome::Stored(1)), Err(StoreErrorKind::Full)];
        assert!(outcomes.iter().all(|outcome| honest.contains(outcome)));
        assert!(outcomes.contains(&Ok(SetOutcome::Stored(1))));
        let live = (1..=4).filter(|number| it.is_live(*number)).count();
        assert!((1..=2).contains(&live), "{live}");
        it.is_in_order();
    });
}
