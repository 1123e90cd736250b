//! The memory store keeps the store contract.

use cloakroom::{ManualClock, MemoryStore};
use cloakroom_store::conformance::{Harness, Payload, block_on, run_all};

fn harness() -> Harness<MemoryStore<Payload>> {
    let fresh = |clock: ManualClock| async move { MemoryStore::builder().clock(clock).build() };
    Harness::new(fresh)
        .peer(|store, _| async move { MemoryStore::clone(&store) })
        .touch_keeps_version()
        .rotates_in_one_step()
}

#[test]
fn the_memory_store_keeps_the_laws() {
    let report = block_on(run_all(&harness().racing_on_threads().rounds(200)));
    println!("{report}");
    report.assert_passed();
}
