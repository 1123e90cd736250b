use super::*;

#[test]
fn law_9_a_listing_misses_nothing_that_moves() {
    explore(|| {
        let it = Fixture::new();
        let _ = it.set(1, Some("ada"), Expect::Absent);
        let _ = it.set(4, Some("ada"), Expect::Absent);
        let mover = it.spawn(|it| {
            assert!(it.rotate(1, 2));
            assert!(it.renew(2, 3));
        });
        let toucher = it.spawn(|it| assert!(it.touch(4)));
        assert_eq!(it.listed("ada").len(), 2);
        mover.join().unwrap();
        toucher.join().unwrap();
        it.is_in_order();
    });
}

#[test]
fn law_9_signing_out_ends_what_moves_and_what_is_written() {
    explore(|| {
        let it = Fixture::new();
        let _ = it.set(1, Some("ada"), Expect::Absent);
        let _ = it.set(4, Some("ada"), Expect::Absent);
        let mover = it.spawn(|it| it.rotate(1, 2) && it.rotate(2, 3));
        let writer = it.spawn(|it| it.set(4, Some("ada"), Expect::Present));
        assert_eq!(it.sign_out("ada"), 2);
        mover.join().unwrap();
        let _ = writer.join().unwrap();
        assert!((1..=4).all(|number| !it.is_live(number)));
        it.is_in_order();
    });
}

#[test]
fn law_9_a_session_changes_hands_while_both_sign_out() {
    explore(|| {
        let it = Fixture::new();
        let _ = it.set(1, Some("ada"), Expect::Absent);
        let writer = it.spawn(|it| it.set(1, Some("bob"), Expect::Present));
        let other = it.spawn(|it| it.sign_out("bob"));
        let ended = it.sign_out("ada");
        let written = writer.join().unwrap() == SetOutcome::Stored(2);
        let ended = ended + other.join().unwrap();
        assert!(ended <= 1);
        assert!(ended == 1 || written, "ada's session was missed");
        assert_eq!(it.is_live(1), ended == 0);
        it.is_in_order();
    });
}

#[test]
fn clearing_while_sessions_begin_and_move() {
    explore(|| {
        let it = Fixture::new();
        let _ = it.set(1, Some("ada"), Expect::Absent);
        let creator = it.spawn(|it| it.set(2, Some("bob"), Expect::Absent));
        let mover = it.spawn(|it| it.renew(1, 4));
        block_on(it.enumerate().clear()).unwrap();
        let _ = creator.join().unwrap();
        mover.join().unwrap();
        assert!(!it.is_live(1) && !it.is_live(4));
        it.is_in_order();
    });
}
