//! tower-sessions' stores, set up as their documentation recommends, with the pool settings that ours have.

use std::path::Path;

use tower_sessions_redis_store::RedisStore;
use tower_sessions_redis_store::fred::prelude::{ClientLike, Config, Pool};
use tower_sessions_sqlx_store::sqlx::mysql::MySqlPoolOptions;
use tower_sessions_sqlx_store::sqlx::postgres::PgPoolOptions;
use tower_sessions_sqlx_store::sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use tower_sessions_sqlx_store::{MySqlStore, PostgresStore, SqliteStore};

use crate::Failure;

pub async fn sqlite(file: &Path) -> Result<SqliteStore, Failure> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal);
    let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await?;
    let store = SqliteStore::new(pool);
    store.migrate().await?;
    Ok(store)
}

pub async fn postgres(url: &str) -> Result<PostgresStore, Failure> {
    let pool = PgPoolOptions::new().max_connections(16).test_before_acquire(false);
    let store = PostgresStore::new(pool.connect(url).await?);
    store.migrate().await?;
    Ok(store)
}

/// It keeps its table in a schema of its own, which not every user may make.
pub async fn mysql(url: &str) -> Result<MySqlStore, Failure> {
    let pool = MySqlPoolOptions::new().max_connections(16).test_before_acquire(false);
    let store = MySqlStore::new(pool.connect(url).await?);
    store.migrate().await?;
    Ok(store)
}

pub async fn redis(url: &str) -> Result<RedisStore<Pool>, Failure> {
    let pool = Pool::new(Config::from_url(url)?, None, None, None, 6)?;
    pool.connect();
    pool.wait_for_connect().await?;
    Ok(RedisStore::new(pool))
}
