//! The laws on SQLite: in a file, with one connection and with several, and in memory.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod laws;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use cloakroom_sqlx::SqliteFile;
use laws::Bench;
use sqlx::{AssertSqlSafe, Sqlite, SqlitePool};

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
