//! The laws on SQLite: in a file, with one connection and with several, and in memory.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod laws;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use cloakroom_sqlx::{SqliteFile, SqliteStore};
use cloakroom_store::{
    AdmitOutcome, Clock, Expect, OwnerLimit, OwnerLimits, Record, SessionKey, SetOutcome, Store,
    StoreError, StoreErrorKind, SystemClock, Times, WhenReached,
};
use laws::{Bench, key, owner};
use sqlx::{AssertSqlSafe, Row, Sqlite, SqlitePool};

struct Files {
    directory: tempfile::TempDir,
    made: AtomicU32,
    connections: u32,
}

impl Files {
    fn with_connections(connections: u32) -> Arc<Self> {
        Arc::new(Self {
            directory: tempfile::tempdir().unwrap(),
            made: AtomicU32::new(0),
            connections,
        })
    }
}

impl Bench for Files {
    type Db = Sqlite;

    async fn pool(&self) -> SqlitePool {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let path = self.directory.path().join(format!("{number}.db"));
        let file = SqliteFile::new(path).max_connections(self.connections);
        file.open().await.unwrap()
    }

    async fn execute(pool: &SqlitePool, sql: String) {
        execute(pool, sql).await;
    }
}

struct Memory;

impl Bench for Memory {
    type Db = Sqlite;

    async fn pool(&self) -> SqlitePool {
        SqliteFile::new(":memory:").open().await.unwrap()
    }

    async fn execute(pool: &SqlitePool, sql: String) {
        execute(pool, sql).await;
    }
}

async fn execute(pool: &SqlitePool, sql: String) {
    sqlx::query(AssertSqlSafe(sql)).execute(pool).await.unwrap();
}

#[tokio::test]
async fn a_full_or_read_only_database_is_unavailable() {
    let files = Files::with_connections(1);
    let pool = files.pool().await;
    let store = SqliteStore::<String>::create(pool.clone()).await.unwrap();
    let record = |size| {
        let times = Times::starting(SystemClock.now());
        Record::new(Arc::new("x".repeat(size)), times)
    };
    let (small, large) = (key(1), key(2));
    let outcome = store.set(&small, record(10), Expect::Absent).await.unwrap();
    assert_eq!(outcome, SetOutcome::Stored(1));
    for trouble in ["max_page_count = 1", "query_only = ON"] {
        execute(&pool, format!("PRAGMA {trouble}")).await;
        for (key, expect) in [(large, Expect::Absent), (small, Expect::Present)] {
            let error = store.set(&key, record(100_000), expect).await.unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{trouble}");
        }
        let error = admit(&store, &large, record(100_000)).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{trouble}");
        assert_eq!(store.get(&small).await.unwrap().unwrap().version, 1);
        assert!(store.get(&large).await.unwrap().is_none());
    }
    execute(&pool, "PRAGMA query_only = OFF".to_owned()).await;
    // The connection is in no transaction that was left behind.
    execute(&pool, "PRAGMA max_page_count = 10000".to_owned()).await;
    let stored = admit(&store, &large, record(100_000)).await.unwrap();
    assert!(matches!(stored, AdmitOutcome::Stored { .. }));
    assert!(store.destroy(&small).await.unwrap());
}

async fn admit(
    store: &SqliteStore<String>,
    key: &SessionKey,
    mut record: Record<String>,
) -> Result<AdmitOutcome, StoreError> {
    record.owner = Some(owner("ada"));
    let limit = OwnerLimit::new(NonZeroU32::MIN, WhenReached::EndOldest);
    let limits: &dyn OwnerLimits<String> = store.owner_limits().unwrap();
    limits.admit(None, key, record, limit).await
}

/// The statements that must not scan the table use its indexes.
#[tokio::test]
async fn purge_and_owners_use_indexes() {
    let pool = Memory.pool().await;
    let store = SqliteStore::<String>::create(pool.clone()).await.unwrap();
    for (rest, index) in [
        ("expires_at <= ? ORDER BY expires_at LIMIT ?", "expiry"),
        ("owner = ? ORDER BY created_at, session_key", "owner"),
        (
            "session_key > ? ORDER BY session_key LIMIT ?",
            "sqlite_autoindex",
        ),
    ] {
        let sql = format!("EXPLAIN QUERY PLAN SELECT * FROM cloakroom_sessions WHERE {rest}");
        let rows = sqlx::query(AssertSqlSafe(sql))
            .fetch_all(store.pool())
            .await
            .unwrap();
        let plan: String = rows
            .iter()
            .map(|row| row.get::<String, _>("detail"))
            .collect();
        assert!(plan.contains("SEARCH") && plan.contains(index), "{plan}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_file() {
    laws::all(Files::with_connections(4)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_file_with_one_connection() {
    laws::all(Files::with_connections(1)).await;
}

#[tokio::test]
async fn in_memory() {
    laws::all(Arc::new(Memory)).await;
}

#[tokio::test]
async fn what_could_not_be_read_back_is_not_stored() {
    // JSON writes this number as null, which is no number.
    let pool = SqliteFile::new(":memory:").open().await.unwrap();
    let store = SqliteStore::<f64>::create(pool).await.unwrap();
    let record = |number| Record::new(Arc::new(number), Times::starting(SystemClock.now()));
    let created = store.set(&key(1), record(1.5), Expect::Absent).await;
    assert_eq!(created.unwrap(), SetOutcome::Stored(1));

    let over = store.set(&key(1), record(f64::NAN), Expect::Version(1));
    assert_eq!(over.await.unwrap_err().kind(), StoreErrorKind::Unencodable);
    let sign_in = store.replace(&key(1), &key(2), record(f64::NAN));
    let error = sign_in.await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unencodable);
    let kept = store.get(&key(1)).await.unwrap().unwrap();
    assert_eq!(*kept.data, 1.5);
}
