use std::sync::Arc;
use std::time::Duration;

use cloakroom::{MemoryStore, Store, StoreError, StoreErrorKind};
use cloakroom_redis::RedisStore;
use cloakroom_rusqlite::SqliteStore as EmbeddedStore;
use cloakroom_sqlx::{Durability, MySqlStore, PostgresStore, SqliteFile, SqliteStore};
use sqlx::mysql::MySqlPoolOptions;
use sqlx::postgres::PgPoolOptions;

use crate::Note;

/// Shorter than the pauses that are injected, so that answers get lost.
const TIMEOUT: Duration = Duration::from_secs(1);
const PURGE: Duration = Duration::from_secs(1);
/// Of each application.
const CONNECTIONS: u32 = 8;

/// The store at that address.
pub(super) async fn open(url: &str) -> Result<Arc<dyn Store<Note>>, StoreError> {
    let scheme = url.split(':').next().unwrap_or_default();
    Ok(match scheme {
        "memory" => Arc::new(MemoryStore::<Note>::new()),
        "sqlite" => {
            // A killed process is what is tested, not a power cut.
            let file = SqliteFile::new(url).durability(Durability::ProcessCrash);
            let store = SqliteStore::<Note>::builder(file.open().await?);
            Arc::new(store.timeout(TIMEOUT).purge_every(PURGE).create().await?)
        }
        "rusqlite" => {
            let path = url.trim_start_matches("rusqlite://");
            let store = EmbeddedStore::<Note>::builder(path);
            Arc::new(store.timeout(TIMEOUT).purge_every(PURGE).open().await?)
        }
        "postgres" => {
            let pool = PgPoolOptions::new().max_connections(CONNECTIONS);
            let pool = pool.connect(url).await.map_err(unavailable)?;
            let store = PostgresStore::<Note>::builder(pool);
            Arc::new(store.timeout(TIMEOUT).purge_every(PURGE).create().await?)
        }
        "mysql" => {
            let pool = MySqlPoolOptions::new().max_connections(CONNECTIONS);
            let pool = pool.connect(url).await.map_err(unavailable)?;
            let store = MySqlStore::<Note>::builder(pool);
            Arc::new(store.timeout(TIMEOUT).purge_every(PURGE).create().await?)
        }
        _ => {
            let store = RedisStore::<Note>::builder(url).timeout(TIMEOUT);
            Arc::new(store.connect_timeout(TIMEOUT).connect().await?)
        }
    })
}

fn unavailable(error: sqlx::Error) -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, error)
}
