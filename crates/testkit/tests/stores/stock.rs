//! Stores on servers that are started once, each store with a table or a prefix of its own.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use cloakroom::{ManualClock, Store};
use cloakroom_redis::{KeyPrefix, RedisStore};
use cloakroom_sqlx::{DbStore, DbStoreBuilder, Dialect, SqliteFile, TableName};
use cloakroom_testkit::{Data, FaultyStore, Stock};
use cloakroom_testservers as servers;
use servers::or_skip;
use sqlx::Pool;
use sqlx::mysql::MySqlPoolOptions;
use sqlx::postgres::PgPoolOptions;

pub(crate) struct Rusqlite;
pub(crate) struct Sqlite;
pub(crate) struct Postgres;
pub(crate) struct MariaDb;
pub(crate) struct Redis;
pub(crate) struct RedisCluster;

const CONNECTIONS: u32 = 8;

impl Rusqlite {
    pub(crate) fn is_here() -> bool {
        true
    }
}

impl Stock for Rusqlite {
    async fn open(clock: ManualClock) -> FaultyStore<Data> {
        let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let store = cloakroom_rusqlite::SqliteStore::builder(directory.path().join("sessions.db"))
            .clock(clock)
            .without_purge_task();
        around(store.open().await.unwrap()).keeping(directory)
    }
}

impl Sqlite {
    pub(crate) fn is_here() -> bool {
        true
    }
}

impl Stock for Sqlite {
    async fn open(clock: ManualClock) -> FaultyStore<Data> {
        let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let file = SqliteFile::new(directory.path().join("sessions.db"));
        in_sql(file.open().await.unwrap(), clock)
            .await
            .keeping(directory)
    }
}

impl Postgres {
    pub(crate) fn is_here() -> bool {
        Self::server().is_some()
    }

    fn server() -> Option<&'static servers::Postgres> {
        static SERVER: OnceLock<Option<servers::Postgres>> = OnceLock::new();
        let start = || or_skip(servers::Postgres::start_with(&["max_connections=500"]));
        SERVER.get_or_init(start).as_ref()
    }
}

impl Stock for Postgres {
    async fn open(clock: ManualClock) -> FaultyStore<Data> {
        let options = PgPoolOptions::new().max_connections(CONNECTIONS);
        let url = Self::server().unwrap().url();
        let store = sql(options.connect(&url).await.unwrap(), clock).announce_endings();
        around(store.create().await.unwrap())
    }
}

impl MariaDb {
    pub(crate) fn is_here() -> bool {
        Self::server().is_some()
    }

    fn server() -> Option<&'static servers::MariaDb> {
        static SERVER: OnceLock<Option<servers::MariaDb>> = OnceLock::new();
        let start = || or_skip(servers::MariaDb::start_with(&["--max-connections=500"]));
        SERVER.get_or_init(start).as_ref()
    }
}

impl Stock for MariaDb {
    async fn open(clock: ManualClock) -> FaultyStore<Data> {
        let options = MySqlPoolOptions::new().max_connections(CONNECTIONS);
        let url = Self::server().unwrap().url();
        in_sql(options.connect(&url).await.unwrap(), clock).await
    }
}

impl Redis {
    pub(crate) fn is_here() -> bool {
        Self::server().is_some()
    }

    fn server() -> Option<&'static servers::Redis> {
        static SERVER: OnceLock<Option<servers::Redis>> = OnceLock::new();
        SERVER
            .get_or_init(|| or_skip(servers::Redis::start()))
            .as_ref()
    }
}

impl Stock for Redis {
    async fn open(clock: ManualClock) -> FaultyStore<Data> {
        in_redis(&Self::server().unwrap().url(), clock).await
    }
}

impl RedisCluster {
    pub(crate) fn is_here() -> bool {
        Self::server().is_some()
    }

    fn server() -> Option<&'static servers::RedisCluster> {
        static SERVER: OnceLock<Option<servers::RedisCluster>> = OnceLock::new();
        SERVER
            .get_or_init(|| or_skip(servers::RedisCluster::start()))
            .as_ref()
    }
}

impl Stock for RedisCluster {
    async fn open(clock: ManualClock) -> FaultyStore<Data> {
        in_redis(&Self::server().unwrap().url(), clock).await
    }
}

async fn in_sql<DB: Dialect>(pool: Pool<DB>, clock: ManualClock) -> FaultyStore<Data> {
    around(sql(pool, clock).create().await.unwrap())
}

fn sql<DB: Dialect>(pool: Pool<DB>, clock: ManualClock) -> DbStoreBuilder<Data, DB> {
    DbStore::<Data, DB>::builder(pool)
        .table(TableName::new(&fresh_name()).unwrap())
        .clock(clock)
        .without_purge_task()
}

async fn in_redis(url: &str, clock: ManualClock) -> FaultyStore<Data> {
    let store = RedisStore::<Data>::builder(url)
        .prefix(KeyPrefix::new(&format!("{}:", fresh_name())).unwrap())
        .announce_endings()
        .clock(clock);
    around(store.connect().await.unwrap())
}

fn around(store: impl Store<Data>) -> FaultyStore<Data> {
    FaultyStore::around(Arc::new(store))
}

/// A name that no other store of this process has.
fn fresh_name() -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    format!("sessions_{}", MADE.fetch_add(1, Ordering::Relaxed))
}
