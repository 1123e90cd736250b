//! [Cloakroom](https://docs.rs/cloakroom) sessions in an embedded SQLite file, over
//! [rusqlite](https://docs.rs/rusqlite).
//!
//! [`SqliteStore`] keeps the whole [store contract](cloakroom_store). Reading a session takes a few microseconds on the
//! thread that asks; the writes of many requests share one transaction, and each is answered after its commit. It runs on
//! any async runtime, or on none. The [guide] says how, and what the settings risk.
//!
//! ```
//! use cloakroom_rusqlite::{Durability, SqliteStore};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("sessions.db");
//! // All defaults ...
//! let store = SqliteStore::<Vec<String>>::open(&path).await?;
//!
//! // ... or with options.
//! let store = SqliteStore::<Vec<String>>::builder(&path)
//!     .durability(Durability::ProcessCrash)
//!     .open()
//!     .await?;
//! # Ok(())
//! # }
//! ```
//!
//! The file is that of `SqliteStore` in `cloakroom-sqlx`: an application can move from one to the other, and two
//! processes may use it with different ones at the same time.
//!
//! | feature | what it adds |
//! |---|---|
//! | `messagepack` | `Codec::MessagePack` beside JSON |

mod builder;
mod codec;
mod engine;
mod enumerate;
mod error;
pub mod guide;
mod limits;
mod operations;
mod purge;
mod renewal;
mod schema;
mod session;
mod settings;
mod statement;
mod statements;
mod store;
mod table_name;

pub use builder::SqliteStoreBuilder;
pub use codec::Codec;
pub use error::{DbError, DbErrorKind};
pub use schema::SCHEMA_VERSION;
pub use session::DbStoreSession;
pub use settings::{Durability, Reads};
pub use store::SqliteStore;
pub use table_name::{InvalidTableName, TableName};
