//! What the tests share.
#![allow(dead_code, reason = "each test binary uses a part of it")]

pub(crate) mod monitor;
pub(crate) mod proxy;
pub(crate) mod slow;
pub(crate) mod way;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cloakroom_redis::{KeyPrefix, RedisStore, RedisStoreBuilder};
use cloakroom_store::{
    Clock, Expect, ManualClock, Owner, Record, SessionKey, SetOutcome, Store, Times,
};
use cloakroom_testservers::{Redis, RedisCluster};

pub(crate) type Data = Vec<String>;

/// How long the stores of tests wait for a server.
pub(crate) const TIMEOUT: Duration = Duration::from_millis(500);

/// A prefix that no other store of this process has.
pub(crate) fn fresh_prefix() -> KeyPrefix {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    KeyPrefix::new(&format!("test{number}:")).unwrap()
}

pub(crate) fn hex(key: &SessionKey) -> String {
    let digits = key.as_bytes().iter().map(|byte| format!("{byte:02x}"));
    digits.collect()
}

/// The name of the key that holds a session.
pub(crate) fn session_name<T>(store: &RedisStore<T>, key: &SessionKey) -> String {
    format!("{}s:{{{}}}", store.prefix(), hex(key))
}

pub(crate) fn key(number: u8) -> SessionKey {
    SessionKey::from_bytes([number; 32])
}

pub(crate) fn owner(name: &str) -> Owner {
    Owner::new(name).unwrap()
}

/// A store with a clock of its own.
pub(crate) struct Bench {
    pub(crate) store: RedisStore<Data>,
    pub(crate) clock: ManualClock,
}

impl Bench {
    pub(crate) async fn on(url: &str) -> Self {
        Self::with(url, |builder| builder).await
    }

    pub(crate) async fn with(
        url: &str,
        options: impl FnOnce(RedisStoreBuilder<Data>) -> RedisStoreBuilder<Data>,
    ) -> Self {
        let clock = ManualClock::starting_now();
        let builder = RedisStore::builder(url)
            .prefix(fresh_prefix())
            .timeout(TIMEOUT * 10)
            .clock(clock.clone());
        let store = options(builder).connect().await.unwrap();
        Self { store, clock }
    }

    pub(crate) fn record(&self, word: &str) -> Record<Data> {
        let mut times = Times::starting(self.clock.now());
        times.ends_at = Some(self.clock.now().plus(Duration::from_secs(86_400)));
        Record::new(Arc::new(vec![word.to_owned()]), times)
    }

    pub(crate) fn owned(&self, word: &str, name: &str) -> Record<Data> {
        let mut record = self.record(word);
        record.owner = Some(owner(name));
        record
    }

    pub(crate) async fn add(&self, key: &SessionKey, record: Record<Data>) {
        let outcome = self.store.set(key, record, Expect::Absent).await;
        assert_eq!(outcome.unwrap(), SetOutcome::Stored(1));
    }

    pub(crate) async fn word(&self, key: &SessionKey) -> Option<String> {
        let record = self.store.get(key).await.unwrap()?;
        Some(record.data[0].clone())
    }
}

/// Looks again and again. A test that waits for ever has failed; this makes it say so.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, look: impl Fn() -> F) {
    for _ in 0..3_000 {
        if look().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never came: {what}");
}

/// One command, on whichever server of the cluster takes it.
pub(crate) fn ask_cluster(cluster: &RedisCluster, words: &[&str]) -> String {
    for _ in 0..200 {
        for number in cluster.primaries() {
            let answer = cluster.nodes()[number].ask(words).unwrap_or_default();
            let elsewhere = ["-MOVED", "-ASK", "-CLUSTERDOWN", "-READONLY"];
            if !answer.is_empty() && !elsewhere.iter().any(|word| answer.starts_with(word)) {
                return answer;
            }
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("no server takes {words:?}");
}

/// All keys of a server.
pub(crate) fn keys(server: &Redis, pattern: &str) -> Vec<String> {
    let script = "return table.concat(redis.call('KEYS', ARGV[1]), '\\n')";
    let answer = server.ask(&["EVAL", script, "0", pattern]).unwrap();
    let names = answer.lines().filter(|line| !line.is_empty());
    names.map(str::to_owned).collect()
}
