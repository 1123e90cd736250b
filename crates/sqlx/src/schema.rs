//! The tables, and the version of their shape, so that a later release can bring them up to date.

use crate::TableName;
use crate::dialect::{Engine, first_int};
use crate::error::{DbError, DbErrorKind, Failure};
use crate::statement::Statement;
use crate::statements::fill;

/// The version of the schema that this release makes and understands. It is kept in the table
/// `<table>_schema`.
pub const SCHEMA_VERSION: u32 = 1;

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
                .map(|statement| fill(statement, sql, table).replace("{schema_version}", &number))
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

/// Makes the tables if they are missing, and refuses those of a later release. Where they are there already
/// it only reads, so the application's own database user needs no right to make tables.
pub(crate) async fn ensure<DB: Engine>(
    connection: &mut DB::Connection,
    schema: &Schema,
) -> Result<(), DbError> {
    if found::<DB>(connection, schema).await?.is_none() {
        DB::set_up(connection, schema)
            .await
            .map_err(|error| Failure::of::<DB>(error).into_error())?;
    }
    match found::<DB>(connection, schema).await? {
        Some(version) if version == i64::from(SCHEMA_VERSION) => Ok(()),
        Some(version) if version > i64::from(SCHEMA_VERSION) => Err(newer(schema, version)),
        _ => Err(DbError::new(
            DbErrorKind::Other,
            format!("the table {}_schema holds no version", schema.table),
        )),
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
