//! [Cloakroom](https://docs.rs/cloakroom) sessions in a SQL database: SQLite, PostgreSQL, MySQL and MariaDB.
//!
//! [`DbStore`] keeps the whole [store contract](cloakroom_store): compare-and-set in the statement itself, one
//! statement for each operation of a request, and `Unavailable`, never "not signed in", when the database is in trouble.
//!
#![cfg_attr(feature = "sqlite", doc = "```")]
#![cfg_attr(not(feature = "sqlite"), doc = "```ignore")]
//! use cloakroom_sqlx::{SqliteFile, SqliteStore};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("sessions.db");
//! // All defaults ...
//! let store = SqliteStore::<Vec<String>>::open(&path).await?;
//!
//! // ... or with a pool that you already have.
//! let pool = SqliteFile::new(&path).open().await?;
//! let store = SqliteStore::<Vec<String>>::create(pool).await?;
//! # Ok(())
//! # }
//! ```
//!
//! | feature | what it adds |
//! |---|---|
//! | `sqlite` (default) | `SqliteStore`, with SQLite built in: [guide](guide::sqlite) |
//! | `postgres` | `PostgresStore`: [guide](guide::postgres) |
//! | `mysql` | `MySqlStore`, for MySQL 8 and MariaDB: [guide](guide::mysql) |
//! | `messagepack` | `Codec::MessagePack` beside JSON |
//!
//! TLS to a database server is switched on with the features of `sqlx` itself, `tls-rustls` for example.
//!
//! Everything runs on tokio. Outside of a runtime, operations answer an error; a runtime without its timer
//! (`enable_time`) panics.

// Without an engine there is nothing to use.
#![cfg_attr(
    not(any(feature = "sqlite", feature = "postgres", feature = "mysql")),
    allow(dead_code, unused_imports, unused_macros)
)]

mod builder;
mod codec;
mod connections;
mod dialect;
mod enumerate;
mod error;
#[cfg(all(any(test, fuzzing), feature = "messagepack"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod guide;
mod io;
mod limits;
mod lingering;
mod operations;
mod purge;
mod renewal;
mod schema;
mod session;
mod statement;
mod statements;
mod store;
mod table_name;

pub use builder::DbStoreBuilder;
pub use codec::Codec;
pub use dialect::Dialect;
#[cfg(feature = "sqlite")]
pub use dialect::{Durability, SqliteFile};
pub use error::{DbError, DbErrorKind};
pub use schema::SCHEMA_VERSION;
pub use session::DbStoreSession;
pub use store::DbStore;
pub use table_name::{InvalidTableName, TableName};

/// Sessions in PostgreSQL. See the [guide](guide::postgres).
#[cfg(feature = "postgres")]
pub type PostgresStore<T> = DbStore<T, sqlx::Postgres>;

/// Sessions in MySQL 8 or MariaDB. See the [guide](guide::mysql).
#[cfg(feature = "mysql")]
pub type MySqlStore<T> = DbStore<T, sqlx::MySql>;

/// Sessions in SQLite. See the [guide](guide::sqlite).
#[cfg(feature = "sqlite")]
pub type SqliteStore<T> = DbStore<T, sqlx::Sqlite>;
