//! MySQL and MariaDB.

mod row;
mod settings;
mod sql;

use std::sync::Arc;

use futures_core::future::BoxFuture;
use sqlx::error::DatabaseError;
use sqlx::mysql::{
    MySqlArguments, MySqlConnection, MySqlDatabaseError, MySqlQueryResult, MySqlRow,
};
use sqlx::{AssertSqlSafe, MySql, Row};

use super::open_gate::OpenGate;
use super::silent::Silent;
use super::{Answer, Dialect, Engine, Placeholders, Trouble, UnsafeSetting, run_with_sqlx};
use crate::codec::Payload;
use crate::error::DbError;
use crate::schema::Schema;
use crate::session::DbStoreSession;
use crate::statement::Value;
use crate::statements::Dialectal;

type Query<'q> = sqlx::query::Query<'q, MySql, MySqlArguments>;

/// What an insert answers where a live row is.
const EXISTS: u64 = 2;

impl Dialect for MySql {}

impl Engine for MySql {
    const PLACEHOLDERS: Placeholders = Placeholders::Positional;
    const DIALECTAL: &'static Dialectal = &sql::DIALECTAL;
    const CLOSE_UNFIT: bool = true;
    // For the next transaction only. At this level each statement sees what others have committed by then. Above it,
    // MariaDB with snapshot isolation refuses what changed since the transaction began to wait for its lock.
    const BEFORE_BEGIN: Option<&'static str> =
        Some("SET TRANSACTION ISOLATION LEVEL READ COMMITTED");
    const BEGIN: &'static str = "START TRANSACTION";
    const BEGIN_AGAIN: Option<&'static str> = None;
    type Gate = OpenGate;
    type Announcer = Silent;

    fn run<'a>(
        connection: &'a mut MySqlConnection,
        sql: Arc<str>,
        values: Vec<&Value>,
    ) -> BoxFuture<'a, Result<Answer<Self>, sqlx::Error>> {
        let payload = |query: Query<'static>, payload: &Payload| query.bind(payload.as_bytes());
        run_with_sqlx!(
            connection,
            sql,
            values,
            |result: &MySqlQueryResult| result.last_insert_id(),
            payload,
            false
        )
    }

    fn unsafe_setting(
        connection: &mut MySqlConnection,
    ) -> BoxFuture<'_, Result<Option<UnsafeSetting>, sqlx::Error>> {
        Box::pin(settings::unsafe_one(connection))
    }

    fn set_up<'a>(
        connection: &'a mut MySqlConnection,
        schema: &'a Schema,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            // Each is one step on this server, which has no transactions for tables. Whoever stops in between
            // leaves no version behind, and the next one goes on.
            for statement in schema.statements() {
                sqlx::raw_sql(AssertSqlSafe(statement.as_str()))
                    .execute(&mut *connection)
                    .await?;
            }
            Ok(())
        })
    }

    fn stored(row: &MySqlRow) -> Result<DbStoreSession, DbError> {
        row::stored(row)
    }

    // Unchecked, because a column that is compared by bytes counts as binary, text or not.
    fn int(row: &MySqlRow, at: usize) -> Result<Option<i64>, sqlx::Error> {
        row.try_get_unchecked(at)
    }

    fn bytes(row: &MySqlRow, at: usize) -> Result<Option<Vec<u8>>, sqlx::Error> {
        row.try_get_unchecked(at)
    }

    fn text(row: &MySqlRow, at: usize) -> Result<Option<String>, sqlx::Error> {
        row.try_get_unchecked(at)
    }

    fn trouble(error: &dyn DatabaseError) -> Trouble {
        let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() else {
            return Trouble::Other;
        };
        match error.number() {
            1022 | 1062 | 1586 => Trouble::Taken,
            // A deadlock undoes the statement. (A lock wait that takes too long, 1205, does too.)
            1205 | 1213 | 1020 => Trouble::Undone,
            // The table was altered since the transaction began, or again and again while the statement was prepared.
            // The members of a replication group did not agree.
            1412 | 1615 | 3101 => Trouble::Undone,
            // Too many connections, all of them or this user's; too many prepared statements; out of resources;
            // statement killed.
            1040 | 1041 | 1203 | 1226 | 1317 | 1461 | 1637 => Trouble::Busy,
            1028 | 1969 | 3024 => Trouble::TimedOut,
            // Read-only, by option or by super option.
            1036 | 1290 | 1792 | 1836 => Trouble::ReadOnly,
            // Disk full, file errors, crashed tables.
            3 | 5 | 28 | 1021 | 1030 | 1037 | 1114 | 1194 | 1195 => Trouble::Storage,
            1146 => Trouble::Missing,
            // Shutting down, connection lost or killed, access denied just now, no such database.
            1044 | 1045 | 1049 | 1053 | 1077 | 1079 | 1080 | 1152 | 1158..=1161 | 1184 | 1927 => {
                Trouble::Unreachable
            }
            // A prepared statement that is not there: a proxy sent us to another server. Offline; ended for being idle;
            // a replication group that takes nothing just now.
            1243 | 3032 | 3100 | 4031 => Trouble::Unreachable,
            _ => match error.code() {
                Some("40001") => Trouble::Undone,
                Some("08S01" | "08004") => Trouble::Unreachable,
                // Some of these quote values under the general state.
                Some(state) if state.starts_with("22") || state.starts_with("23") => Trouble::Value,
                _ if matches!(error.number(), 1264..=1267 | 1292 | 1366 | 1525 | 1300) => {
                    Trouble::Value
                }
                _ => Trouble::Other,
            },
        }
    }

    fn written_version(answer: &Answer<Self>) -> Option<i64> {
        let version = || i64::try_from(answer.noted).ok();
        (answer.affected > 0).then(version).flatten()
    }

    fn inserted(answer: &Answer<Self>) -> bool {
        answer.noted != EXISTS
    }

    fn destroyed_live(answer: &Answer<Self>) -> bool {
        answer.affected > 0
    }
}
