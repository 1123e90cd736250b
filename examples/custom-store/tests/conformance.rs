//! The published suite, run on a store that the project does not know.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cloakroom_store::ManualClock;
use cloakroom_store::conformance::{self, Harness, Law, Payload};
use custom_store::DirectoryStore;

type Files = DirectoryStore<Payload>;

#[test]
fn the_store_keeps_the_laws() {
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("custom-store");
    // What an earlier run left.
    let _ = fs::remove_dir_all(&root);

    let count = AtomicU32::new(0);
    let fresh = root.clone();
    let harness = Harness::new(move |clock| {
        let number = count.fetch_add(1, Ordering::Relaxed);
        let directory = fresh.join(number.to_string());
        async move { open(directory, clock) }
    })
    .racing_on_threads()
    .peer(|store, clock| async move { open(store.directory().into(), clock) })
    .reopen(|store, clock| async move { open(store.directory().into(), clock) })
    .corrupt(|store, key| async move {
        let path = store.path(&key);
        let text = fs::read_to_string(&path).expect("the session has a file");
        let head = text.lines().next().expect("a file has two lines");
        fs::write(path, format!("{head}\n{{\"half of a")).expect("it can be written");
    })
    .outage(
        |store| async move {
            fs::rename(store.directory(), away(&store)).expect("it can be moved");
        },
        |store| async move {
            fs::rename(away(&store), store.directory()).expect("it can be moved back");
        },
        Duration::from_secs(30),
    )
    .payload_limit(Files::MAX_BYTES)
    .rounds(5);

    let report = conformance::block_on(conformance::run_all(&harness));
    println!("{report}");
    report.assert_passed();
    // It does not enumerate.
    let unchecked: Vec<u8> = report.not_checked().map(Law::number).collect();
    assert_eq!(unchecked, [8, 9, 14, 15]);
    fs::remove_dir_all(root).expect("it can be removed");
}

fn open(directory: PathBuf, clock: ManualClock) -> Files {
    DirectoryStore::open(directory, clock).expect("the directory can be made")
}

fn away(store: &Files) -> PathBuf {
    store.directory().with_extension("away")
}
