//! What a recorder of the `metrics` facade gets to see.

use std::collections::HashMap;
use std::time::Duration;

use cloakroom::{
    Expect, MemoryStore, Record, Secret, SessionKey, Sessions, SetOutcome, Store, StoreFuture,
};
use futures_lite::future::block_on;
use metrics_util::debugging::{DebugValue, DebuggingRecorder};

#[test]
fn events_are_counted_and_store_operations_timed_without_anything_secret() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || {
        block_on(async {
            let sessions = Sessions::builder(MemoryStore::new(), Secret::generate().unwrap())
                .build()
                .unwrap();
            for _ in 0..2 {
                let request = sessions.for_request([""]);
                request.resave("secret data".to_owned()).await.unwrap();
                let sent = request.finish().await;
                let cookie = sent.set_cookie().unwrap().split(';').next().unwrap();
                let request = sessions.for_request([cookie.to_owned()]);
                request.load().await.unwrap().logout().await.unwrap();
            }
        });
    });

    let mut counted = HashMap::new();
    let mut timed = HashMap::new();
    for (key, _, _, value) in snapshotter.snapshot().into_vec() {
        let key = key.key();
        let labels: Vec<_> = key.labels().map(|label| label.value().to_owned()).collect();
        match (key.name(), value) {
            ("cloakroom_events_total", DebugValue::Counter(count)) => {
                counted.insert(labels.join(" "), count);
            }
            ("cloakroom_store_seconds", DebugValue::Histogram(times)) => {
                timed.insert(labels.join(" "), times.len());
            }
            (name, _) => panic!("{name} is not documented"),
        }
    }
    assert_eq!(
        counted,
        HashMap::from([("created".into(), 2), ("destroyed".into(), 2)])
    );
    let expected = ["set ok", "get ok", "destroy ok"].map(|label| (label.to_owned(), 2));
    assert_eq!(timed, HashMap::from(expected));
}

/// Does all its work when it is asked, as stores in the same process do.
#[derive(Debug)]
struct Slow(MemoryStore<String>);

const SLOW: Duration = Duration::from_millis(5);

impl Store<String> for Slow {
    fn get(&self, key: &SessionKey) -> StoreFuture<'_, Option<Record<String>>> {
        std::thread::sleep(SLOW);
        self.0.get(key)
    }

    fn set(
        &self,
        key: &SessionKey,
        record: Record<String>,
        expect: Expect,
    ) -> StoreFuture<'_, SetOutcome> {
        std::thread::sleep(SLOW);
        self.0.set(key, record, expect)
    }

    fn destroy(&self, key: &SessionKey) -> StoreFuture<'_, bool> {
        std::thread::sleep(SLOW);
        self.0.destroy(key)
    }
}

/// A sleep is never shorter than asked for, so this is no matter of luck.
#[test]
fn the_time_of_a_store_that_works_when_it_is_asked_counts() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || {
        block_on(async {
            let store = Slow(MemoryStore::new());
            let sessions = Sessions::builder(store, Secret::generate().unwrap());
            let sessions = sessions.build().unwrap();
            let request = sessions.for_request([""]);
            request.resave("data".to_owned()).await.unwrap();
            let sent = request.finish().await;
            let cookie = sent.set_cookie().unwrap().split(';').next().unwrap();
            let request = sessions.for_request([cookie.to_owned()]);
            let session = request.load().await.unwrap();
            session.save("more".to_owned()).await.unwrap();
            session.logout().await.unwrap();
        });
    });
    let mut operations = 0;
    for (key, _, _, value) in snapshotter.snapshot().into_vec() {
        if let DebugValue::Histogram(times) = value {
            operations += times.len();
            let enough = times.iter().all(|time| time.0 >= SLOW.as_secs_f64());
            assert!(enough, "{key:?}: {times:?}");
        }
    }
    assert_eq!(operations, 4);
}
