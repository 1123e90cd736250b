//! What can happen to a database file while an application runs.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use cloakroom_rusqlite::{Durability, Reads, SqliteStore};
use cloakroom_store::{Clock, Enumerate, Expect, Store, StoreErrorKind, SystemClock};
use support::{Place, add, assert_unavailable, found, key, record};

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
        let metadata = fs::metadata(place.beside(suffix)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{suffix}");
    }
}

#[tokio::test]
async fn only_paths_of_files_open() {
    for name in [":memory:", "sqlite::memory:", "sqlite://x.db", "file:x.db"] {
        let error = SqliteStore::<u32>::open(name).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Internal, "{name}");
    }
    let place = Place::new();
    let nowhere = place.path.join("no-directory").join("sessions.db");
    assert_unavailable(SqliteStore::<u32>::open(nowhere).await);
    let text = place.beside(".txt");
    fs::write(&text, "this is no database at all, but text. ".repeat(200)).unwrap();
    assert_unavailable(SqliteStore::<u32>::open(&text).await);
}

/// For no limit, for one: it must not be more than can be added to a moment.
#[tokio::test]
async fn any_time_out_will_do() {
    let place = Place::new();
    let builder = SqliteStore::<u32>::builder(&place.path).timeout(Duration::MAX);
    let store = builder.open().await.unwrap();
    add(&store, 1).await;
    assert!(store.destroy(&key(1)).await.unwrap());
}

/// With the write-ahead log readers go on.
#[tokio::test]
async fn a_locked_file_is_unavailable_until_it_is_unlocked() {
    for reads in [Reads::InPlace, Reads::OnThreads] {
        let place = Place::new();
        let builder = SqliteStore::<u32>::builder(&place.path).reads(reads);
        let store = builder
            .timeout(Duration::from_millis(400))
            .open()
            .await
            .unwrap();
        add(&store, 1).await;
        let other = place.connection();
        other.execute_batch("BEGIN EXCLUSIVE").unwrap();
        assert_unavailable(store.set(&key(1), record(2), Expect::Version(1)).await);
        assert_unavailable(store.touch(&key(1), SystemClock.now()).await);
        assert_eq!(found(&store, 1).await, Some(1));
        other.execute_batch("ROLLBACK").unwrap();
        add(&store, 2).await;
        assert_eq!(found(&store, 1).await, Some(1));

        // Somebody takes the whole file for himself.
        drop(other);
        store.close().await;
        let other = place.connection();
        other
            .execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE")
            .unwrap();
        let builder = SqliteStore::<u32>::builder(&place.path).reads(reads);
        let builder = builder.timeout(Duration::from_millis(200));
        assert_unavailable(builder.open().await);
    }
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
    assert_eq!(found(&store, 1).await, Some(1));
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
    assert_eq!(found(&store, 1).await, Some(1));
    add(&store, 2).await;
    store.close().await;
    assert_eq!(place.store().await.count().await.unwrap(), 2);
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
        assert_eq!(found(&store, number).await, Some(number));
    }
    add(&store, 20).await;
    store.close().await;
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
    assert_eq!(found(&store, 1).await, None);
    add(&store, 2).await;
    // It is the new file that the session went to.
    assert_eq!(found(&place.store().await, 2).await, Some(2));
    // And the guard is still there.
    place.delete_all();
    assert_all_unavailable(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replaced_by_a_backup_under_load() {
    let place = Place::new();
    let store = place.store().await;
    add(&store, 1).await;
    let backup = place.beside(".backup");
    place.execute(&format!("VACUUM INTO '{}'", backup.display()));
    add(&store, 2).await;

    // Some of these are answered before the file is gone, the others with an error.
    let load: Vec<_> = (0..8)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                for number in (100..140).map(|round| writer * 100 + round) {
                    let set = store.set(&key(number), record(number), Expect::Absent);
                    let _ = set.await;
                    let _ = store.get(&key(number)).await;
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
    let count = again.count().await.unwrap();
    assert_eq!(count, 9, "the backup's and the new ones");
    assert_eq!(found(&store, 1).await, Some(1));
    assert_eq!(found(&store, 2).await, None, "came after the backup");
}

#[tokio::test]
async fn emptied_in_place() {
    let place = Place::new();
    let store = place.store().await;
    add(&store, 1).await;
    place.execute("DROP TABLE cloakroom_sessions; DROP TABLE cloakroom_sessions_schema");
    assert_unavailable(store.get(&key(1)).await);
    // The same file, with nothing in it: the tables are made again.
    assert_eq!(found(&store, 1).await, None);
    add(&store, 2).await;
}

#[tokio::test]
async fn a_later_release_made_the_table() {
    let place = Place::new();
    place.store().await.close().await;
    place.execute("UPDATE cloakroom_sessions_schema SET version = version + 1");
    let error = SqliteStore::<u32>::open(&place.path).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Internal);
}

/// Each with threads of its own, as processes have.
#[tokio::test(flavor = "multi_thread")]
async fn twenty_open_a_new_file_at_once() {
    let place = Place::new();
    let opening = (0..20).map(|number| {
        let path = place.path.clone();
        tokio::spawn(async move {
            let store = SqliteStore::<u32>::builder(path)
                .durability(Durability::ProcessCrash)
                .open()
                .await
                .unwrap();
            add(&store, number).await;
        })
    });
    for task in opening.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(place.store().await.count().await.unwrap(), 20);
}
