//! The tables, and the version of their shape, so that a later release can bring them up to date.

use std::time::Duration;

use crate::TableName;
use crate::dialect::{Engine, UnsafeSetting, first_int};
use crate::error::{DbError, DbErrorKind, Failure};
use crate::statement::Statement;
use crate::statements::fill;

/// The version of the schema that this release makes and understands. It is kept in the table
/// `<table>_schema`. Version 1 was never released; `create` refuses it.
pub const SCHEMA_VERSION: u32 = 2;

/// The number of the last row in the table `<table>_locks`, of engines that lock an owner by one of them. They are
/// counted from 0, and there are a power of two.
pub(crate) const LOCKS: u8 = u8::MAX;

/// How often the tables are tried to be made while other instances make them too.
const SET_UP_ATTEMPTS: u64 = 10;

/// The schema of one store, spelled for its engine.
#[derive(Debug)]
pub struct Schema {
    table: TableName,
    version: Statement,
    statements: Vec<String>,
}

impl Schema {
    pub(crate) fn of<DB: Engine>(table: &TableName) -> Self {
        let sql = DB::DIALECTAL;
        let number = SCHEMA_VERSION.to_string();
        let locks: Vec<String> = (0..=LOCKS).map(|id| format!("({id})")).collect();
        let locks = locks.join(", ");
        Self {
            table: table.clone(),
            version: Statement::compile(
                &fill(
                    "SELECT version FROM {table}_schema WHERE id = 1",
                    sql,
                    table,
                ),
                DB::PLACEHOLDERS,
            ),
            statements: sql
                .schema
                .iter()
                .map(|statement| {
                    fill(statement, sql, table)
                        .replace("{schema_version}", &number)
                        .replace("{locks}", &locks)
                })
                .collect(),
        }
    }

    /// What makes the tables, each safe to send when they are there already.
    pub(crate) fn statements(&self) -> &[String] {
        &self.statements
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn table(&self) -> &TableName {
        &self.table
    }
}

/// Makes the tables if they are missing, and refuses those of a later release, and connections with an unsafe setting. Where
/// they are there already it only reads, so the application's own database user needs no right to make tables.
pub(crate) async fn ensure<DB: Engine>(
    connection: &mut DB::Connection,
    schema: &Schema,
) -> Result<(), DbError> {
    let unsafe_setting = DB::unsafe_setting(connection).await;
    if let Some(setting) = unsafe_setting.map_err(|error| Failure::of::<DB>(error).into_error())? {
        return Err(refused(setting));
    }
    if found::<DB>(connection, schema).await?.is_none() {
        set_up::<DB>(connection, schema).await?;
    }
    match found::<DB>(connection, schema).await? {
        Some(version) if version == i64::from(SCHEMA_VERSION) => Ok(()),
        Some(version) if version > i64::from(SCHEMA_VERSION) => Err(newer(schema, version)),
        Some(version) if version > 0 => Err(older(schema, version)),
        _ => Err(DbError::new(
            DbErrorKind::Other,
            format!("the table {}_schema holds no version", schema.table),
        )),
    }
}

/// Other instances may be doing the same at this moment, and an engine may then undo one of them: MariaDB with
/// snapshot isolation does. Each statement is safe to send again.
async fn set_up<DB: Engine>(
    connection: &mut DB::Connection,
    schema: &Schema,
) -> Result<(), DbError> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        let done = DB::set_up(connection, schema).await;
        match done.map_err(|error| Failure::of::<DB>(error).into_error()) {
            Err(error) if error.kind() == DbErrorKind::Busy && attempt < SET_UP_ATTEMPTS => {
                let pause = Duration::from_millis(fastrand::u64(1..=20 * attempt));
                tokio::time::sleep(pause).await;
            }
            done => return done,
        }
    }
}

async fn found<DB: Engine>(
    connection: &mut DB::Connection,
    schema: &Schema,
) -> Result<Option<i64>, DbError> {
    match DB::run(connection, schema.version.sql(), Vec::new()).await {
        Ok(answer) => Ok(first_int(&answer)),
        Err(error) => match Failure::of::<DB>(error).into_error() {
            error if error.kind() == DbErrorKind::Missing => Ok(None),
            error => Err(error),
        },
    }
}

fn refused(UnsafeSetting { setting, harm }: UnsafeSetting) -> DbError {
    DbError::new(
        DbErrorKind::Other,
        format!(
            "the pool's connections have {setting}, with which {harm}; look for it in the server's settings, its \
             init_connect and the pool's after_connect"
        ),
    )
}

fn older(schema: &Schema, version: i64) -> DbError {
    let table = &schema.table;
    DbError::new(
        DbErrorKind::OlderSchema,
        format!(
            "the table {table} has schema version {version}, of a state before the first release; this release \
             knows version {SCHEMA_VERSION}. Choose another table, or drop {table} and {table}_schema, which ends \
             the sessions in it",
        ),
    )
}

fn newer(schema: &Schema, version: i64) -> DbError {
    DbError::new(
        DbErrorKind::NewerSchema,
        format!(
            "the table {} has schema version {version}, made by a later release of cloakroom-sqlx; \
             this release knows version {SCHEMA_VERSION}",
            schema.table
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PostgreSQL cuts off what is longer than 63 bytes, MySQL refuses more than 64.
    fn names_fit<DB: Engine>() {
        let longest = "a".repeat(TableName::MAX_BYTES);
        let schema = Schema::of::<DB>(&TableName::new(&longest).unwrap());
        let mut tables = 0;
        for statement in schema.statements() {
            let part_of_a_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            for name in statement.split(|c| !part_of_a_name(c)) {
                assert!(name.len() <= 63, "{name}");
                tables += u32::from(name == longest);
            }
        }
        assert!(tables > 0);
    }

    #[test]
    fn the_names_beside_the_longest_table_fit() {
        #[cfg(feature = "sqlite")]
        names_fit::<sqlx::Sqlite>();
        #[cfg(feature = "postgres")]
        names_fit::<sqlx::Postgres>();
        #[cfg(feature = "mysql")]
        names_fit::<sqlx::MySql>();
    }
}
