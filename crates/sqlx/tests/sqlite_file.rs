//! What can happen to a database file while an application runs.
#![cfg(all(feature = "sqlite", unix))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cloakroom_sqlx::{Durability, SqliteFile, SqliteStore};
use cloakroom_store::{
    Clock, Enumerate, Expect, Record, SessionKey, SetOutcome, Store, StoreError, StoreErrorKind,
    SystemClock, Times,
};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{ConnectOptions, Executor, SqlitePool};

struct Place {
    _directory: tempfile::TempDir,
    path: PathBuf,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sessions.db");
        Self {
            _directory: directory,
            path,
        }
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        PathBuf::from(format!("{}{suffix}", self.path.display()))
    }

    fn delete_all(&self) {
        for suffix in ["", "-wal", "-shm"] {
            fs::remove_file(self.beside(suffix)).unwrap();
        }
    }

    async fn store(&self) -> SqliteStore<u32> {
        SqliteStore::open(&self.path).await.unwrap()
    }
}

fn key(number: u32) -> SessionKey {
    let mut bytes = [7; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    SessionKey::from_bytes(bytes)
}

fn record(number: u32) -> Record<u32> {
    Record::new(Arc::new(number), Times::starting(SystemClock.now()))
}

async fn add(store: &SqliteStore<u32>, number: u32) {
    let outcome = store
        .set(&key(number), record(number), Expect::Absent)
        .await;
    assert_eq!(outcome.unwrap(), SetOutcome::Stored(1));
}

fn assert_unavailable<R: std::fmt::Debug>(result: Result<R, StoreError>) {
    assert_eq!(result.unwrap_err().kind(), StoreErrorKind::Unavailable);
}

async fn assert_all_unavailable(store: &SqliteStore<u32>) {
    assert_unavailable(store.get(&key(1)).await);
    assert_unavailable(store.set(&key(1), record(1), Expect::Present).await);
    assert_unavailable(store.set(&key(9), record(9), Expect::Absent).await);
    assert_unavailable(store.touch(&key(1), SystemClock.now()).await);
    assert_unavailable(store.destroy(&key(1)).await);
    assert_unavailable(store.count().await);
}

#[tokio::test]
async fn a_new_file_is_for_its_owner_only() {
    let place = Place::new();
    let store = place.store().await;
    add(&store, 1).await;
    for suffix in ["", "-wal", "-shm"] {
        let mode = fs::metadata(place.beside(suffix))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{suffix}");
    }
}

#[tokio::test]
async fn paths_urls_and_memory_open() {
    let place = Place::new();
    let url = format!("sqlite://{}", place.path.display());
    add(&SqliteStore::open(&url).await.unwrap(), 1).await;
    let again = SqliteStore::<u32>::open(&place.path).await.unwrap();
    assert!(again.get(&key(1)).await.unwrap().is_some());
    for name in [":memory:", "sqlite::memory:", "sqlite://:memory:"] {
        add(&SqliteStore::open(name).await.unwrap(), 1).await;
    }
    let nowhere = place.path.join("no-directory").join("sessions.db");
    assert_unavailable(SqliteStore::<u32>::open(nowhere).await);
    let text = place.beside(".txt");
    fs::write(&text, "this is no database at all, but text. ".repeat(200)).unwrap();
    assert_unavailable(SqliteStore::<u32>::open(&text).await);
}

#[tokio::test]
async fn the_settings_are_what_they_say() {
    for (durability, synchronous) in [(Durability::PowerLoss, 2), (Durability::ProcessCrash, 1)] {
        let place = Place::new();
        let file = SqliteFile::new(&place.path).durability(durability);
        let pool = file.open().await.unwrap();
        let mode: String = sqlx::query_scalar("PRAGMA journal_mode")
            .fetch_one(&pool)
            .await
            .unwrap();
        let found: i64 = sqlx::query_scalar("PRAGMA synchronous")
            .fetch_one(&pool)
            .await
            .unwrap();
        assert_eq!((mode.as_str(), found), ("wal", synchronous));
    }
}

/// In both journal modes: with the write-ahead log readers go on, without they wait too.
#[tokio::test]
async fn a_locked_file_is_unavailable_until_it_is_unlocked() {
    let place = Place::new();
    let short = Duration::from_secs(1);
    let builder = SqliteStore::<u32>::builder(SqliteFile::new(&place.path).open().await.unwrap());
    let store = builder.timeout(short).create().await.unwrap();
    add(&store, 1).await;
    let options = SqliteConnectOptions::new().filename(&place.path);
    let mut other = options.connect().await.unwrap();
    other.execute("BEGIN EXCLUSIVE").await.unwrap();
    assert_unavailable(store.set(&key(1), record(2), Expect::Version(1)).await);
    assert_unavailable(store.touch(&key(1), SystemClock.now()).await);
    assert_eq!(*store.get(&key(1)).await.unwrap().unwrap().data, 1);
    other.execute("ROLLBACK").await.unwrap();
    add(&SqliteStore::open(&place.path).await.unwrap(), 2).await;
    drop(store);

    let place = Place::new();
    let options = SqliteConnectOptions::new()
        .filename(&place.path)
        .create_if_missing(true)
        .busy_timeout(short / 4);
    let pool = SqlitePool::connect_with(options.clone()).await.unwrap();
    let store = SqliteStore::<u32>::create(pool).await.unwrap();
    add(&store, 1).await;
    let mut other = options.connect().await.unwrap();
    other.execute("BEGIN EXCLUSIVE").await.unwrap();
    assert_all_unavailable(&store).await;
    other.execute("COMMIT").await.unwrap();
    assert_eq!(*store.get(&key(1)).await.unwrap().unwrap().data, 1);
    add(&store, 2).await;
}

#[tokio::test]
async fn moved_away_and_back() {
    let place = Place::new();
    let store = place.store().await;
    add(&store, 1).await;
    let away = place.beside(".away");
    fs::rename(&place.path, &away).unwrap();
    assert_all_unavailable(&store).await;
    assert!(!place.path.exists(), "nobody made a new file");
    fs::rename(&away, &place.path).unwrap();
    assert_eq!(*store.get(&key(1)).await.unwrap().unwrap().data, 1);
    add(&store, 2).await;
}

#[tokio::test]
async fn moved_away_with_everything_beside_it_and_back() {
    let place = Place::new();
    let store = place.store().await;
    add(&store, 1).await;
    let moved = |from: &str, to: &str| {
        for suffix in ["", "-wal", "-shm"] {
            let (from, to) = (format!("{from}{suffix}"), format!("{to}{suffix}"));
            fs::rename(place.beside(&from), place.beside(&to)).unwrap();
        }
    };
    moved("", ".away");
    assert_all_unavailable(&store).await;
    moved(".away", "");
    assert!(store.get(&key(1)).await.unwrap().is_some());
    add(&store, 2).await;
    drop(store);
    let again = place.store().await;
    assert_eq!(again.count().await.unwrap(), 2);
}

/// Another file with the same content; the write-ahead log beside it is still its own.
#[tokio::test]
async fn moved_away_and_copied_back() {
    let place = Place::new();
    let store = place.store().await;
    for number in 0..20 {
        add(&store, number).await;
    }
    let away = place.beside(".away");
    fs::rename(&place.path, &away).unwrap();
    assert_all_unavailable(&store).await;
    fs::copy(&away, &place.path).unwrap();
    for number in 0..20 {
        assert_eq!(
            *store.get(&key(number)).await.unwrap().unwrap().data,
            number
        );
    }
    add(&store, 20).await;
    drop(store);
    assert_eq!(place.store().await.count().await.unwrap(), 21);
}

#[tokio::test]
async fn deleted_and_an_empty_file_in_its_place() {
    let place = Place::new();
    let store = place.store().await;
    add(&store, 1).await;
    place.delete_all();
    assert_all_unavailable(&store).await;
    assert!(!place.path.exists());

    fs::File::create(&place.path).unwrap();
    assert!(store.get(&key(1)).await.unwrap().is_none());
    add(&store, 2).await;
    // It is the new file that the session went to.
    let again = place.store().await;
    assert_eq!(*again.get(&key(2)).await.unwrap().unwrap().data, 2);
    // And the gate is still on guard.
    place.delete_all();
    assert_all_unavailable(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replaced_by_a_backup_under_load() {
    let place = Place::new();
    let store = place.store().await;
    add(&store, 1).await;
    let backup = place.beside(".backup");
    let into = format!("VACUUM INTO '{}'", backup.display());
    store
        .pool()
        .execute(sqlx::AssertSqlSafe(into))
        .await
        .unwrap();
    add(&store, 2).await;

    // Some of these are answered before the file is gone, the others with an error.
    let load: Vec<_> = (0..8)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                for number in (100..140).map(|round| writer * 100 + round) {
                    let _ = store
                        .set(&key(number), record(number), Expect::Absent)
                        .await;
                }
            })
        })
        .collect();
    tokio::task::yield_now().await;
    place.delete_all();
    // From here on nothing that is acknowledged may be lost.
    assert_all_unavailable(&store).await;
    for task in load {
        task.await.unwrap();
    }
    fs::rename(&backup, &place.path).unwrap();
    let load: Vec<_> = (0..8)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move { add(&store, 2_000 + number).await })
        })
        .collect();
    for task in load {
        task.await.unwrap();
    }
    let again = place.store().await;
    assert_eq!(
        again.count().await.unwrap(),
        9,
        "the backup's and the new ones"
    );
    assert!(store.get(&key(1)).await.unwrap().is_some());
    assert!(
        store.get(&key(2)).await.unwrap().is_none(),
        "came after the backup"
    );
}

#[tokio::test]
async fn a_pool_that_may_create_does_not_do_so_later() {
    let place = Place::new();
    let options = SqliteConnectOptions::new()
        .filename(&place.path)
        .create_if_missing(true);
    let pool = SqlitePoolOptions::new()
        .connect_with(options)
        .await
        .unwrap();
    let store = SqliteStore::<u32>::create(pool.clone()).await.unwrap();
    add(&store, 1).await;
    fs::remove_file(&place.path).unwrap();
    assert_all_unavailable(&store).await;
    // Nor on the application's own behalf.
    let mut held = Vec::new();
    let all = async {
        // The store gives them back when it has had no use for them for a while.
        while held.len() < pool.size() as usize {
            held.extend(pool.try_acquire());
            tokio::task::yield_now().await;
        }
    };
    let all = tokio::time::timeout(Duration::from_secs(30), all).await;
    all.expect("the store gives them back");
    assert!(!held.is_empty());
    assert!(pool.acquire().await.is_err());
    assert!(!place.path.exists());
}

#[tokio::test]
async fn a_connection_that_the_application_holds_is_waited_for() {
    let place = Place::new();
    let pool = SqliteFile::new(&place.path).open().await.unwrap();
    let builder = SqliteStore::<u32>::builder(pool.clone());
    let store = builder
        .timeout(Duration::from_secs(1))
        .create()
        .await
        .unwrap();
    let held = pool.acquire().await.unwrap();
    place.delete_all();
    fs::File::create(&place.path).unwrap();
    assert_unavailable(store.set(&key(1), record(1), Expect::Absent).await);
    held.close().await.unwrap();
    add(&store, 1).await;
}

#[tokio::test]
async fn emptied_in_place() {
    let place = Place::new();
    let store = place.store().await;
    add(&store, 1).await;
    store
        .pool()
        .execute("DROP TABLE cloakroom_sessions")
        .await
        .unwrap();
    store
        .pool()
        .execute("DROP TABLE cloakroom_sessions_schema")
        .await
        .unwrap();
    assert_unavailable(store.get(&key(1)).await);
    // The same file, with nothing in it: the tables are made again.
    assert!(store.get(&key(1)).await.unwrap().is_none());
    add(&store, 2).await;
}

/// Each with a pool of its own, as processes have.
#[tokio::test(flavor = "multi_thread")]
async fn twenty_open_a_new_file_at_once() {
    let place = Place::new();
    let opening = (0..20).map(|number| {
        let path = place.path.clone();
        tokio::spawn(async move {
            let store = SqliteStore::<u32>::open(path).await.unwrap();
            add(&store, number).await;
        })
    });
    for task in opening.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(place.store().await.count().await.unwrap(), 20);
}
