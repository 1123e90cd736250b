use super::*;

fn is_stored(outcome: &AdmitOutcome) -> bool {
    matches!(outcome, AdmitOutcome::Stored { .. })
}

#[test]
fn law_14_one_place_is_taken_once() {
    explore(|| {
        let it = Fixture::new();
        let one = limit(1, WhenReached::Refuse);
        let first = it.spawn(move |it| it.admit(None, 1, one));
        let second = it.spawn(move |it| it.admit(None, 2, one));
        let third = it.admit(None, 3, one);
        let outcomes = [first.join().unwrap(), second.join().unwrap(), third];
        assert_eq!(
            outcomes.iter().filter(|outcome| is_stored(outcome)).count(),
            1
        );
        assert_eq!(it.listed("ada").len(), 1);
        it.is_in_order();
    });
}

#[test]
fn law_14_never_more_than_the_limit_are_live() {
    explore(|| {
        let it = Fixture::new();
        let one = limit(1, WhenReached::EndOldest);
        let _ = it.set(1, Some("ada"), Expect::Absent);
        let first = it.spawn(move |it| it.admit(None, 2, one));
        let second = it.spawn(move |it| it.admit(None, 3, one));
        // What was live before and is live after another was: both were live at one moment.
        let [before, then, after] = [1, 2, 1].map(|number| it.is_live(number));
        assert!(!(before && then && after));
        let ended: usize = [first.join().unwrap(), second.join().unwrap()]
            .iter()
            .map(|outcome| match outcome {
                AdmitOutcome::Stored { ended, .. } => ended.len(),
                outcome => panic!("{outcome:?}"),
            })
            .sum();
        assert_eq!(ended, 2);
        assert_eq!(it.listed("ada").len(), 1);
        it.is_in_order();
    });
}

#[test]
fn law_14_admitting_while_sessions_move_and_change_hands() {
    explore(|| {
        let it = Fixture::new();
        let one = limit(1, WhenReached::Refuse);
        let _ = it.set(1, Some("ada"), Expect::Absent);
        let mover = it.spawn(|it| it.rotate(1, 2) && it.renew(2, 3));
        let admitted = it.spawn(move |it| it.admit(None, 4, one));
        assert!(!it.destroy(5));
        assert!(mover.join().unwrap());
        assert_eq!(admitted.join().unwrap(), AdmitOutcome::Refused);

        let leaver = it.spawn(|it| it.set(3, Some("bob"), Expect::Present));
        let admitted = it.admit(None, 4, one);
        let _ = leaver.join().unwrap();
        assert_eq!(it.listed("ada").len(), usize::from(is_stored(&admitted)));
        it.is_in_order();
    });
}

#[test]
fn law_14_admitting_in_a_full_store_while_signing_out() {
    explore(|| {
        let it = Fixture::holding(2);
        let two = limit(2, WhenReached::Refuse);
        let _ = it.set(1, Some("ada"), Expect::Absent);
        let _ = it.set(2, Some("bob"), Expect::Absent);
        let first = it.spawn(move |it| it.admit(Some(1), 3, two));
        let second = it.spawn(move |it| it.admit(Some(1), 4, two));
        it.sign_out("ada");
        assert!(is_stored(&first.join().unwrap()));
        assert!(is_stored(&second.join().unwrap()));
        assert!(!it.is_live(1));
        assert!(it.listed("ada").len() <= 2);
        it.is_in_order();
    });
}
