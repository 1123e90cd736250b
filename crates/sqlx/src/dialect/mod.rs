//! What a store asks of an engine, and the engines: rooms of the same shape, side by side.

#[cfg(feature = "mysql")]
mod mysql;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod open_gate;

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(any(feature = "sqlite", feature = "mysql"))]
mod silent;
#[cfg(feature = "sqlite")]
mod sqlite;

#[cfg(feature = "sqlite")]
pub use sqlite::Durability;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteFile;

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use cloakroom_store::Announcements;
use futures_core::future::BoxFuture;
use sqlx::error::DatabaseError;
use sqlx::{Database, Pool};

use crate::TableName;
use crate::error::DbError;
use crate::schema::Schema;
use crate::session::DbStoreSession;
use crate::statement::Value;
use crate::statements::Dialectal;

/// A database that sessions can be kept in: `sqlx::Sqlite`, `sqlx::Postgres` or `sqlx::MySql`, each
/// behind the feature of its name. It cannot be implemented elsewhere.
pub trait Dialect: Engine {}

/// The same, with what only this crate uses. In a private module, so that nobody outside can name it.
pub trait Engine: Database + fmt::Debug {
    /// How parameters are written.
    const PLACEHOLDERS: Placeholders;
    /// The statements that are not the same everywhere.
    const DIALECTAL: &'static Dialectal;
    /// Whether a connection is closed rather than used again whose statement was interrupted, or whose server takes no
    /// writes.
    const CLOSE_UNFIT: bool;
    /// Sent before a transaction begins.
    const BEFORE_BEGIN: Option<&'static str>;
    /// Begins a transaction.
    const BEGIN: &'static str;
    /// Begins one where a failed statement may have ended that which `BEGIN` began, so that there is always one to
    /// roll back.
    const BEGIN_AGAIN: Option<&'static str>;
    /// Who decides whether a statement may be sent now.
    type Gate: Gate<Self>;
    /// Who hears from other processes what ended.
    type Announcer: Announcements + fmt::Debug + 'static;

    /// Sends one statement, prepared once for each connection, and reads its whole answer. An error that
    /// comes after the first row, as when the commit fails, is an error.
    fn run<'a>(
        connection: &'a mut Self::Connection,
        sql: Arc<str>,
        values: Vec<&Value>,
    ) -> BoxFuture<'a, Result<Answer<Self>, sqlx::Error>>;

    /// A setting of the pool's connections with which the laws do not hold, if they have one.
    fn unsafe_setting(
        _: &mut Self::Connection,
    ) -> BoxFuture<'_, Result<Option<UnsafeSetting>, sqlx::Error>> {
        Box::pin(async { Ok(None) })
    }

    /// Makes the tables. Any number of processes may do so at once.
    fn set_up<'a>(
        connection: &'a mut Self::Connection,
        schema: &'a Schema,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>>;

    /// Hears what other processes announce of this table. `None` where the engine has no way to tell them.
    fn announcer(_: &Pool<Self>, _: &TableName) -> Option<Self::Announcer> {
        None
    }

    /// A row of the sessions' table, as `Dialectal::columns` asks for it.
    fn stored(row: &Self::Row) -> Result<DbStoreSession, DbError> {
        DbStoreSession::from_columns::<Self>(row)
    }

    /// A column with a number, or a truth value as one.
    fn int(row: &Self::Row, at: usize) -> Result<Option<i64>, sqlx::Error>;
    /// A column with bytes, or with text that is read as bytes.
    fn bytes(row: &Self::Row, at: usize) -> Result<Option<Vec<u8>>, sqlx::Error>;
    /// A column with text.
    fn text(row: &Self::Row, at: usize) -> Result<Option<String>, sqlx::Error>;

    /// What an error of the engine means.
    fn trouble(error: &dyn DatabaseError) -> Trouble;

    /// The version that a write answered; `None` if it wrote nothing.
    fn written_version(answer: &Answer<Self>) -> Option<i64> {
        first_int(answer)
    }

    /// Whether an insert wrote the row.
    fn inserted(answer: &Answer<Self>) -> bool {
        !answer.rows.is_empty()
    }

    /// How many rows a purge removed, and how many it looked at.
    fn purged(answer: &Answer<Self>) -> (u64, u64) {
        (answer.affected, answer.affected)
    }

    /// Whether a destroy removed a live row.
    fn destroyed_live(answer: &Answer<Self>) -> bool {
        first_int(answer) == Some(1)
    }
}

/// The first column of the first row.
pub(crate) fn first_int<DB: Engine>(answer: &Answer<DB>) -> Option<i64> {
    int_at(answer, 0)
}

/// A column of the first row.
pub(crate) fn int_at<DB: Engine>(answer: &Answer<DB>, at: usize) -> Option<i64> {
    let row = answer.rows.first()?;
    DB::int(row, at).ok().flatten()
}

/// What a statement answered.
#[derive(Debug)]
pub struct Answer<DB: Database> {
    pub(crate) rows: Vec<DB::Row>,
    pub(crate) affected: u64,
    /// MySQL only: what `LAST_INSERT_ID(…)` was given.
    #[cfg_attr(not(feature = "mysql"), allow(dead_code))]
    pub(crate) noted: u64,
}

/// A setting with which no store is made.
#[derive(Clone, Copy, Debug)]
pub struct UnsafeSetting {
    /// As an administrator writes it.
    pub(crate) setting: &'static str,
    /// What would happen with it.
    pub(crate) harm: &'static str,
}

/// How an engine wants parameters written.
#[derive(Clone, Copy, Debug)]
pub enum Placeholders {
    /// This mark and a number; the same number again for the same value.
    #[cfg_attr(not(any(feature = "sqlite", feature = "postgres")), allow(dead_code))]
    Numbered(char),
    /// A question mark each.
    #[cfg_attr(not(feature = "mysql"), allow(dead_code))]
    Positional,
}

/// What an error means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// A unique key is taken.
    Taken,
    /// The statement was undone in favour of another one, as after a deadlock.
    Undone,
    /// Locked, or too many connections.
    Busy,
    /// The server is not there, or is going away.
    Unreachable,
    /// It took too long.
    TimedOut,
    /// No writes.
    ReadOnly,
    /// Disk full or broken.
    Storage,
    /// The table is not there.
    Missing,
    /// A row does not hold what this crate writes.
    MalformedRow,
    /// A value was refused. The message may quote it.
    Value,
    /// Anything else.
    Other,
}

/// Stands between a store and its pool.
pub trait Gate<DB: Engine>: fmt::Debug + Send + Sync + Sized + 'static {
    /// What an operation holds while it is under way.
    type Pass<'a>: Pass + Send
    where
        Self: 'a;

    /// The gate of a pool whose schema is in place.
    fn open<'a>(
        pool: &'a Pool<DB>,
        schema: &'a Arc<Schema>,
    ) -> BoxFuture<'a, Result<Self, DbError>>;

    /// Waits until a statement may be sent.
    fn enter(&self, writes: bool) -> impl Future<Output = Result<Self::Pass<'_>, DbError>> + Send;

    /// Told when the table was not found.
    fn suspect(&self);
}

/// Leave to send one statement.
pub trait Pass {
    /// Asked after the answer: whether that answer counts.
    fn check(&self) -> Result<(), DbError>;

    /// Gives it back. Whether others wait for it, and should get to send theirs before this operation goes on.
    fn give_back(self) -> bool;
}

/// `Engine::run`, word for word the same for each engine, but not to the compiler, which needs to see the
/// concrete types to find how a value is encoded. `$done` says whether nothing can follow a result.
macro_rules! run_with_sqlx {
    ($connection:ident, $sql:ident, $values:ident, $noted:expr, $payload:expr, $done:expr) => {{
        let mut arguments = <Self as sqlx::Database>::Arguments::default();
        let bytes = $values.iter().map(|value| value.size()).sum();
        sqlx::Arguments::reserve(&mut arguments, $values.len(), bytes);
        let mut query = sqlx::query_with(sqlx::AssertSqlSafe($sql), arguments);
        for value in $values {
            query = match value {
                $crate::statement::Value::Int(value) => query.bind(*value),
                $crate::statement::Value::Bytes(value) => query.bind(&**value),
                $crate::statement::Value::Text(value) => query.bind(value.as_deref()),
                $crate::statement::Value::Payload(value) => $payload(query, value),
            };
        }
        Box::pin(async move {
            let mut answer = $crate::dialect::Answer {
                rows: Vec::new(),
                affected: 0,
                noted: 0,
            };
            let mut stream = sqlx::Executor::fetch_many($connection, query);
            // To the very end: an engine commits only after the last row.
            while let Some(step) = std::future::poll_fn(|context| {
                futures_core::Stream::poll_next(stream.as_mut(), context)
            })
            .await
            {
                match step? {
                    sqlx::Either::Left(result) => {
                        answer.affected += result.rows_affected();
                        answer.noted = $noted(&result);
                        if $done {
                            break;
                        }
                    }
                    sqlx::Either::Right(row) => answer.rows.push(row),
                }
            }
            Ok(answer)
        })
    }};
}
pub(crate) use run_with_sqlx;
