//! A few seconds on each store, with faults.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::time::Duration;

use cloakroom_proof::{Ids, Plan, StoreKind, run, table};

const SKIP: &str = "CLOAKROOM_TEST_SKIP_SERVERS";
const SEED: u64 = 20_261_123;

/// One after the other: with all at once, each would be too slow to show much.
#[test]
fn every_store_keeps_its_promises_while_everything_is_killed() {
    let program = Path::new(env!("CARGO_BIN_EXE_cloakroom-proof"));
    let no_servers = std::env::var_os(SKIP).is_some_and(|value| value == "1");
    let mut reports = Vec::new();
    for kind in StoreKind::ALL {
        let embedded = matches!(
            kind,
            StoreKind::Memory | StoreKind::Sqlite | StoreKind::Rusqlite
        );
        if no_servers && !embedded {
            eprintln!("SKIPPED ({SKIP}=1): {kind}");
            continue;
        }
        for ids in [Ids::Kept, Ids::Renewed] {
            let plan = Plan::new(SEED, Duration::from_secs(3))
                .clients(6, 4)
                .ids(ids);
            let report = run(kind, program, plan, |_| {}).unwrap();
            for example in report.counterexamples() {
                eprintln!("{example}\n");
            }
            assert!(report.operations() > 50, "{kind}");
            assert!(report.faults() > 0, "{kind}");
            reports.push(report);
        }
    }
    eprintln!("{}", table(&reports));
    assert!(reports.iter().all(cloakroom_proof::Report::is_fine));
}
