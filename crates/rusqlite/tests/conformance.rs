//! The published conformance suite, whole: with tokio and without any runtime, reading in place and on threads.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cloakroom::{EncryptionKeys, Secret};
use cloakroom_rusqlite::{Reads, SqliteStore, TableName};
use cloakroom_store::conformance::{Harness, Payload, block_on, run_all};
use cloakroom_store::{ManualClock, SessionKey};

/// Above what the suite stores otherwise, below what it tries in order to be refused.
const PAYLOAD_LIMIT: usize = 1024 * 1024;

type Store = SqliteStore<Payload>;

/// As the data lies in the file.
#[derive(Clone, Copy)]
enum Data {
    Plain,
    Encrypted,
}

async fn open(path: PathBuf, data: Data, table: String, clock: ManualClock, reads: Reads) -> Store {
    let store = SqliteStore::builder(path)
        .table(TableName::new(&table).unwrap())
        .clock(clock)
        .reads(reads)
        .timeout(Duration::from_secs(2))
        .payload_limit(PAYLOAD_LIMIT);
    let store = match data {
        Data::Plain => store,
        Data::Encrypted => {
            let secret = Secret::from_bytes(b"the same for all stores of a test").unwrap();
            store.only_encrypted_with(EncryptionKeys::new(&secret))
        }
    };
    store.open().await.unwrap()
}

fn harness(directory: &Path, data: Data, reads: Reads) -> Harness<Store> {
    let path = directory.join("sessions.db");
    let away = path.with_extension("away");
    // The suite works on one store at a time: the table that was made last is the one.
    let tables = Arc::new(Mutex::new(0));
    let table = {
        let tables = Arc::clone(&tables);
        move || format!("sessions_{}", tables.lock().unwrap())
    };
    let again = || {
        let (path, table) = (path.clone(), table.clone());
        move |_: Arc<Store>, clock: ManualClock| open(path.clone(), data, table(), clock, reads)
    };
    let fresh = {
        let (path, table) = (path.clone(), table.clone());
        move |clock: ManualClock| {
            *tables.lock().unwrap() += 1;
            open(path.clone(), data, table(), clock, reads)
        }
    };
    let corrupt = {
        let (path, table) = (path.clone(), table.clone());
        move |_: Arc<Store>, key: SessionKey| {
            let connection = rusqlite::Connection::open(&path).unwrap();
            let sql = format!("UPDATE {} SET data = 'no json' WHERE handle = ?1", table());
            let handle = key.handle().to_string();
            assert_eq!(connection.execute(&sql, [handle]).unwrap(), 1);
            async {}
        }
    };
    let (from, to, back) = (path.clone(), away.clone(), path.clone());
    let begin = move |_| {
        std::fs::rename(&from, &to).unwrap();
        async {}
    };
    let end = move |_| {
        std::fs::rename(&away, &back).unwrap();
        async {}
    };
    Harness::new(fresh)
        .peer(again())
        // There is no server. What happens when the application itself is killed, the test `kill` shows.
        .reopen(again())
        .corrupt(corrupt)
        .outage(begin, end, Duration::from_secs(20))
        .payload_limit(PAYLOAD_LIMIT)
        .touch_keeps_version()
        .rotates_in_one_step()
        .rounds(5)
}

#[tokio::test(flavor = "multi_thread")]
async fn on_tokio() {
    let directory = tempfile::tempdir().unwrap();
    let harness = harness(directory.path(), Data::Plain, Reads::InPlace);
    let harness = harness.spawner(|future| drop(tokio::spawn(future)));
    let report = run_all(&harness).await;
    report.assert_passed();
    assert_eq!(report.not_checked().count(), 0, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn encrypted() {
    let directory = tempfile::tempdir().unwrap();
    let harness = harness(directory.path(), Data::Encrypted, Reads::InPlace);
    let harness = harness.spawner(|future| drop(tokio::spawn(future)));
    let report = run_all(&harness).await;
    report.assert_passed();
    assert_eq!(report.not_checked().count(), 0, "{report}");
}

#[test]
fn without_a_runtime() {
    let directory = tempfile::tempdir().unwrap();
    let harness = harness(directory.path(), Data::Plain, Reads::OnThreads).racing_on_threads();
    let report = block_on(run_all(&harness));
    report.assert_passed();
    assert_eq!(report.not_checked().count(), 0, "{report}");
}
