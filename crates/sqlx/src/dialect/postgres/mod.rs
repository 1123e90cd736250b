//! PostgreSQL.

mod announcer;
mod sql;

use std::sync::Arc;

use futures_core::future::BoxFuture;
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgArguments, PgConnection, PgQueryResult, PgRow};
use sqlx::{AssertSqlSafe, Connection, PgPool, Postgres, Row};

use super::open_gate::OpenGate;
use super::{Answer, Dialect, Engine, Placeholders, Trouble, int_at, run_with_sqlx};
use crate::TableName;
use crate::codec::Payload;
use crate::schema::Schema;
use crate::statement::Value;
use crate::statements::Dialectal;

type Query<'q> = sqlx::query::Query<'q, Postgres, PgArguments>;

impl Dialect for Postgres {}

impl Engine for Postgres {
    const PLACEHOLDERS: Placeholders = Placeholders::Numbered('$');
    const DIALECTAL: &'static Dialectal = &sql::DIALECTAL;
    const CLOSE_UNFIT: bool = true;
    const BEFORE_BEGIN: Option<&'static str> = None;
    // Each statement sees what others have committed by then, whatever the default is.
    const BEGIN: &'static str = "BEGIN ISOLATION LEVEL READ COMMITTED";
    const BEGIN_AGAIN: Option<&'static str> = None;
    type Gate = OpenGate;
    type Announcer = announcer::PgAnnouncer;

    fn run<'a>(
        connection: &'a mut PgConnection,
        sql: Arc<str>,
        values: Vec<&Value>,
    ) -> BoxFuture<'a, Result<Answer<Self>, sqlx::Error>> {
        let payload = |query: Query<'static>, payload: &Payload| query.bind(payload.as_bytes());
        // The transaction of a statement is committed after its result.
        run_with_sqlx!(
            connection,
            sql,
            values,
            |_: &PgQueryResult| 0,
            payload,
            false
        )
    }

    fn set_up<'a>(
        connection: &'a mut PgConnection,
        schema: &'a Schema,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            let mut transaction = connection.begin_with(Self::BEGIN).await?;
            // `IF NOT EXISTS` alone fails when two look at the same moment. This lock ends with the
            // transaction, so it works behind a pooling proxy too.
            let lock = format!("cloakroom schema of {}", schema.table());
            sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
                .bind(lock)
                .execute(&mut *transaction)
                .await?;
            for statement in schema.statements() {
                sqlx::raw_sql(AssertSqlSafe(statement.as_str()))
                    .execute(&mut *transaction)
                    .await?;
            }
            transaction.commit().await
        })
    }

    fn announcer(pool: &PgPool, table: &TableName) -> Option<Self::Announcer> {
        Some(announcer::PgAnnouncer::new(pool, table))
    }

    fn int(row: &PgRow, at: usize) -> Result<Option<i64>, sqlx::Error> {
        row.try_get(at)
    }

    fn bytes(row: &PgRow, at: usize) -> Result<Option<Vec<u8>>, sqlx::Error> {
        row.try_get(at)
    }

    fn text(row: &PgRow, at: usize) -> Result<Option<String>, sqlx::Error> {
        row.try_get(at)
    }

    fn purged(answer: &Answer<Self>) -> (u64, u64) {
        let count = |at| int_at(answer, at).and_then(|count| u64::try_from(count).ok());
        (count(0).unwrap_or_default(), count(1).unwrap_or_default())
    }

    fn trouble(error: &dyn DatabaseError) -> Trouble {
        let code = error.code().unwrap_or_default();
        match &*code {
            "23505" => Trouble::Taken,
            // Serialization failure, deadlock: the statement was undone.
            "40001" | "40P01" => Trouble::Undone,
            "25006" => Trouble::ReadOnly,
            "42P01" => Trouble::Missing,
            // Cancelled; a transaction that took too long.
            "57014" | "25P04" => Trouble::TimedOut,
            // A prepared statement that is not there: a proxy sent us to another server. A connection that the server
            // ended because it waited for our next statement: this process, or the network, stood still.
            "26000" | "25P03" => Trouble::Unreachable,
            // A lock not to be had, an object in use.
            "55P03" | "55006" | "53300" => Trouble::Busy,
            // Disk full, out of memory, I/O error, corrupted.
            code if code.starts_with("53") || code.starts_with("58") || code.starts_with("XX") => {
                Trouble::Storage
            }
            // Connection trouble; shut down by an administrator; wrong password or database just now.
            code if code.starts_with("08") || code.starts_with("57") || code.starts_with("28") => {
                Trouble::Unreachable
            }
            code if code.starts_with("22") || code.starts_with("23") => Trouble::Value,
            _ => Trouble::Other,
        }
    }
}
