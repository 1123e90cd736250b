//! How many statements each operation sends, as the driver logs them.
#![cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cloakroom_sqlx::{DbStore, DbStoreBuilder, Dialect};
use cloakroom_store::{
    Clock, Enumerate, Expect, Owner, OwnerLimit, OwnerLimits, Record, SessionKey, SetOutcome,
    Store, SystemClock, Times, WhenReached,
};
#[cfg(any(feature = "postgres", feature = "mysql"))]
use cloakroom_testservers::or_skip;
use sqlx::Connection;
use tracing::span::{Attributes, Id, Record as SpanRecord};
use tracing::{Event, Metadata, Subscriber};

static SENT: AtomicU64 = AtomicU64::new(0);

/// Counts what the driver logs, one event for each statement.
struct Counter;

impl Subscriber for Counter {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::query"
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &SpanRecord<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        if event.metadata().target() == "sqlx::query" {
            SENT.fetch_add(1, Ordering::SeqCst);
        }
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// The driver logs a statement when it is done with it, which may be after the answer; the pool's only
/// connection answers a ping after that.
async fn settle<DB: Dialect>(store: &DbStore<u32, DB>) -> u64 {
    let mut connection = store.pool().acquire().await.unwrap();
    connection.ping().await.unwrap();
    SENT.load(Ordering::SeqCst)
}

/// What differs.
struct Expected {
    destroy_of_nothing: u64,
    destroy_by_owner: u64,
    /// Of sessions and of trails.
    purge: u64,
    /// The transaction and the lock, as far as the driver logs them: it is silent about the beginning of one in
    /// SQLite and PostgreSQL, and in SQLite about its end too.
    around_admit: u64,
    renew: u64,
}

async fn operations_send_what_the_design_says<DB: Dialect>(
    store: DbStore<u32, DB>,
    expected: Expected,
) {
    macro_rules! assert_sends {
        ($count:expr, $operation:expr) => {{
            let before = settle(&store).await;
            let answer = $operation.await.unwrap();
            let sent = settle(&store).await - before;
            assert_eq!(sent, $count, "{}", stringify!($operation));
            answer
        }};
    }
    let key = |number| SessionKey::from_bytes([number; 32]);
    let times = Times::starting(SystemClock.now());
    let owner = Owner::new("ada").unwrap();
    let record = || {
        let mut record = Record::new(Arc::new(1), times);
        record.owner = Some(owner.clone());
        record
    };
    let (a, b, c) = (key(1), key(2), key(3));

    assert_sends!(1, store.get(&a));
    let stored = assert_sends!(1, store.set(&a, record(), Expect::Absent));
    assert_eq!(stored, SetOutcome::Stored(1));
    let exists = assert_sends!(1, store.set(&a, record(), Expect::Absent));
    assert_eq!(exists, SetOutcome::Exists);
    assert_sends!(1, store.get(&a));
    let _ = assert_sends!(1, store.set(&a, record(), Expect::Present));
    let gone = assert_sends!(1, store.set(&b, record(), Expect::Present));
    assert_eq!(gone, SetOutcome::Gone);
    let stored = assert_sends!(1, store.set(&a, record(), Expect::Version(2)));
    assert_eq!(stored, SetOutcome::Stored(3));
    // The second one asks why, after the first decided.
    let conflict = assert_sends!(2, store.set(&a, record(), Expect::Version(2)));
    assert_eq!(conflict, SetOutcome::Conflict(3));
    assert_sends!(1, store.touch(&a, times.last_seen_at));
    let _ = assert_sends!(1, store.rotate(&a, &b, times));
    let _ = assert_sends!(1, store.replace(&b, &c, record()));
    let stored = assert_sends!(2, store.replace(&b, &a, record()));
    assert_eq!(stored, SetOutcome::Stored(1));
    assert_sends!(1, store.list_by_owner(&owner));
    assert_sends!(1, store.count());
    assert_sends!(1, store.all());
    assert_sends!(expected.purge, store.purge_expired());
    assert!(assert_sends!(1, store.destroy(&c)));
    assert!(!assert_sends!(
        expected.destroy_of_nothing,
        store.destroy(&c)
    ));
    let by_owner = expected.destroy_by_owner;
    let ended = assert_sends!(by_owner, store.destroy_by_owner(&owner, &[]));
    assert_eq!(ended, 1);

    let limits: &dyn OwnerLimits<u32> = store.owner_limits().unwrap();
    let limit = OwnerLimit::new(NonZeroU32::MIN, WhenReached::EndOldest);
    // What was there is counted, what is new inserted; then one is removed, and another one.
    let around = expected.around_admit;
    let _ = assert_sends!(around + 2, limits.admit(None, &a, record(), limit));
    let _ = assert_sends!(around + 3, limits.admit(None, &b, record(), limit));
    let _ = assert_sends!(around + 3, limits.admit(Some(&b), &a, record(), limit));
    let other = limits.admit(Some(&c), &b, record(), limit);
    let _ = assert_sends!(around + 4, other);
    let mut nobodys = record();
    nobodys.owner = None;
    let _ = assert_sends!(1, limits.admit(None, &c, nobodys, limit));

    let renewal = store.renewal().unwrap();
    let ends_at = times.created_at.plus(Duration::from_secs(3_600));
    let _ = assert_sends!(expected.renew, renewal.renew(&b, &a, times, ends_at));
    assert!(assert_sends!(1, renewal.follow(&b)).is_some());
}

#[tokio::test]
async fn on_every_engine() {
    // The driver logs on threads of its own.
    tracing::subscriber::set_global_default(Counter).unwrap();
    #[cfg(feature = "sqlite")]
    {
        let directory = tempfile::tempdir().unwrap();
        let file = cloakroom_sqlx::SqliteFile::new(directory.path().join("sessions.db"));
        let expected = Expected {
            destroy_of_nothing: 1,
            destroy_by_owner: 1,
            purge: 2,
            around_admit: 0,
            renew: 2,
        };
        let builder = DbStore::builder(file.max_connections(1).open().await.unwrap());
        counted(builder, expected).await;
    }
    #[cfg(feature = "postgres")]
    if let Some(server) = or_skip(cloakroom_testservers::Postgres::start()) {
        let pool = sqlx::postgres::PgPoolOptions::new().max_connections(1);
        let pool = pool.connect(&server.url()).await.unwrap();
        let expected = || Expected {
            destroy_of_nothing: 1,
            destroy_by_owner: 1,
            purge: 2,
            around_admit: 2,
            renew: 1,
        };
        counted(DbStore::builder(pool.clone()), expected()).await;
        // To tell others takes no statement of its own.
        let table = "announcing".parse().unwrap();
        let builder = DbStore::builder(pool).table(table).announce_endings();
        counted(builder, expected()).await;
    }
    #[cfg(feature = "mysql")]
    if let Some(server) = or_skip(cloakroom_testservers::MariaDb::start()) {
        let pool = sqlx::mysql::MySqlPoolOptions::new().max_connections(1);
        let expected = Expected {
            destroy_of_nothing: 2,
            destroy_by_owner: 2,
            purge: 3,
            around_admit: 4,
            renew: 5,
        };
        let builder = DbStore::builder(pool.connect(&server.url()).await.unwrap());
        counted(builder, expected).await;
    }
}

async fn counted<DB: Dialect>(builder: DbStoreBuilder<u32, DB>, expected: Expected) {
    let store = builder.without_purge_task().create().await.unwrap();
    operations_send_what_the_design_says(store, expected).await;
}
