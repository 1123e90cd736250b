//! The laws on PostgreSQL, and a server in trouble.
#![cfg(feature = "postgres")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod laws;
mod trouble;

use std::sync::Arc;
use std::time::Duration;

use cloakroom_sqlx::{DbStoreBuilder, PostgresStore};
use cloakroom_store::{Clock, Enumerate, Expect, SetOutcome, Store, StoreErrorKind};
use cloakroom_testservers::{Postgres, or_skip};
use laws::{Bench, Case, Data};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Executor, PgPool};
use tokio::task::JoinSet;

impl Bench for Postgres {
    type Db = sqlx::Postgres;

    async fn pool(&self) -> PgPool {
        pool(self, 8).await
    }

    async fn execute(pool: &PgPool, sql: String) {
        // A text constant for a column of bytes.
        let sql = sql.replace("data = 'no json'", "data = 'no json'::BYTEA");
        let sql = sql.replace("data = X'", "data = '\\x");
        sqlx::query(AssertSqlSafe(sql)).execute(pool).await.unwrap();
    }
}

/// Statements that also notify.
struct Announcing(Postgres);

impl Bench for Announcing {
    type Db = sqlx::Postgres;

    async fn pool(&self) -> PgPool {
        pool(&self.0, 8).await
    }

    fn adjust(builder: DbStoreBuilder<Data, Self::Db>) -> DbStoreBuilder<Data, Self::Db> {
        builder.announce_endings()
    }

    async fn execute(pool: &PgPool, sql: String) {
        Postgres::execute(pool, sql).await;
    }
}

async fn pool(server: &Postgres, connections: u32) -> PgPool {
    let options = PgPoolOptions::new().max_connections(connections);
    options.connect(&server.url()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_laws_hold() {
    // More connections than the laws' pools open before the last ones are closed.
    let Some(server) = or_skip(Postgres::start_with(&["max_connections=400"])) else {
        return;
    };
    laws::all(Arc::new(server)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_laws_hold_when_endings_are_announced() {
    let Some(server) = or_skip(Postgres::start_with(&["max_connections=400"])) else {
        return;
    };
    laws::all(Arc::new(Announcing(server))).await;
}

/// The strictest isolation that an administrator may have made the default.
#[tokio::test(flavor = "multi_thread")]
async fn the_laws_hold_when_serializable_is_the_default() {
    let settings = [
        "max_connections=400",
        "default_transaction_isolation=serializable",
    ];
    let Some(server) = or_skip(Postgres::start_with(&settings)) else {
        return;
    };
    laws::all(Arc::new(server)).await;
}

/// There, a statement fails each time that another one changed its row meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_others_write_all_the_time_is_written_when_serializable_is_the_default() {
    let settings = ["default_transaction_isolation=serializable"];
    let Some(server) = or_skip(Postgres::start_with(&settings)) else {
        return;
    };
    let case = Case::new(&server, "busy").await;
    case.add(&laws::key(1), case.record("a")).await;

    let mut others = JoinSet::new();
    let pool = pool(&server, 6).await;
    for _ in 0..6 {
        let pool = pool.clone();
        others.spawn(async move {
            loop {
                let other = pool.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED");
                let mut other = other.await.unwrap();
                let change = "UPDATE busy SET owner = owner; SELECT pg_sleep(0.005)";
                other.execute(sqlx::raw_sql(change)).await.unwrap();
                other.commit().await.unwrap();
            }
        });
    }
    for word in ["b", "c", "d", "e"] {
        let set = case
            .store
            .set(&laws::key(1), case.record(word), Expect::Present);
        assert!(matches!(set.await.unwrap(), SetOutcome::Stored(_)));
        assert_eq!(case.word(&laws::key(1)).await.as_deref(), Some(word));
    }
}

/// The rotation of another process has the row when `clear` comes to it.
#[tokio::test(flavor = "multi_thread")]
async fn clear_ends_a_session_that_is_moving_to_another_key() {
    for isolation in ["read committed", "serializable"] {
        let setting = format!("default_transaction_isolation={isolation}");
        let Some(server) = or_skip(Postgres::start_with(&[&setting])) else {
            return;
        };
        let case = Case::new(&server, "moving").await;
        for others in [0, 3] {
            for number in 0..=others {
                case.add(&laws::key(number), case.record("a")).await;
            }
            let mut rotation = case.pool.begin().await.unwrap();
            let moves = sqlx::query("UPDATE moving SET session_key = $1 WHERE session_key = $2")
                .bind(laws::key(100).as_bytes().as_slice())
                .bind(laws::key(0).as_bytes().as_slice());
            assert_eq!(rotation.execute(moves).await.unwrap().rows_affected(), 1);

            let store = case.store.clone();
            let clearing = tokio::spawn(async move { store.clear().await });
            let waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)";
            while !sqlx::query_scalar::<_, bool>(waits)
                .fetch_one(&case.pool)
                .await
                .unwrap()
            {
                assert!(!clearing.is_finished());
            }
            rotation.commit().await.unwrap();
            let ended = clearing.await.unwrap().unwrap();
            assert_eq!(ended, u64::from(others) + 1, "{isolation}");
            assert_eq!(case.store.count().await.unwrap(), 0, "{isolation}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble() {
    let Some(mut server) = or_skip(Postgres::start_with(&["max_connections=12"])) else {
        return;
    };
    trouble::killed_paused_and_restarted(pool(&server, 4).await, &mut server).await;
    trouble::callers_that_go_away(pool(&server, 2).await).await;
    // More than the server lets in: the pool's limit is never reached, the server's is.
    trouble::no_connection_to_be_had(pool(&server, 30).await, 50).await;
    trouble::no_connection_to_be_had(pool(&server, 1).await, 51).await;

    let few = pool(&server, 1).await;
    let store = trouble::store(few.clone()).await;
    let admin = pool(&server, 1).await;
    trouble::reads_go_on_when_writes_are_refused(&store, async |refuse| {
        // For new connections, and for the one that there is.
        let setting = format!("SET default_transaction_read_only = {refuse}");
        let sql = format!("ALTER DATABASE postgres {setting}");
        admin.execute(AssertSqlSafe(sql)).await.unwrap();
        few.execute(AssertSqlSafe(setting)).await.unwrap();
    })
    .await;
    trouble::who_refuses_a_write_is_not_asked_again(&store, async || {
        let sql = "SET default_transaction_read_only = true";
        few.execute(sql).await.unwrap();
    })
    .await;
}

/// A server that waits for a lock does not notice that its client went away.
#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_lock_takes_no_more_connections_than_the_pool_has() {
    let Some(server) = or_skip(Postgres::start_with(&["max_connections=30"])) else {
        return;
    };
    let store = trouble::store(pool(&server, 2).await).await;
    let admin = pool(&server, 1).await;
    trouble::works_again(&store, 1).await;

    let mut lock = admin.begin().await.unwrap();
    let sql = "LOCK TABLE cloakroom_sessions IN ACCESS EXCLUSIVE MODE";
    lock.execute(sql).await.unwrap();
    trouble::forty_that_run_out_of_time(&store).await;
    let others = "SELECT COUNT(*) FROM pg_stat_activity \
        WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
    let others: i64 = sqlx::query_scalar(others)
        .fetch_one(&mut *lock)
        .await
        .unwrap();
    assert!(others <= 3, "{others} connections of a pool of 2");
    lock.rollback().await.unwrap();
    trouble::works_again(&store, 2).await;

    // Writes wait, reads do not.
    let mut lock = admin.begin().await.unwrap();
    let sql = "LOCK TABLE cloakroom_sessions IN EXCLUSIVE MODE";
    lock.execute(sql).await.unwrap();
    trouble::sign_ins_that_wait_leave_connections_to_others(&store).await;
    lock.rollback().await.unwrap();
    trouble::works_again(&store, 3).await;

    let mut lock = admin.begin().await.unwrap();
    let sql = "LOCK TABLE cloakroom_sessions IN ACCESS EXCLUSIVE MODE";
    lock.execute(sql).await.unwrap();
    trouble::the_pool_is_closed(&store).await;
}

/// It would wait in front of others until the lock is free.
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_ran_out_of_time_leaves_the_queue() {
    let Some(server) = or_skip(Postgres::start()) else {
        return;
    };
    let quick = trouble::store(pool(&server, 2).await).await;
    let patient = PostgresStore::builder(pool(&server, 1).await).without_purge_task();
    let patient = patient.timeout(Duration::from_secs(600));
    let patient = patient.create().await.unwrap();
    let admin = pool(&server, 1).await;
    let mut lock = admin.begin().await.unwrap();
    let sql = "LOCK TABLE cloakroom_sessions IN EXCLUSIVE MODE";
    lock.execute(sql).await.unwrap();
    let mut until_waiting = async |kind: &str, count: i64| {
        let sql = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND locktype = $1";
        loop {
            let waiting = sqlx::query_scalar(sql).bind(kind);
            let waiting: i64 = waiting.fetch_one(&mut *lock).await.unwrap();
            if waiting == count {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };

    // It has the lock of its owner, and waits for the table.
    let first = tokio::spawn(async move {
        let key = laws::key(1);
        trouble::admit_ada(&patient, None, &key).await
    });
    until_waiting("relation", 1).await;
    let second = trouble::admit_ada(&quick, None, &laws::key(2)).await;
    assert_eq!(second.unwrap_err().kind(), StoreErrorKind::Unavailable);
    let left = tokio::time::timeout(Duration::from_secs(20), until_waiting("advisory", 0));
    left.await
        .expect("the server waits no longer than the caller");
    lock.rollback().await.unwrap();
    assert!(first.await.unwrap().is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn passing_trouble_is_no_bug_of_the_application() {
    let Some(server) = or_skip(Postgres::start()) else {
        return;
    };
    let pool = pool(&server, 1).await;
    let store = trouble::store(pool.clone()).await;
    let trigger = "CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'; \
        CREATE TRIGGER fails BEFORE UPDATE ON cloakroom_sessions FOR EACH ROW EXECUTE FUNCTION fails()";
    pool.execute(sqlx::raw_sql(trigger)).await.unwrap();
    trouble::what_passes_is_unavailable(&store, &["25P03", "25P04", "26000"], async |code| {
        let body = format!("BEGIN RAISE EXCEPTION USING ERRCODE = ''{code}''; END");
        let function = "CREATE OR REPLACE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql";
        let sql = AssertSqlSafe(format!("{function} AS '{body}'"));
        pool.execute(sql).await.unwrap();
    })
    .await;

    // A proxy sends us to another server, which knows none of our statements.
    assert!(store.get(&laws::key(1)).await.unwrap().is_none());
    pool.execute("DEALLOCATE ALL").await.unwrap();
    trouble::until_another_may_be_closed().await;
    let kind = store.get(&laws::key(1)).await.unwrap_err().kind();
    assert_eq!(kind, StoreErrorKind::Unavailable);
    assert!(store.get(&laws::key(1)).await.is_ok());
}

/// So that the server can write the row without the indexes (HOT): no write of a session that lives on changes a column
/// that has one. Only the purge moves it on, when it is due.
#[tokio::test]
async fn a_session_that_lives_on_keeps_its_place_in_the_indexes() {
    let Some(server) = or_skip(Postgres::start()) else {
        return;
    };
    let case = Case::new(&server, "places").await;
    let indexed = "SELECT string_agg(DISTINCT attname, ' ' ORDER BY attname) FROM pg_attribute \
        JOIN pg_index ON attrelid = indexrelid WHERE indrelid = 'places'::REGCLASS";
    let indexed: String = sqlx::query_scalar(indexed)
        .fetch_one(&case.pool)
        .await
        .unwrap();
    assert_eq!(indexed, "created_at owner purge_at session_key");

    let place = async || -> (Option<i64>, Option<i64>) {
        let place = sqlx::query_as("SELECT purge_at, expires_at FROM places");
        place.fetch_one(&case.pool).await.unwrap()
    };
    let mut record = case.record("a");
    record.times.idle_timeout = Some(Duration::from_secs(60));
    case.add(&laws::key(1), record.clone()).await;
    let first = place().await.0;
    for _ in 0..3 {
        case.clock.advance(Duration::from_secs(30));
        assert!(
            case.store
                .touch(&laws::key(1), case.clock.now())
                .await
                .unwrap()
        );
        record.times.last_seen_at = case.clock.now();
        let outcome = case
            .store
            .set(&laws::key(1), record.clone(), Expect::Present);
        assert!(matches!(outcome.await.unwrap(), SetOutcome::Stored(_)));
        assert_eq!(place().await.0, first);
    }
    assert_eq!(case.store.purge_expired().await.unwrap(), 0);
    let (purge_at, expires_at) = place().await;
    assert_eq!(purge_at, expires_at);
    assert!(purge_at > first);
}

/// The queries that must not scan the table use its indexes.
#[tokio::test]
async fn purge_and_owners_use_indexes() {
    let Some(server) = or_skip(Postgres::start()) else {
        return;
    };
    let pool = pool(&server, 1).await;
    let store = cloakroom_sqlx::PostgresStore::<u32>::create(pool.clone());
    drop(store.await.unwrap());
    pool.execute("SET enable_seqscan = off").await.unwrap();
    for (condition, index) in [
        ("purge_at <= 1 ORDER BY purge_at LIMIT 5", "purge"),
        ("owner = 'a' ORDER BY created_at, session_key", "owner"),
        ("session_key > '\\x00' ORDER BY session_key LIMIT 5", "pkey"),
    ] {
        let sql = format!("EXPLAIN SELECT version FROM cloakroom_sessions WHERE {condition}");
        let plan: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_all(&pool)
            .await
            .unwrap();
        let plan = plan.join("\n");
        assert!(
            plan.contains(&format!("cloakroom_sessions_{index}")),
            "{plan}"
        );
    }
    tokio::time::timeout(Duration::from_secs(5), pool.close())
        .await
        .unwrap();
}
