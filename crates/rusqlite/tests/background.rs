//! The threads: purging, time-outs, the end.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use cloakroom_rusqlite::{DbError, DbErrorKind, Reads, SqliteStore};
use cloakroom_store::{Enumerate, Expect, ManualClock, SetOutcome, Store};
use support::{Place, add, assert_unavailable, ending, found, key, record};

/// Looks again and again. A test that waits for ever has failed; this makes it say so.
async fn until<F: Future<Output = bool>>(what: &str, look: impl Fn() -> F) {
    for _ in 0..20_000 {
        if look().await {
            return;
        }
        thread::sleep(Duration::from_millis(1));
    }
    panic!("never came: {what}");
}

/// The smallest runtime there is.
fn block_on<R>(future: impl Future<Output = R>) -> R {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(answer) => return answer,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn a_store_purges_by_itself_and_survives_errors() {
    block_on(async {
        let place = Place::new();
        let clock = ManualClock::starting_now();
        let store = SqliteStore::<u32>::builder(&place.path)
            .clock(clock.clone())
            .purge_every(Duration::from_millis(1))
            .purge_batch(2)
            .open()
            .await
            .unwrap();
        let round = async || {
            for number in 0..5 {
                let record = ending(number, &clock, 60);
                let set = store.set(&key(number), record, Expect::Absent);
                assert_eq!(set.await.unwrap(), SetOutcome::Stored(1));
            }
        };
        let rows = || {
            let sql = "SELECT COUNT(*) FROM cloakroom_sessions";
            let count: rusqlite::Result<i64> =
                place.connection().query_row(sql, [], |row| row.get(0));
            count.unwrap()
        };
        round().await;
        clock.advance(Duration::from_secs(60));
        until("the purge", || async { rows() == 0 }).await;

        round().await;
        let away = place.beside(".away");
        std::fs::rename(&place.path, &away).unwrap();
        clock.advance(Duration::from_secs(60));
        thread::sleep(Duration::from_millis(20));
        std::fs::rename(&away, &place.path).unwrap();
        until("the purge after errors", || async { rows() == 0 }).await;
    });
}

/// How many threads of this process belong to stores.
#[cfg(target_os = "linux")]
fn threads_of_stores() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    tasks
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok())
        .filter(|name| name.starts_with("sessions-"))
        .count()
}

/// In a process of its own: other tests have stores too.
#[cfg(target_os = "linux")]
#[test]
fn threads_end_with_the_last_clone_or_when_it_is_closed() {
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--ignored", "--exact", "threads_end"]);
    let output = child.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    // A name that no test has is a success as well.
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "the test above starts it as a process of its own"]
fn threads_end() {
    block_on(async {
        let place = Place::new();
        let store = place.store().await;
        assert_eq!(threads_of_stores(), 3);
        let clone = store.clone();
        drop(store);
        add(&clone, 1).await;
        assert_eq!(threads_of_stores(), 3);
        // Asked for, but not waited for: it is done all the same.
        let mut asked = clone.set(&key(2), record(2), Expect::Absent);
        let mut context = Context::from_waker(Waker::noop());
        let _ = pin!(&mut asked).poll(&mut context);
        drop(asked);
        drop(clone);
        until("the end of the threads", || async {
            threads_of_stores() == 0
        })
        .await;
        assert!(!place.beside("-wal").exists(), "the log is in the file");
        let again = place.store().await;
        assert_eq!(found(&again, 2).await, Some(2));
        again.close().await;
        assert!(!place.beside("-wal").exists());
        assert_unavailable(again.get(&key(1)).await);
        assert_unavailable(again.set(&key(1), record(1), Expect::Present).await);
        assert_unavailable(again.count().await);
        again.close().await;
        drop(again);
        until("the end of the watch", || async {
            threads_of_stores() == 0
        })
        .await;
        // One that does not open leaves none behind.
        assert_unavailable(SqliteStore::<u32>::open(place.path.join("x")).await);
        until("the end after a failure", || async {
            threads_of_stores() == 0
        })
        .await;
    });
}

/// Whoever goes by it may copy or delete the file next.
#[tokio::test]
async fn everybody_who_closes_waits_for_the_end() {
    let place = Place::new();
    let store = place.store().await;
    add(&store, 1).await;
    let other = place.connection();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut context = Context::from_waker(Waker::noop());
    let mut write = pin!(store.set(&key(2), record(2), Expect::Absent));
    assert!(write.as_mut().poll(&mut context).is_pending());
    assert!(pin!(store.close()).poll(&mut context).is_pending());
    let clone = store.clone();
    let mut closed = [Box::pin(store.close()), Box::pin(clone.close())];
    for closed in &mut closed {
        assert!(closed.as_mut().poll(&mut context).is_pending());
    }
    other.execute_batch("ROLLBACK").unwrap();
    drop(other);
    for closed in closed {
        closed.await;
        assert!(!place.beside("-wal").exists());
    }
    store.close().await;
    assert_eq!(write.await.unwrap(), SetOutcome::Stored(1));
}

/// The lock is held for longer than the time-out; nobody wakes the caller but the watch or the writer.
#[test]
fn without_a_runtime_the_time_is_kept_too() {
    block_on(async {
        let place = Place::new();
        let builder = SqliteStore::<u32>::builder(&place.path);
        let store = builder.timeout(Duration::from_millis(100)).open().await;
        let store = store.unwrap();
        add(&store, 1).await;
        let other = place.connection();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let mut kinds = Vec::new();
        for _ in 0..3 {
            let error = store.set(&key(1), record(2), Expect::Present).await;
            let error = error.unwrap_err();
            let source = std::error::Error::source(&error).unwrap();
            kinds.push(source.downcast_ref::<DbError>().unwrap().kind());
        }
        let expected = [DbErrorKind::Busy, DbErrorKind::TimedOut];
        assert!(
            kinds.iter().all(|kind| expected.contains(kind)),
            "{kinds:?}"
        );
        assert_eq!(found(&store, 1).await, Some(1));
        other.execute_batch("ROLLBACK").unwrap();
        add(&store, 2).await;
    });
}

#[tokio::test]
async fn callers_that_go_away_leave_nothing_behind() {
    for reads in [Reads::InPlace, Reads::OnThreads] {
        let place = Place::new();
        let builder = SqliteStore::<u32>::builder(&place.path);
        let store = builder.reads(reads).open().await.unwrap();
        for number in 0..200 {
            add(&store, number).await;
            let patience = Duration::from_micros(u64::from(number) * 5);
            let _ = tokio::time::timeout(patience, store.get(&key(number))).await;
            let _ = tokio::time::timeout(patience, store.count()).await;
            let write = store.set(&key(number), record(number), Expect::Present);
            let _ = tokio::time::timeout(patience, write).await;
            assert_eq!(found(&store, number).await, Some(number));
        }
    }
}
