//! SQLite.

mod file;
mod gate;
mod pool;
mod sql;

pub use pool::{Durability, SqliteFile};

use std::sync::Arc;

use futures_core::future::BoxFuture;
use sqlx::error::DatabaseError;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteQueryResult, SqliteRow};
use sqlx::{AssertSqlSafe, Connection, Row, Sqlite};

use super::silent::Silent;
use super::{Answer, Dialect, Engine, Placeholders, Trouble, run_with_sqlx};
use crate::codec::Payload;
use crate::schema::Schema;
use crate::statement::Value;
use crate::statements::Dialectal;

type Query<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;

impl Dialect for Sqlite {}

impl Engine for Sqlite {
    const PLACEHOLDERS: Placeholders = Placeholders::Numbered('?');
    const DIALECTAL: &'static Dialectal = &sql::DIALECTAL;
    // Closing the only connection of a database in memory would drop the database. Nor is it needed: the
    // connection's thread finishes or gives up the statement by itself, and a file that takes no writes takes none from
    // another connection either.
    const CLOSE_UNFIT: bool = false;
    const BEFORE_BEGIN: Option<&'static str> = None;
    // Takes the write lock at once: of two that read first, neither could go on to write.
    const BEGIN: &'static str = "BEGIN IMMEDIATE";
    // A full disk, for one, rolls back by itself.
    const BEGIN_AGAIN: Option<&'static str> = Some("BEGIN");
    type Gate = gate::FileGate;
    type Announcer = Silent;

    fn run<'a>(
        connection: &'a mut SqliteConnection,
        sql: Arc<str>,
        values: Vec<&Value>,
    ) -> BoxFuture<'a, Result<Answer<Self>, sqlx::Error>> {
        let payload = |query: Query<'static>, payload: &Payload| match payload {
            Payload::Text(text) => query.bind(&**text),
            Payload::Bytes(bytes) => query.bind(&**bytes),
        };
        // The result comes when a statement is done, with its commit. To wait for the end of the stream would be to
        // wait for the connection's thread once more.
        run_with_sqlx!(
            connection,
            sql,
            values,
            |_: &SqliteQueryResult| 0,
            payload,
            true
        )
    }

    fn set_up<'a>(
        connection: &'a mut SqliteConnection,
        schema: &'a Schema,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            // Of many processes one works and the others wait.
            let mut transaction = connection.begin_with(Self::BEGIN).await?;
            for statement in schema.statements() {
                sqlx::raw_sql(AssertSqlSafe(statement.as_str()))
                    .execute(&mut *transaction)
                    .await?;
            }
            transaction.commit().await
        })
    }

    fn int(row: &SqliteRow, at: usize) -> Result<Option<i64>, sqlx::Error> {
        row.try_get(at)
    }

    fn bytes(row: &SqliteRow, at: usize) -> Result<Option<Vec<u8>>, sqlx::Error> {
        row.try_get(at)
    }

    fn text(row: &SqliteRow, at: usize) -> Result<Option<String>, sqlx::Error> {
        row.try_get(at)
    }

    fn trouble(error: &dyn DatabaseError) -> Trouble {
        let code: i32 = error
            .code()
            .and_then(|code| code.parse().ok())
            .unwrap_or_default();
        // The low byte is the primary result code, the rest says more.
        match (code, code & 0xff) {
            (1555 | 2067, _) => Trouble::Taken,
            // SQLITE_BUSY, LOCKED, NOMEM, INTERRUPT, PROTOCOL
            (_, 5 | 6 | 7 | 9 | 15) => Trouble::Busy,
            // SQLITE_READONLY
            (_, 8) => Trouble::ReadOnly,
            // SQLITE_PERM, IOERR, CORRUPT, FULL, CANTOPEN, AUTH, NOTADB
            (_, 3 | 10 | 11 | 13 | 14 | 23 | 26) => Trouble::Storage,
            // SQLITE_TOOBIG, CONSTRAINT, MISMATCH
            (_, 18..=20) => Trouble::Value,
            (_, 1) if error.message().starts_with("no such table") => Trouble::Missing,
            _ => Trouble::Other,
        }
    }
}
