//! What the tests share.
#![allow(dead_code, reason = "each test uses some of it")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cloakroom_rusqlite::SqliteStore;
use cloakroom_store::{
    Clock, Expect, Owner, Record, SessionKey, SetOutcome, Store, StoreError, StoreErrorKind,
    SystemClock, Times,
};

/// A directory with a place for a database in it.
pub(crate) struct Place {
    _directory: tempfile::TempDir,
    pub(crate) path: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sessions.db");
        Self {
            _directory: directory,
            path,
        }
    }

    pub(crate) fn beside(&self, suffix: &str) -> PathBuf {
        PathBuf::from(format!("{}{suffix}", self.path.display()))
    }

    pub(crate) fn delete_all(&self) {
        for suffix in ["", "-wal", "-shm"] {
            std::fs::remove_file(self.beside(suffix)).unwrap();
        }
    }

    pub(crate) async fn store(&self) -> SqliteStore<u32> {
        SqliteStore::open(&self.path).await.unwrap()
    }

    /// As an administrator would.
    pub(crate) fn connection(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(&self.path).unwrap()
    }

    pub(crate) fn execute(&self, sql: &str) {
        self.connection().execute_batch(sql).unwrap();
    }
}

pub(crate) fn key(number: u32) -> SessionKey {
    let mut bytes = [7; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    SessionKey::from_bytes(bytes)
}

/// A record that never ends by itself.
pub(crate) fn record<T>(data: T) -> Record<T> {
    Record::new(Arc::new(data), Times::starting(SystemClock.now()))
}

pub(crate) fn owned<T>(data: T, owner: &str) -> Record<T> {
    let mut record = record(data);
    record.owner = Some(Owner::new(owner).unwrap());
    record
}

/// One that ends in so many seconds of that clock.
pub(crate) fn ending<T>(data: T, clock: &impl Clock, seconds: u64) -> Record<T> {
    let mut record = Record::new(Arc::new(data), Times::starting(clock.now()));
    record.times.ends_at = Some(clock.now().plus(Duration::from_secs(seconds)));
    record
}

pub(crate) async fn add(store: &SqliteStore<u32>, number: u32) {
    let outcome = store
        .set(&key(number), record(number), Expect::Absent)
        .await;
    assert_eq!(outcome.unwrap(), SetOutcome::Stored(1));
}

pub(crate) async fn found(store: &SqliteStore<u32>, number: u32) -> Option<u32> {
    let record = store.get(&key(number)).await.unwrap();
    record.map(|record| *record.data)
}

pub(crate) fn assert_unavailable<R: std::fmt::Debug>(result: Result<R, StoreError>) {
    assert_eq!(result.unwrap_err().kind(), StoreErrorKind::Unavailable);
}
