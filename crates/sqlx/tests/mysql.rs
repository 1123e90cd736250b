//! The laws on MariaDB, and a server in trouble.
#![cfg(feature = "mysql")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod laws;
mod trouble;

use std::sync::Arc;

use cloakroom_sqlx::MySqlStore;
use cloakroom_store::{Expect, Record, SessionKey, Store, StoreErrorKind, Times, Timestamp};
use cloakroom_testservers::{MariaDb, or_skip};
use laws::Bench;
use sqlx::mysql::MySqlPoolOptions;
use sqlx::{AssertSqlSafe, Executor, MySqlPool};

impl Bench for MariaDb {
    type Db = sqlx::MySql;

    async fn pool(&self) -> MySqlPool {
        pool(self, 8).await
    }

    async fn execute(pool: &MySqlPool, sql: String) {
        sqlx::query(AssertSqlSafe(sql)).execute(pool).await.unwrap();
    }
}

async fn pool(server: &MariaDb, connections: u32) -> MySqlPool {
    let options = MySqlPoolOptions::new().max_connections(connections);
    options.connect(&server.url()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_laws_hold() {
    let Some(server) = or_skip(MariaDb::start_with(&["--max-connections=400"])) else {
        return;
    };
    laws::all(Arc::new(server)).await;
}

/// The isolation that many administrators choose, which locks no gaps. And a mode in which what is empty is null.
#[tokio::test(flavor = "multi_thread")]
async fn the_laws_hold_at_read_committed() {
    let options = [
        "--max-connections=400",
        "--transaction-isolation=READ-COMMITTED",
        "--sql-mode=STRICT_TRANS_TABLES,EMPTY_STRING_IS_NULL",
    ];
    let Some(server) = or_skip(MariaDb::start_with(&options)) else {
        return;
    };
    laws::all(Arc::new(server)).await;
}

/// Other isolation, other strictness, other rules for rows that changed meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn the_laws_hold_with_other_settings() {
    let options = [
        "--max-connections=400",
        "--transaction-isolation=SERIALIZABLE",
        "--sql-mode=",
        "--innodb-snapshot-isolation=ON",
    ];
    let Some(server) = or_skip(MariaDb::start_with(&options)) else {
        return;
    };
    laws::all(Arc::new(server)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble() {
    let Some(mut server) = or_skip(MariaDb::start_with(&["--max-connections=12"])) else {
        return;
    };
    trouble::killed_paused_and_restarted(pool(&server, 4).await, &mut server).await;
    trouble::callers_that_go_away(pool(&server, 2).await).await;
    // More than the server lets in: the pool's limit is never reached, the server's is.
    trouble::no_connection_to_be_had(pool(&server, 30).await, 50).await;
    trouble::no_connection_to_be_had(pool(&server, 1).await, 51).await;

    let few = pool(&server, 1).await;
    let store = trouble::store(few.clone()).await;
    trouble::who_refuses_a_write_is_not_asked_again(&store, async || {
        let sql = "SET SESSION TRANSACTION READ ONLY";
        few.execute(sql).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn passing_trouble_is_no_bug_of_the_application() {
    let Some(server) = or_skip(MariaDb::start()) else {
        return;
    };
    let pool = pool(&server, 1).await;
    let store = trouble::store(pool.clone()).await;
    let on_update = async |body: &str| {
        let trigger =
            "CREATE OR REPLACE TRIGGER fails BEFORE UPDATE ON cloakroom_sessions FOR EACH ROW";
        let sql = AssertSqlSafe(format!("{trigger} {body}"));
        pool.execute(sqlx::raw_sql(sql)).await.unwrap();
    };
    let codes = [
        "1243", "1412", "1461", "1615", "3032", "3100", "3101", "4031",
    ];
    trouble::what_passes_is_unavailable(&store, &codes, async |code| {
        let signal = format!("SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = {code}");
        on_update(&signal).await;
    })
    .await;

    // What the server undid is sent again.
    for code in ["1412", "1615", "3101"] {
        let signal = format!("SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = {code}");
        let body = "SET @sent = @sent + 1; IF @sent < 3 THEN {signal}; END IF;";
        let body = body.replace("{signal}", &signal);
        on_update(&format!("BEGIN {body} END")).await;
        pool.execute("SET @sent = 0").await.unwrap();
        let seen_at = Timestamp::from_millis(1);
        let key = SessionKey::from_bytes([9; 32]);
        let record = Record::new(Arc::new(1), Times::starting(seen_at));
        let _ = store.set(&key, record, Expect::Absent).await.unwrap();
        assert!(store.touch(&key, seen_at).await.unwrap(), "{code}");
    }
}

/// A server that waits for a lock does not notice that its client went away.
#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_lock_takes_no_more_connections_than_the_pool_has() {
    let Some(server) = or_skip(MariaDb::start_with(&["--max-connections=30"])) else {
        return;
    };
    let store = trouble::store(pool(&server, 2).await).await;
    let admin = pool(&server, 1).await;
    let mut admin = admin.acquire().await.unwrap();
    let mut run = async |sql| admin.execute(sqlx::raw_sql(sql)).await.unwrap();
    trouble::works_again(&store, 1).await;

    run("LOCK TABLES cloakroom_sessions WRITE").await;
    trouble::forty_that_run_out_of_time(&store).await;
    let others = "SELECT COUNT(*) FROM information_schema.processlist \
        WHERE user = 'cloakroom' AND id <> CONNECTION_ID()";
    let others: i64 = sqlx::query_scalar(others)
        .fetch_one(&mut *admin)
        .await
        .unwrap();
    assert!(others <= 3, "{others} connections of a pool of 2");
    let mut run = async |sql| admin.execute(sqlx::raw_sql(sql)).await.unwrap();
    run("UNLOCK TABLES").await;
    trouble::works_again(&store, 2).await;

    run("START TRANSACTION; SELECT * FROM cloakroom_sessions_locks FOR UPDATE").await;
    trouble::sign_ins_that_wait_leave_connections_to_others(&store).await;
    run("ROLLBACK").await;
    trouble::works_again(&store, 3).await;

    run("LOCK TABLES cloakroom_sessions WRITE").await;
    trouble::the_pool_is_closed(&store).await;
}

/// Once a server has become a replica it refuses the writes of ordinary users, and its connections stay.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_no_writes() {
    let Some(server) = or_skip(MariaDb::start()) else {
        return;
    };
    let url = |user| server.url().replace("cloakroom@", user);
    let root = MySqlPool::connect(&url("root@")).await.unwrap();
    for sql in [
        "CREATE USER 'shop'@'127.0.0.1'",
        "GRANT ALL ON cloakroom.* TO 'shop'@'127.0.0.1'",
    ] {
        root.execute(sql).await.unwrap();
    }
    let few = MySqlPoolOptions::new().max_connections(1);
    let few = few.connect(&url("shop@")).await.unwrap();
    let store = trouble::store(few.clone()).await;
    let refuse = async |refuse: bool| {
        let sql = format!("SET GLOBAL read_only = {refuse}");
        root.execute(AssertSqlSafe(sql)).await.unwrap();
    };
    trouble::reads_go_on_when_writes_are_refused(&store, refuse).await;

    let connection = async || -> u64 {
        let id = sqlx::query_scalar("SELECT CONNECTION_ID()");
        id.fetch_one(&few).await.unwrap()
    };
    let before = connection().await;
    assert_eq!(connection().await, before);
    refuse(true).await;
    trouble::until_another_may_be_closed().await;
    let nothing = SessionKey::from_bytes([9; 32]);
    assert!(store.destroy(&nothing).await.is_err());
    assert_ne!(connection().await, before);
}

/// With the first two a write would be answered, and undone when its connection ends.
#[tokio::test(flavor = "multi_thread")]
async fn connections_with_an_unsafe_setting_are_refused() {
    let Some(server) = or_skip(MariaDb::start_with(&["--log-bin"])) else {
        return;
    };
    let url = server.url().replace("cloakroom@", "root@");
    let settings = [
        ("autocommit = 0", "autocommit = 0"),
        ("completion_type = CHAIN", "completion_type = CHAIN"),
        (
            "transaction_isolation = READ-UNCOMMITTED",
            "tx_isolation = 'READ-UNCOMMITTED'",
        ),
        ("sql_safe_updates = 1", "sql_safe_updates = 1"),
        ("binlog_format = STATEMENT", "binlog_format = STATEMENT"),
    ];
    for (setting, sql) in settings {
        let options = MySqlPoolOptions::new().after_connect(move |connection, _| {
            Box::pin(async move {
                let sql = format!("SET {sql}");
                connection.execute(AssertSqlSafe(sql)).await.map(drop)
            })
        });
        let pool = options.connect(&url).await.unwrap();
        let refused = MySqlStore::<u32>::create(pool).await.unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Internal);
        let reason = std::error::Error::source(&refused).unwrap().to_string();
        assert!(reason.contains(setting), "{reason}");
    }
    // Nothing is changed by that, and the defaults are taken.
    trouble::store(pool(&server, 1).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_an_unsafe_setting_is_refused() {
    for option in ["--autocommit=0", "--transaction-isolation=READ-UNCOMMITTED"] {
        let Some(server) = or_skip(MariaDb::start_with(&[option])) else {
            return;
        };
        let refused = MySqlStore::<u32>::create(pool(&server, 1).await).await;
        assert_eq!(refused.unwrap_err().kind(), StoreErrorKind::Internal);
    }
}
