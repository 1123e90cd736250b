//! Stores that break a promise each, and what is said of them. The proof would prove nothing if it did not find them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bent;

use std::sync::Arc;
use std::time::Duration;

use bent::{Bend, Bent};
use cloakroom_proof::{Ids, Plan, Report, Verdict, run_here};

/// Looks until something is found, for a few seconds at most on a machine that is busy.
fn find(bend: Bend, wanted: Verdict) -> Report {
    find_with(bend, &[wanted], Ids::Kept, Duration::from_millis(500))
}

fn find_with(bend: Bend, wanted: &[Verdict], ids: Ids, length: Duration) -> Report {
    for seed in 1..=10 {
        let store = Arc::new(Bent::new(bend));
        let plan = Plan::new(seed, length).clients(4, 4).ids(ids);
        let crash = || store.crash();
        let report = run_here(&format!("{bend:?}"), store.clone(), plan, crash).unwrap();
        if wanted.iter().any(|wanted| report.count(*wanted) > 0) {
            for example in report.counterexamples() {
                eprintln!("{example}\n");
            }
            return report;
        }
    }
    panic!("{bend:?} was not found out");
}

/// The example tells of the right trouble, and in words that lead to it.
fn tells(report: &Report, verdict: &str, operations: &[&str]) {
    let found = report.counterexamples().any(|example| {
        let culprit = example.lines().find(|line| line.starts_with("> ["));
        let culprit = culprit.unwrap_or_default();
        example.contains(verdict)
            && example.contains("then it is: ")
            && operations
                .iter()
                .any(|operation| culprit.contains(operation))
    });
    assert!(found, "no example says {verdict} of one of {operations:?}");
    assert!(!report.is_fine());
}

#[test]
fn one_that_keeps_its_promises_is_not_accused() {
    for ids in [Ids::Kept, Ids::Renewed] {
        let store = Arc::new(Bent::new(Bend::Nothing));
        let plan = Plan::new(1, Duration::from_secs(2)).clients(4, 4).ids(ids);
        let report = run_here("nothing bent", store, plan, || {}).unwrap();
        for example in report.counterexamples() {
            eprintln!("{example}");
        }
        assert!(report.is_fine());
        assert!(report.operations() > 50);
        assert_eq!(report.renewals() > 0, ids == Ids::Renewed);
    }
}

#[test]
fn a_renewal_that_leaves_a_copy_behind() {
    let wanted = [Verdict::LostWrite, Verdict::StaleRead, Verdict::BroughtBack];
    let second = Duration::from_secs(1);
    let report = find_with(Bend::RenewalCopies, &wanted, Ids::Renewed, second);
    assert!(!report.is_fine());
}

#[test]
fn a_renewal_after_which_the_old_id_finds_nothing() {
    let wanted = [Verdict::LostWrite, Verdict::StaleRead];
    let second = Duration::from_secs(1);
    let report = find_with(Bend::ForgetsTrails, &wanted, Ids::Renewed, second);
    tells(
        &report,
        "",
        &["load", "save", "update", "overwrite", "rotate"],
    );
}

#[test]
fn an_upsert_brings_the_dead_back() {
    let report = find(Bend::Upsert, Verdict::BroughtBack);
    tells(
        &report,
        "brought back to life",
        &["save", "overwrite", "update", "load", "list"],
    );
}

#[test]
fn checking_and_then_acting_loses_updates() {
    let report = find(Bend::CheckThenAct, Verdict::LostWrite);
    tells(
        &report,
        "an acknowledged write was lost",
        &["save", "update", "load"],
    );
}

#[test]
fn a_write_that_is_acknowledged_and_dropped() {
    let report = find(Bend::DropsWrites, Verdict::LostWrite);
    tells(
        &report,
        "an acknowledged write was lost",
        &["load", "update", "save", "list", "overwrite"],
    );
}

#[test]
fn a_replica_that_lags_behind() {
    let report = find(Bend::LaggingReads, Verdict::StaleRead);
    tells(&report, "a read was stale", &["load", "list"]);
}

#[test]
fn a_rotation_that_leaves_the_old_key_alive() {
    let report = find(Bend::RotateCopies, Verdict::BroughtBack);
    tells(
        &report,
        "brought back to life",
        &["load", "save", "overwrite", "update", "rotate"],
    );
}

#[test]
fn what_was_acknowledged_before_it_was_durable() {
    let report = find(Bend::NotDurable, Verdict::LostWrite);
    tells(&report, "an acknowledged write was lost", &["load"]);
}

#[test]
fn an_outage_that_passes_for_a_logout() {
    let report = find(Bend::TroubleIsNone, Verdict::StaleRead);
    tells(&report, "a read was stale", &["load"]);
}
