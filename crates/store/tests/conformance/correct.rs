use std::time::Duration;

use cloakroom_store::Store;
use cloakroom_store::conformance::{
    Harness, Law, Payload, block_on, law_10_trouble_is_unavailable, run_all,
};

use crate::shelf::{LIMIT, Plain, Shelf};

/// Everything that a harness can offer, for a store around a shelf.
pub(crate) fn offering_all<S: Store<Payload>>(
    wrap: fn(Shelf) -> S,
    shelf: fn(&S) -> &Shelf,
) -> Harness<S> {
    Harness::new(move |clock| async move { wrap(Shelf::new(clock)) })
        .peer(move |store, _| async move { wrap(shelf(&store).clone()) })
        .reopen(move |store, _| async move { wrap(shelf(&store).clone()) })
        .corrupt(move |store, key| async move { shelf(&store).spoil(key) })
        .outage(
            move |store| async move { shelf(&store).set_down(true) },
            move |store| async move { shelf(&store).set_down(false) },
            Duration::from_secs(60),
        )
        .payload_limit(LIMIT)
}

fn own() -> Harness<Shelf> {
    offering_all(|shelf| shelf, |shelf| shelf)
        .touch_keeps_version()
        .rotates_in_one_step()
}

#[test]
fn a_store_with_its_own_methods_passes_in_full() {
    let report = block_on(run_all(&own()));
    report.assert_passed();
    for (law, finding) in report.findings() {
        let coverage = finding.as_ref().unwrap();
        assert!(
            coverage.is_checked() && coverage.left_out().is_empty(),
            "{law}"
        );
    }
    assert!(
        report
            .to_string()
            .ends_with("15 laws passed, 0 broken, 0 not checked")
    );
}

#[test]
fn a_store_with_its_own_methods_passes_on_threads() {
    block_on(run_all(&own().racing_on_threads().rounds(100))).assert_passed();
}

#[test]
fn a_store_with_the_provided_methods_passes() {
    let harness = || offering_all(Plain, |plain| &plain.0);
    for report in [
        block_on(run_all(&harness())),
        block_on(run_all(&harness().racing_on_threads().rounds(100))),
    ] {
        report.assert_passed();
        let unchecked: Vec<u8> = report.not_checked().map(Law::number).collect();
        assert_eq!(unchecked, [8, 9, 14, 15]);
    }
}

#[test]
fn what_the_harness_does_not_offer_is_not_called_passed() {
    let harness = Harness::new(|clock| async move { Plain(Shelf::new(clock)) });
    let report = block_on(run_all(&harness));
    report.assert_passed();
    let unchecked: Vec<u8> = report.not_checked().map(Law::number).collect();
    assert_eq!(unchecked, [7, 8, 9, 10, 11, 12, 14, 15]);
    let text = report.to_string();
    assert!(text.contains("not checked  law 11"), "{text}");
    assert!(
        text.ends_with("7 laws passed, 0 broken, 8 not checked"),
        "{text}"
    );
}

#[test]
fn an_outage_ends_with_service() {
    // A store that never comes back is not well.
    let harness = Harness::new(|clock| async move { Shelf::new(clock) }).outage(
        |shelf| async move { shelf.set_down(true) },
        |_| async {},
        Duration::from_millis(50),
    );
    let violation = block_on(law_10_trouble_is_unavailable(&harness)).unwrap_err();
    assert!(violation.what().contains("no service again"), "{violation}");
}

#[test]
fn the_suite_runs_inside_a_task() {
    fn is_send<V: Send>(value: V) -> V {
        value
    }
    let harness = own();
    block_on(is_send(run_all(&harness))).assert_passed();
}
