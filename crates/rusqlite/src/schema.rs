//! The tables, and the version of their shape. Both are those of `SqliteStore` in `cloakroom-sqlx`.

use rusqlite::{Connection, TransactionBehavior};

use crate::TableName;
use crate::error::{DbError, DbErrorKind, Failure};
use crate::statements::fill;

/// The version of the schema that this release makes and understands. It is kept in the table
/// `<table>_schema`. Version 1 was never released; `open` refuses it.
pub const SCHEMA_VERSION: u32 = 2;

// `data` is `ANY` so that JSON stays text and MessagePack bytes.
const STATEMENTS: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS {table} (
            session_key BLOB NOT NULL PRIMARY KEY CHECK (length(session_key) = 32),
            handle TEXT NOT NULL,
            version INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            authenticated_at INTEGER,
            renewed_at INTEGER NOT NULL,
            last_seen_at INTEGER NOT NULL,
            ends_at INTEGER,
            idle_timeout_ms INTEGER,
            expires_at INTEGER,
            browser_session INTEGER NOT NULL,
            owner TEXT,
            user_agent TEXT,
            address TEXT,
            codec TEXT NOT NULL,
            data ANY NOT NULL
        ) STRICT",
    "CREATE INDEX IF NOT EXISTS {table}_expiry ON {table} (expires_at) WHERE expires_at IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS {table}_owner ON {table} (owner, created_at) WHERE owner IS NOT NULL",
    "CREATE TABLE IF NOT EXISTS {table}_trails (
            session_key BLOB NOT NULL PRIMARY KEY CHECK (length(session_key) = 32),
            moved_to BLOB NOT NULL CHECK (length(moved_to) = 32),
            moved_at INTEGER NOT NULL,
            ends_at INTEGER NOT NULL
        ) STRICT",
    "CREATE INDEX IF NOT EXISTS {table}_trails_end ON {table}_trails (ends_at)",
    "CREATE TABLE IF NOT EXISTS {table}_schema (
            id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL
        ) STRICT",
    "INSERT OR IGNORE INTO {table}_schema (id, version) VALUES (1, {schema_version})",
];

/// Makes the tables if they are missing, and refuses those of a later release. Where they are there already
/// it only reads.
pub(crate) fn ensure(connection: &mut Connection, table: &TableName) -> Result<(), DbError> {
    if found(connection, table)?.is_none() {
        set_up(connection, table).map_err(DbError::of)?;
    }
    match found(connection, table)? {
        Some(version) if version == i64::from(SCHEMA_VERSION) => Ok(()),
        Some(version) if version > i64::from(SCHEMA_VERSION) => Err(newer(table, version)),
        _ => Err(DbError::new(
            DbErrorKind::Other,
            format!("the table {table}_schema holds no version"),
        )),
    }
}

/// Takes the write lock at once, so that of many processes one works and the others wait.
fn set_up(connection: &mut Connection, table: &TableName) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for statement in STATEMENTS {
        let sql = fill(statement, table).replace("{schema_version}", &SCHEMA_VERSION.to_string());
        transaction.execute_batch(&sql)?;
    }
    transaction.commit()
}

fn found(connection: &Connection, table: &TableName) -> Result<Option<i64>, DbError> {
    let sql = format!("SELECT version FROM {table}_schema WHERE id = 1");
    match connection.query_row(&sql, [], |row| row.get(0)) {
        Ok(version) => Ok(Some(version)),
        Err(rusqlite::Error::QueryReturnedNoRows) => Ok(None),
        Err(error) => match Failure::of(error).into_error() {
            error if error.kind() == DbErrorKind::Missing => Ok(None),
            error => Err(error),
        },
    }
}

fn newer(table: &TableName, version: i64) -> DbError {
    DbError::new(
        DbErrorKind::NewerSchema,
        format!(
            "the table {table} has schema version {version}, made by a later release of Cloakroom; \
             this release knows version {SCHEMA_VERSION}"
        ),
    )
}
