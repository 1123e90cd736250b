use super::*;

#[test]
fn law_6_at_every_moment_one_key_is_live() {
    explore(|| {
        let it = Fixture::new();
        let _ = it.set(1, Some("ada"), Expect::Absent);
        let mover = it.spawn(|it| assert!(it.rotate(1, 2)));
        let reader = it.spawn(|it| {
            let new = it.is_live(2);
            assert!(!(new && it.is_live(1)), "both are live");
        });
        if !it.is_live(1) {
            assert!(it.is_live(2), "neither is live");
        }
        mover.join().unwrap();
        reader.join().unwrap();
        it.is_in_order();
    });
}

#[test]
fn law_6_of_two_rotations_one_wins() {
    explore(|| {
        let it = Fixture::new();
        let _ = it.set(1, Some("ada"), Expect::Absent);
        let first = it.spawn(|it| it.rotate(1, 2));
        let second = it.spawn(|it| it.renew(1, 3));
        let (first, second) = (first.join().unwrap(), second.join().unwrap());
        assert!(first != second);
        assert_eq!(
            [it.is_live(1), it.is_live(2), it.is_live(3)],
            [false, first, second]
        );
        assert_eq!(it.follow(1).is_some(), second);
        it.is_in_order();
    });
}

#[test]
fn two_that_swap_keys_do_not_wait_for_each_other() {
    explore(|| {
        let it = Fixture::new();
        let _ = it.set(1, Some("ada"), Expect::Absent);
        let _ = it.set(2, Some("bob"), Expect::Absent);
        let first = it.spawn(|it| it.rotate(1, 2));
        let second = it.spawn(|it| it.replace(2, 1, Some("ada")));
        first.join().unwrap();
        let _ = second.join().unwrap();
        it.is_in_order();
    });
}

#[test]
fn law_15_who_finds_the_old_key_dead_finds_the_trail() {
    explore(|| {
        let it = Fixture::new();
        let _ = it.set(1, Some("ada"), Expect::Absent);
        let renewer = it.spawn(|it| assert!(it.renew(1, 2)));
        let writer = it.spawn(|it| it.set(1, Some("bob"), Expect::Present));
        if !it.is_live(1) {
            let trail = it.follow(1).expect("a trail");
            assert_eq!(trail.to, key(2));
            assert!(it.is_live(2));
        }
        renewer.join().unwrap();
        let written = writer.join().unwrap() == SetOutcome::Stored(2);
        assert_eq!(it.get(2).unwrap().version, if written { 2 } else { 1 });
        it.is_in_order();
    });
}

#[test]
fn law_15_ending_wins_or_finds_the_trail() {
    explore(|| {
        let it = Fixture::new();
        let _ = it.set(1, Some("ada"), Expect::Absent);
        let renewer = it.spawn(|it| it.renew(1, 2));
        let ended = it.destroy(1);
        if !ended {
            let trail = it.follow(1).expect("a trail");
            assert!(block_on(it.store.destroy(&trail.to)).unwrap());
        }
        assert_eq!(renewer.join().unwrap(), !ended);
        assert!(!it.is_live(1) && !it.is_live(2));
        it.is_in_order();
    });
}
