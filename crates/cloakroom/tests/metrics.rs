//! What a recorder of the `metrics` facade gets to see.

use std::collections::HashMap;

use cloakroom::{MemoryStore, Secret, Sessions};
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
