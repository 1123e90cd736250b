//! An application that is killed in the middle of its writes loses nothing that was acknowledged.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use cloakroom_rusqlite::SqliteStore;
use cloakroom_store::{Expect, SetOutcome, Store};
use support::{add, key, record};

/// Tells the child process where to write.
const WRITER_PATH: &str = "CLOAKROOM_TEST_WRITER_PATH";

#[tokio::test]
async fn what_was_acknowledged_survives_kill_9() {
    for _ in 0..3 {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sessions.db");
        let acknowledged = write_and_kill(&path);
        assert!(acknowledged.len() >= 50);
        let store = SqliteStore::<u32>::open(&path).await.unwrap();
        for number in &acknowledged {
            let found = store.get(&key(*number)).await.unwrap();
            assert_eq!(
                found.map(|record| *record.data),
                Some(number + 1),
                "{number}"
            );
        }
        add(&store, u32::MAX).await;
    }
}

/// Starts [`writes_until_killed`] as a process of its own and kills it in the middle of its work.
fn write_and_kill(path: &Path) -> Vec<u32> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "writes_until_killed", "--nocapture"])
        .env(WRITER_PATH, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = Vec::new();
    for line in lines {
        let Ok(line) = line else { break };
        let Some(number) = line.strip_prefix("stored ") else {
            continue;
        };
        acknowledged.extend(number.strip_suffix('.').map(|n| n.parse::<u32>().unwrap()));
        if acknowledged.len() == 50 {
            // SIGKILL; what it still said before that is read to the end.
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    acknowledged
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a process that another test starts and kills"]
async fn writes_until_killed() {
    let path = std::env::var(WRITER_PATH).expect("started by the test above");
    let store = SqliteStore::<u32>::open(path).await.unwrap();
    println!();
    let writers = (0..8).map(|writer| {
        let store = store.clone();
        tokio::spawn(async move {
            for number in (0..).map(|n| n * 8 + writer) {
                add(&store, number).await;
                let outcome = store
                    .set(&key(number), record(number + 1), Expect::Version(1))
                    .await;
                assert_eq!(outcome.unwrap(), SetOutcome::Stored(2));
                // Whole lines only: the full stop tells.
                let line = format!("stored {number}.\n");
                std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
}
