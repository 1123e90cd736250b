use std::panic::{AssertUnwindSafe, catch_unwind};

use cloakroom_store::conformance::{Harness, Report, block_on, run_all};

use crate::bent::{Bent, Flaw};
use crate::correct::offering_all;
use crate::flaws::*;
use crate::shelf::Shelf;

fn report_on<F: Flaw + Default>() -> Report {
    let mut harness: Harness<Bent<F>> = offering_all(
        |shelf| Bent {
            flaw: F::default(),
            shelf,
        },
        |bent| &bent.shelf,
    );
    // Long enough for anything but a store that waits forever.
    let (begin, end) = (
        |bent: std::sync::Arc<Bent<F>>| async move { bent.shelf.set_down(true) },
        |bent: std::sync::Arc<Bent<F>>| async move { bent.shelf.set_down(false) },
    );
    harness = harness.outage(begin, end, std::time::Duration::from_millis(500));
    block_on(run_all(&harness))
}

/// Each flaw with the law that must catch it, and what the suite was trying then; other laws may catch it too.
macro_rules! caught {
    ($($test:ident: $flaw:ty => $law:literal $scene:literal;)*) => {$(
        #[test]
        fn $test() {
            let report = report_on::<$flaw>();
            assert!(!report.is_passed());
            assert_caught(&report, $law, $scene);
        }
    )*};
}

fn assert_caught(report: &Report, law: u8, scene: &str) {
    let violation = report
        .violations()
        .find(|violation| violation.law().number() == law);
    let violation = violation.unwrap_or_else(|| panic!("law {law} caught nothing\n{report}"));
    assert!(violation.scene().contains(scene), "{violation}");
}

caught! {
    upsert: Upsert => 4 "whose session was destroyed";
    upsert_ignores_expectations: Upsert => 3 "each expectation";
    check_then_act: CheckThenAct => 3 "many create";
    asks_why_later: AsksWhyLater => 3 "just making";
    present_then_upsert: PresentThenUpsert => 4 "destroyed while others write";
    stale_cache: StaleCache => 1 "turn about";
    rotate_by_copy_then_delete: CopyThenDelete => 6 "cut off";
    rotate_that_loses_updates: RotateLosesUpdates => 5 "rotated while another client counts";
    touch_that_creates: TouchCreates => 5 "what is not there";
    touch_that_writes_back: TouchWritesBack => 5 "touched while another client counts";
    local_time: LocalTime => 13 "a session of 60s";
    thirty_two_bits: ThirtyTwoBits => 13 "2038";
    none_for_trouble: NoneForTrouble => 10 "cannot answer";
    waits_forever: WaitsForever => 10 "cannot answer";
    forgets_end: ForgetsEnd => 1 "each field";
    forgets_idle_timeout: ForgetsIdle => 1 "each field";
    forgets_owner: ForgetsOwner => 1 "each field";
    forgets_client: ForgetsClient => 1 "each field";
    forgets_browser_session: ForgetsBrowserSession => 1 "each field";
    forgets_sign_in: ForgetsSignIn => 1 "each field";
    cuts_at_64_kib: CutsAt64Kib => 1 "large payloads";
    cuts_strings_at_nul: CutsStringsAtNul => 1 "large payloads";
    keeps_seconds: KeepsSeconds => 13 "a session of 60s";
    folds_keys: FoldsKeys => 1 "keys that only";
    folds_owners: FoldsOwners => 9 "owners that only";
    index_misses_live: IndexMisses => 9 "each sort of write";
    index_keeps_dead: IndexKeepsDead => 9 "each sort of write";
    signs_out_slowly: SignsOutSlowly => 9 "while the sessions are written";
    spares_the_first: SparesTheFirst => 9 "destroy an owner's sessions";
    purges_refreshed: PurgesRefreshed => 8 "purge after sessions were refreshed";
    purges_blindly: PurgesBlindly => 8 "purge";
    limit_after_writing: LimitAfterWriting => 12 "over the limit";
    one_bad_fails_all: OneBadFailsAll => 11 "list and purge";
    expired_is_an_error: ExpiredIsAnError => 2 "last millisecond";
    off_by_one: OffByOne => 2 "last millisecond";
    counts_then_acts: CountThenAct => 14 "64 sign in";
    live_before_counted: LiveBeforeCounted => 14 "counted while many sign in";
    ends_before_refusing: EndsBeforeRefusing => 14 "more sessions than are allowed";
    counts_the_ending: CountsTheEnding => 14 "no room besides";
    counts_the_dead: CountsTheDead => 14 "have expired";
    ends_one_only: EndsOneOnly => 14 "more sessions than are allowed";
    ends_newest: EndsNewest => 14 "again and again";
    limits_nobody: LimitsNobody => 14 "belong to nobody";
    admits_over: AdmitsOver => 14 "a key that is taken";
    trail_comes_late: TrailComesLate => 15 "cut off";
    trail_comes_first: TrailComesFirst => 15 "every operation on the old key";
    old_key_lives_on: OldKeyLivesOn => 15 "in every field";
    renew_that_loses_updates: RenewLosesUpdates => 15 "counts up";
    two_renewals_win: TwoRenewalsWin => 15 "many renew one session";
    trails_forever: TrailsForever => 15 "comes to its end";
    follows_to_the_end: FollowsToTheEnd => 15 "several times";
    trail_has_its_own_time: TrailHasOwnTime => 15 "in every field";
    destroy_takes_the_trail: DestroyTakesTheTrail => 15 "every operation on the old key";
    purges_by_key: PurgesByKey => 15 "under a key that has a trail";
    lists_trails: ListsTrails => 15 "list and count";
}

#[test]
fn a_store_that_forgets_with_the_process() {
    let harness = Harness::new(|clock| async move { Shelf::new(clock) })
        .reopen(|_, clock| async move { Shelf::new(clock) });
    assert_caught(&block_on(run_all(&harness)), 7, "the application is killed");
}

#[test]
fn a_store_whose_removals_are_not_durable() {
    let harness = Harness::new(|clock| async move {
        let shelf = Shelf::new(clock);
        Bent {
            flaw: RemovesLater::default(),
            shelf,
        }
    })
    .reopen(|bent, _| async move {
        bent.flaw.undo(&bent.shelf);
        let shelf = bent.shelf.clone();
        Bent {
            flaw: RemovesLater::default(),
            shelf,
        }
    });
    let report = block_on(run_all(&harness));
    assert_caught(&report, 7, "the application is killed");
    assert_eq!(report.violations().count(), 1, "{report}");
}

#[test]
fn a_store_that_lists_in_two_steps() {
    let harness = Harness::new(|clock| async move {
        Bent {
            flaw: ListsInTwoSteps,
            shelf: Shelf::new(clock),
        }
    });
    let report = block_on(run_all(&harness.rotates_in_one_step()));
    assert_caught(&report, 9, "rotated again and again");
}

#[test]
fn a_racer_that_is_dropped_is_no_pass() {
    let harness = Harness::new(|clock| async move { Shelf::new(clock) }).spawner(drop);
    let run = || block_on(run_all(&harness));
    assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
}

#[test]
fn a_violation_names_the_law_and_shows_the_history() {
    let report = report_on::<PresentThenUpsert>();
    let violation = report
        .violations()
        .find(|violation| violation.law().number() == 4)
        .unwrap();
    let text = violation.to_string();
    assert!(
        text.starts_with("law 4: After `destroy` returned"),
        "{text}"
    );
    assert!(
        text.contains("tried: a session is destroyed while others write it"),
        "{text}"
    );
    assert!(
        text.contains("destroy ") && text.contains("expecting Present -> Stored("),
        "{text}"
    );
    assert_eq!(format!("{violation:?}"), text);
    assert!(violation.history().len() > 3);

    let panic = catch_unwind(AssertUnwindSafe(|| report.assert_passed())).unwrap_err();
    assert!(panic.downcast_ref::<String>().unwrap().contains(&text));
}
