//! The published conformance suite, whole: each law on each engine, against real servers that are killed and
//! paused on the way.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cloakroom::{EncryptionKeys, Secret};
use cloakroom_sqlx::{DbStore, Dialect, TableName};
use cloakroom_store::ManualClock;
use cloakroom_store::conformance::{Harness, Law, Payload, law_10_trouble_is_unavailable, run_all};
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

/// A store that the suite may ask for.
#[derive(Clone)]
struct Wanted {
    data: Data,
    /// What its tables' names begin with.
    prefix: &'static str,
    timeout: Duration,
}

async fn open<E: Engine>(engine: &E, wanted: &Wanted, table: &str, clock: ManualClock) -> Store<E> {
    let store = DbStore::builder(engine.pool().await)
        .table(TableName::new(table).unwrap())
        .clock(clock)
        .timeout(wanted.timeout)
        .payload_limit(PAYLOAD_LIMIT);
    let store = match wanted.data {
        Data::Plain => store,
        Data::Encrypted => {
            let secret = Secret::from_bytes(b"the same for all stores of a test").unwrap();
            store.only_encrypted_with(EncryptionKeys::new(&secret))
        }
    };
    store.create().await.unwrap()
}

/// For all laws but the tenth.
fn harness<E: Engine>(engine: &Arc<E>, wanted: &Wanted) -> Harness<Store<E>> {
    // The suite works on one store at a time: the table that was made last is the one.
    let tables = Arc::new(Mutex::new(0));
    let table = {
        let (tables, prefix) = (Arc::clone(&tables), wanted.prefix);
        move || format!("{prefix}_{}", tables.lock().unwrap())
    };
    let again = |kill: bool| {
        let (engine, wanted, table) = (Arc::clone(engine), wanted.clone(), table.clone());
        move |_: Arc<Store<E>>, clock: ManualClock| {
            let (engine, wanted, table) = (Arc::clone(&engine), wanted.clone(), table());
            async move {
                if kill {
                    engine.kill_and_restart();
                }
                open(&*engine, &wanted, &table, clock).await
            }
        }
    };
    let fresh = {
        let (engine, wanted, table) = (Arc::clone(engine), wanted.clone(), table.clone());
        move |clock: ManualClock| {
            *tables.lock().unwrap() += 1;
            let (engine, wanted, table) = (Arc::clone(&engine), wanted.clone(), table());
            async move { open(&*engine, &wanted, &table, clock).await }
        }
    };
    let corrupt = {
        let table = table.clone();
        move |store: Arc<Store<E>>, key: cloakroom_store::SessionKey| {
            let table = table();
            async move { E::corrupt(store.pool(), &table, key.handle().to_string()).await }
        }
    };
    Harness::new(fresh)
        .peer(again(false))
        .reopen(again(true))
        .corrupt(corrupt)
        .payload_limit(PAYLOAD_LIMIT)
        .spawner(|future| drop(tokio::spawn(future)))
        .touch_keeps_version()
        .rotates_in_one_step()
        .rounds(5)
}

async fn check<E: Engine>(engine: E, data: Data) {
    let engine = Arc::new(engine);
    let usual = Wanted {
        data,
        prefix: "sessions",
        timeout: Duration::from_secs(4),
    };
    let report = run_all(&harness(&engine, &usual)).await;
    report.assert_passed();
    let not_checked: Vec<u8> = report.not_checked().map(Law::number).collect();
    assert_eq!(not_checked, [10], "{report}");

    // Every operation there is waits for the time-out, one after the other. It has to be enough, on a slow machine, for the
    // few that are asked before and after the outage, too.
    let impatient = Wanted {
        prefix: "outage",
        timeout: Duration::from_secs(2),
        ..usual
    };
    let (begin, end) = (Arc::clone(&engine), Arc::clone(&engine));
    let harness = harness(&engine, &impatient).outage(
        move |_| {
            begin.begin_outage();
            async {}
        },
        move |_| {
            end.end_outage();
            async {}
        },
        Duration::from_secs(20),
    );
    let coverage = law_10_trouble_is_unavailable(&harness).await;
    let coverage = coverage.unwrap_or_else(|violation| panic!("{violation}"));
    assert!(coverage.is_checked() && coverage.left_out().is_empty());
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
