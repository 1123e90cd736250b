//! The published conformance suite, whole: each law on each engine, against real servers that are killed and
//! paused on the way.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cloakroom::{EncryptionKeys, Secret};
use cloakroom_sqlx::{DbStore, Dialect, TableName};
use cloakroom_store::ManualClock;
use cloakroom_store::conformance::{Harness, Payload, run_all};
use sqlx::Pool;

/// Above what the suite stores otherwise, below what it tries in order to be refused.
const PAYLOAD_LIMIT: usize = 1024 * 1024;

/// A database that can be connected to, and its troubles.
trait Engine: Send + Sync + 'static {
    type Db: Dialect;

    /// A pool of its own.
    fn pool(&self) -> impl Future<Output = Pool<Self::Db>> + Send;
    /// `kill -9`, and started again.
    fn kill_and_restart(&self);
    fn begin_outage(&self);
    fn end_outage(&self);
    /// Data that does not decode, in the row whose `handle` this is.
    fn corrupt(
        pool: &Pool<Self::Db>,
        table: &str,
        handle: String,
    ) -> impl Future<Output = ()> + Send;
}

type Store<E> = DbStore<Payload, <E as Engine>::Db>;

/// As the data lies in the database.
#[derive(Clone, Copy)]
enum Data {
    Plain,
    Encrypted,
}

async fn open<E: Engine>(engine: &E, data: Data, table: &str, clock: ManualClock) -> Store<E> {
    let store = DbStore::builder(engine.pool().await)
        .table(TableName::new(table).unwrap())
        .clock(clock)
        .timeout(Duration::from_secs(4))
        .payload_limit(PAYLOAD_LIMIT);
    let store = match data {
        Data::Plain => store,
        Data::Encrypted => {
            let secret = Secret::from_bytes(b"the same for all stores of a test").unwrap();
            store.only_encrypted_with(EncryptionKeys::new(&secret))
        }
    };
    store.create().await.unwrap()
}

async fn check<E: Engine>(engine: E, data: Data) {
    let engine = Arc::new(engine);
    // The suite works on one store at a time: the table that was made last is the one.
    let tables = Arc::new(Mutex::new(0));
    let table = {
        let tables = Arc::clone(&tables);
        move || format!("sessions_{}", tables.lock().unwrap())
    };
    let again = |kill: bool| {
        let (engine, table) = (Arc::clone(&engine), table.clone());
        move |_: Arc<Store<E>>, clock: ManualClock| {
            let (engine, table) = (Arc::clone(&engine), table());
            async move {
                if kill {
                    engine.kill_and_restart();
                }
                open(&*engine, data, &table, clock).await
            }
        }
    };
    let fresh = {
        let (engine, table) = (Arc::clone(&engine), table.clone());
        move |clock: ManualClock| {
            *tables.lock().unwrap() += 1;
            let (engine, table) = (Arc::clone(&engine), table());
            async move { open(&*engine, data, &table, clock).await }
        }
    };
    let corrupt = {
        let table = table.clone();
        move |store: Arc<Store<E>>, key: cloakroom_store::SessionKey| {
            let table = table();
            async move { E::corrupt(store.pool(), &table, key.handle().to_string()).await }
        }
    };
    let (begin, end) = (Arc::clone(&engine), Arc::clone(&engine));
    let harness = Harness::new(fresh)
        .peer(again(false))
        .reopen(again(true))
        .corrupt(corrupt)
        .outage(
            move |_| {
                begin.begin_outage();
                async {}
            },
            move |_| {
                end.end_outage();
                async {}
            },
            Duration::from_secs(20),
        )
        .payload_limit(PAYLOAD_LIMIT)
        .spawner(|future| drop(tokio::spawn(future)))
        .touch_keeps_version()
        .rotates_in_one_step()
        .rounds(5);
    let report = run_all(&harness).await;
    report.assert_passed();
    assert_eq!(report.not_checked().count(), 0, "{report}");
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use std::path::{Path, PathBuf};

    use cloakroom_sqlx::SqliteFile;
    use sqlx::{AssertSqlSafe, SqlitePool};

    use super::Data;

    struct File {
        directory: tempfile::TempDir,
    }

    impl File {
        fn path(&self) -> PathBuf {
            self.directory.path().join("sessions.db")
        }

        fn away(path: &Path) -> PathBuf {
            path.with_extension("away")
        }
    }

    impl super::Engine for File {
        type Db = sqlx::Sqlite;

        async fn pool(&self) -> SqlitePool {
            SqliteFile::new(self.path()).open().await.unwrap()
        }

        // There is no server. What happens when the application itself is killed, `sqlite_kill` shows.
        fn kill_and_restart(&self) {}

        fn begin_outage(&self) {
            std::fs::rename(self.path(), Self::away(&self.path())).unwrap();
        }

        fn end_outage(&self) {
            std::fs::rename(Self::away(&self.path()), self.path()).unwrap();
        }

        async fn corrupt(pool: &SqlitePool, table: &str, handle: String) {
            let sql = format!("UPDATE {table} SET data = 'no json' WHERE handle = '{handle}'");
            sqlx::query(AssertSqlSafe(sql)).execute(pool).await.unwrap();
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn sqlite_keeps_the_laws() {
        let directory = tempfile::tempdir().unwrap();
        super::check(File { directory }, Data::Plain).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn sqlite_keeps_the_laws_encrypted() {
        let directory = tempfile::tempdir().unwrap();
        super::check(File { directory }, Data::Encrypted).await;
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use std::sync::Mutex;

    use cloakroom_testservers::{Postgres, or_skip};
    use sqlx::postgres::PgPoolOptions;
    use sqlx::{AssertSqlSafe, PgPool};

    use super::Data;

    impl super::Engine for Mutex<Postgres> {
        type Db = sqlx::Postgres;

        async fn pool(&self) -> PgPool {
            let url = self.lock().unwrap().url();
            let options = PgPoolOptions::new().max_connections(8);
            options.connect(&url).await.unwrap()
        }

        fn kill_and_restart(&self) {
            let mut server = self.lock().unwrap();
            server.kill_9();
            server.restart().unwrap();
        }

        fn begin_outage(&self) {
            self.lock().unwrap().stop();
        }

        fn end_outage(&self) {
            self.lock().unwrap().cont();
        }

        async fn corrupt(pool: &PgPool, table: &str, handle: String) {
            let data = "'no json'::BYTEA";
            let sql = format!("UPDATE {table} SET data = {data} WHERE handle = '{handle}'");
            sqlx::query(AssertSqlSafe(sql)).execute(pool).await.unwrap();
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn postgres_keeps_the_laws() {
        let Some(server) = or_skip(Postgres::start_with(&["max_connections=500"])) else {
            return;
        };
        super::check(Mutex::new(server), Data::Plain).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn postgres_keeps_the_laws_encrypted() {
        let Some(server) = or_skip(Postgres::start_with(&["max_connections=500"])) else {
            return;
        };
        super::check(Mutex::new(server), Data::Encrypted).await;
    }
}

#[cfg(feature = "mysql")]
mod mysql {
    use std::sync::Mutex;

    use cloakroom_testservers::{MariaDb, or_skip};
    use sqlx::mysql::MySqlPoolOptions;
    use sqlx::{AssertSqlSafe, MySqlPool};

    use super::Data;

    impl super::Engine for Mutex<MariaDb> {
        type Db = sqlx::MySql;

        async fn pool(&self) -> MySqlPool {
            let url = self.lock().unwrap().url();
            let options = MySqlPoolOptions::new().max_connections(8);
            options.connect(&url).await.unwrap()
        }

        fn kill_and_restart(&self) {
            let mut server = self.lock().unwrap();
            server.kill_9();
            server.restart().unwrap();
        }

        fn begin_outage(&self) {
            self.lock().unwrap().stop();
        }

        fn end_outage(&self) {
            self.lock().unwrap().cont();
        }

        async fn corrupt(pool: &MySqlPool, table: &str, handle: String) {
            let sql = format!("UPDATE {table} SET data = 'no json' WHERE handle = '{handle}'");
            sqlx::query(AssertSqlSafe(sql)).execute(pool).await.unwrap();
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn mariadb_keeps_the_laws() {
        let Some(server) = or_skip(MariaDb::start_with(&["--max-connections=500"])) else {
            return;
        };
        super::check(Mutex::new(server), Data::Plain).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn mariadb_keeps_the_laws_encrypted() {
        let Some(server) = or_skip(MariaDb::start_with(&["--max-connections=500"])) else {
            return;
        };
        super::check(Mutex::new(server), Data::Encrypted).await;
    }
}
