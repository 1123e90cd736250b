use std::panic::{AssertUnwindSafe, catch_unwind};

use cloakroom_store::conformance::{Harness, Report, block_on, run_all};

use crate::bent::{Bent, Flaw};
use crate::correct::offering_all;
use crate::flaws::*;

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

/// Each flaw with the law that must catch it; others may as well.
macro_rules! caught {
    ($($test:ident: $flaw:ty => $law:literal;)*) => {$(
        #[test]
        fn $test() {
            let report = report_on::<$flaw>();
            let broken: Vec<u8> = report.violations().map(|violation| violation.law().number()).collect();
            assert!(broken.contains(&$law), "{broken:?}\n{report}");
            assert!(!report.is_passed());
        }
    )*};
}

caught! {
    upsert: Upsert => 4;
    upsert_ignores_expectations: Upsert => 3;
    check_then_act: CheckThenAct => 3;
    present_then_upsert: PresentThenUpsert => 4;
    stale_cache: StaleCache => 1;
    rotate_by_copy_then_delete: CopyThenDelete => 6;
    rotate_that_loses_updates: RotateLosesUpdates => 5;
    touch_that_creates: TouchCreates => 5;
    touch_that_writes_back: TouchWritesBack => 5;
    local_time: LocalTime => 13;
    thirty_two_bits: ThirtyTwoBits => 13;
    none_for_trouble: NoneForTrouble => 10;
    waits_forever: WaitsForever => 10;
    forgets_end: ForgetsEnd => 1;
    forgets_idle_timeout: ForgetsIdle => 1;
    forgets_owner: ForgetsOwner => 1;
    forgets_client: ForgetsClient => 1;
    forgets_browser_session: ForgetsBrowserSession => 1;
    forgets_sign_in: ForgetsSignIn => 1;
    cuts_at_64_kib: CutsAt64Kib => 1;
    cuts_strings_at_nul: CutsStringsAtNul => 1;
    keeps_seconds: KeepsSeconds => 13;
    folds_keys: FoldsKeys => 1;
    folds_owners: FoldsOwners => 9;
    index_misses_live: IndexMisses => 9;
    index_keeps_dead: IndexKeepsDead => 9;
    signs_out_slowly: SignsOutSlowly => 9;
    purges_refreshed: PurgesRefreshed => 8;
    purges_blindly: PurgesBlindly => 8;
    limit_after_writing: LimitAfterWriting => 12;
    one_bad_fails_all: OneBadFailsAll => 11;
    expired_is_an_error: ExpiredIsAnError => 2;
    off_by_one: OffByOne => 2;
    writes_behind: WritesBehind => 7;
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
