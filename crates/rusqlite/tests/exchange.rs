//! One file, two stores: this one and `SqliteStore` of `cloakroom-sqlx`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use cloakroom_rusqlite::SqliteStore;
use cloakroom_sqlx::SqliteStore as SqlxStore;
use cloakroom_store::{
    ClientInfo, Clock, Enumerate, Expect, Owner, Record, SessionKey, SetOutcome, Store,
    SystemClock, Times, Timestamp,
};
use support::{Place, key};

type Data = Vec<String>;

fn full() -> Record<Data> {
    let now = SystemClock.now();
    let ago = |seconds| now.minus(Duration::from_secs(seconds));
    let mut times = Times::starting(ago(900));
    times.authenticated_at = Some(ago(800));
    times.renewed_at = ago(700);
    times.last_seen_at = ago(60);
    times.ends_at = Some(now.plus(Duration::from_secs(86_400)));
    times.idle_timeout = Some(Duration::from_millis(5_432_109));
    let mut record = Record::new(Arc::new(vec!["déjà vu".to_owned()]), times);
    record.browser_session = true;
    record.owner = Some(Owner::new("Ada Lovelace").unwrap());
    let address: IpAddr = "2001:db8::1".parse().unwrap();
    record.client = Some(Arc::new(ClientInfo::new(Some("Browser/1"), Some(address))));
    record
}

fn bare() -> Record<Data> {
    let times = Times::starting(Timestamp::from_millis(-1));
    Record::new(Arc::new(Vec::new()), times)
}

fn assert_alike(left: &Record<Data>, right: &Record<Data>) {
    assert_eq!(left.data, right.data);
    assert_eq!(left.times, right.times);
    assert_eq!(left.browser_session, right.browser_session);
    assert_eq!(left.owner, right.owner);
    let client = |record: &Record<Data>| {
        let client = record.client.as_deref()?;
        Some((client.user_agent().map(str::to_owned), client.address()))
    };
    assert_eq!(client(left), client(right));
}

/// What the one wrote the other reads, changes and lists.
async fn hand_over(from: &dyn Store<Data>, to: &dyn Store<Data>, keys: [SessionKey; 2]) {
    for (key, record) in keys.iter().zip([full(), bare()]) {
        let stored = from.set(key, record.clone(), Expect::Absent).await;
        assert_eq!(stored.unwrap(), SetOutcome::Stored(1));
        let found = to.get(key).await.unwrap().unwrap();
        assert_eq!(found.version, 1);
        assert_alike(&found, &record);
        let stored = to.set(key, record.clone(), Expect::Version(1)).await;
        assert_eq!(stored.unwrap(), SetOutcome::Stored(2));
        let late = from.set(key, record.clone(), Expect::Version(1)).await;
        assert_eq!(late.unwrap(), SetOutcome::Conflict(2));
        assert_alike(&from.get(key).await.unwrap().unwrap(), &record);
    }
    let owner = Owner::new("Ada Lovelace").unwrap();
    let listed = to.enumerate().unwrap().list_by_owner(&owner).await.unwrap();
    assert!(listed.iter().any(|entry| entry.key == keys[0]));
    assert!(to.destroy(&keys[0]).await.unwrap());
    assert!(from.get(&keys[0]).await.unwrap().is_none());
    let late = from.set(&keys[0], full(), Expect::Present).await;
    assert_eq!(late.unwrap(), SetOutcome::Gone);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_reads_what_the_other_wrote() {
    // Whichever made the file, and both at once.
    for ours_first in [true, false] {
        let place = Place::new();
        let (ours, theirs) = match ours_first {
            true => {
                let ours = SqliteStore::open(&place.path).await.unwrap();
                (ours, SqlxStore::open(&place.path).await.unwrap())
            }
            false => {
                let theirs = SqlxStore::open(&place.path).await.unwrap();
                (SqliteStore::open(&place.path).await.unwrap(), theirs)
            }
        };
        hand_over(&ours, &theirs, [key(1), key(2)]).await;
        hand_over(&theirs, &ours, [key(3), key(4)]).await;
        assert_eq!(ours.count().await.unwrap(), 2);
        assert_eq!(theirs.count().await.unwrap(), 2);
    }
}

/// Column for column, index for index.
#[tokio::test]
async fn the_schema_is_the_same() {
    let schema = |place: &Place| {
        let connection = place.connection();
        let sql = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name";
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| {
            let sql: Option<String> = row.get(3)?;
            let words = sql.unwrap_or_default();
            let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
            let name = |at| row.get::<_, String>(at);
            Ok((name(0)?, name(1)?, name(2)?, words))
        });
        rows.unwrap().collect::<Result<Vec<_>, _>>().unwrap()
    };
    let (ours, theirs) = (Place::new(), Place::new());
    SqliteStore::<Data>::open(&ours.path)
        .await
        .unwrap()
        .close()
        .await;
    let store = SqlxStore::<Data>::open(&theirs.path).await.unwrap();
    store.pool().close().await;
    assert_eq!(schema(&ours), schema(&theirs));
    assert_eq!(
        cloakroom_rusqlite::SCHEMA_VERSION,
        cloakroom_sqlx::SCHEMA_VERSION
    );
}

/// The row itself: what is stored as text, bytes or number.
#[tokio::test]
async fn the_row_is_the_same() {
    let row = |place: &Place| {
        let connection = place.connection();
        let mut statement = connection
            .prepare("SELECT * FROM cloakroom_sessions")
            .unwrap();
        let columns = statement.column_count();
        statement
            .query_row([], |row| {
                let values = (0..columns).map(|at| row.get::<_, rusqlite::types::Value>(at));
                values.collect::<Result<Vec<_>, _>>()
            })
            .unwrap()
    };
    let (ours, theirs) = (Place::new(), Place::new());
    let store = SqliteStore::<Data>::open(&ours.path).await.unwrap();
    let sqlx = SqlxStore::<Data>::open(&theirs.path).await.unwrap();
    let record = full();
    let _ = store
        .set(&key(1), record.clone(), Expect::Absent)
        .await
        .unwrap();
    let _ = sqlx.set(&key(1), record, Expect::Absent).await.unwrap();
    assert_eq!(row(&ours), row(&theirs));
}
