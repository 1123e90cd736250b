//! Data that is encrypted on the server, one or a cluster.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::sync::Arc;

use cloakroom::{EncryptionKeys, Secret};
use cloakroom_redis::{Codec, KeyPrefix, RedisStore, RedisStoreBuilder};
use cloakroom_store::{
    AtRest, Clock, Enumerate, Expect, Record, SessionKey, SetOutcome, Store, StoreErrorKind,
    SystemClock, Times,
};
use cloakroom_testservers::{Redis, RedisCluster, or_skip};
use common::{Data, TIMEOUT, ask_cluster, fresh_prefix, key, owner, session_name};

const MARKER: &str = "hunter2";

fn secret(number: u8) -> Secret {
    Secret::from_bytes(&std::array::from_fn::<u8, 32, _>(|at| number + at as u8)).unwrap()
}

fn keys(number: u8) -> EncryptionKeys {
    EncryptionKeys::new(&secret(number))
}

fn contains(data: &[u8], text: &str) -> bool {
    let mut parts = data.windows(text.len());
    parts.any(|part| part == text.as_bytes())
}

enum Server {
    Single(Redis),
    Cluster(RedisCluster),
}

/// A server, and a prefix for several stores of one test.
struct Bench<'s> {
    server: &'s Server,
    prefix: KeyPrefix,
}

impl Bench<'_> {
    fn builder(&self) -> RedisStoreBuilder<Data> {
        let url = match self.server {
            Server::Single(server) => server.url(),
            Server::Cluster(cluster) => cluster.url(),
        };
        let builder = RedisStore::builder(&url).timeout(TIMEOUT * 10);
        builder.prefix(self.prefix.clone())
    }

    /// Changes what is stored, whatever the bytes.
    fn alter(&self, store: &RedisStore<Data>, key: &SessionKey, change: impl Fn(&mut Vec<u8>)) {
        const READ: &str = "return (redis.call('GET', KEYS[1]):gsub('.', function(byte) \
            return string.format('%02x', byte:byte()) end))";
        const WRITE: &str = "local bytes = ARGV[1]:gsub('..', function(hex) \
            return string.char(tonumber(hex, 16)) end) \
            return redis.call('SET', KEYS[1], bytes, 'KEEPTTL')";
        let name = session_name(store, key);
        let ask = |words: &[&str]| match self.server {
            Server::Single(server) => server.ask(words).unwrap(),
            Server::Cluster(cluster) => ask_cluster(cluster, words),
        };
        let hex = ask(&["EVAL", READ, "1", &name]);
        let bytes = hex.as_bytes().chunks(2).map(|digits| {
            let digits = std::str::from_utf8(digits).unwrap();
            u8::from_str_radix(digits, 16).unwrap()
        });
        let mut stored = bytes.collect();
        change(&mut stored);
        let hex: String = stored.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(ask(&["EVAL", WRITE, "1", &name, &hex]).trim(), "+OK");
    }
}

async fn check(server: Server) {
    let bench = || Bench {
        server: &server,
        prefix: fresh_prefix(),
    };
    an_encrypted_session_shows_nothing_of_the_data(&bench()).await;
    encryption_can_be_switched_on_and_off(&bench()).await;
    keys_can_be_changed(&bench()).await;
    an_altered_session_harms_itself_only(&bench()).await;
    the_limit_counts_before_encryption(&bench()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_one_server() {
    if let Some(server) = or_skip(Redis::start()) {
        check(Server::Single(server)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_cluster() {
    if let Some(cluster) = or_skip(RedisCluster::start()) {
        check(Server::Cluster(cluster)).await;
    }
}

fn owned(data: Data, name: &str) -> Record<Data> {
    let mut record = Record::new(Arc::new(data), Times::starting(SystemClock.now()));
    record.owner = Some(owner(name));
    record
}

fn record(word: &str) -> Record<Data> {
    owned(vec![word.to_owned()], "ada")
}

async fn add(store: &RedisStore<Data>, number: u8, word: &str) {
    let outcome = store.set(&key(number), record(word), Expect::Absent).await;
    assert_eq!(outcome.unwrap(), SetOutcome::Stored(1));
}

async fn word(store: &RedisStore<Data>, number: u8) -> Option<String> {
    let record = store.get(&key(number)).await.unwrap()?;
    Some(record.data[0].clone())
}

/// Why that session cannot be read.
async fn refusal(store: &RedisStore<Data>, number: u8) -> String {
    let error = store.get(&key(number)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Undecodable);
    let why = std::error::Error::source(&error).unwrap().to_string();
    assert!(!format!("{error:?} {why}").contains(MARKER));
    why
}

async fn an_encrypted_session_shows_nothing_of_the_data(bench: &Bench<'_>) {
    let tags = [
        (Codec::Json, "json+enc"),
        #[cfg(feature = "messagepack")]
        (Codec::MessagePack, "messagepack+enc"),
    ];
    for (number, (codec, tag)) in (1..).zip(tags) {
        let builder = bench.builder().codec(codec).encrypted_with(keys(0));
        assert!(format!("{builder:?}").contains("EncryptionKeys(1 of them)"));
        let store = builder.connect().await.unwrap();
        add(&store, number, MARKER).await;
        let stored = store.stored(&key(number)).await.unwrap().unwrap();
        assert_eq!(stored.codec, tag);
        assert!(!contains(&stored.data, MARKER));
        let decoded = stored.decode::<Data>(&AtRest::encrypted_with(keys(0)));
        assert_eq!(decoded.unwrap().data[0], MARKER);
        assert!(stored.decode::<Data>(&AtRest::default()).is_err());

        // Moved without being read.
        let times = record("").times;
        let to = key(number + 10);
        let _ = store.rotate(&key(number), &to, times).await.unwrap();
        assert!(store.touch(&to, times.last_seen_at).await.unwrap());
        assert_eq!(word(&store, number + 10).await.unwrap(), MARKER);
        let listed = store.list_by_owner(&owner("ada")).await.unwrap();
        assert!(listed.iter().all(|entry| entry.record.data[0] == MARKER));
        assert_eq!(listed.len(), usize::from(number));
    }
}

async fn encryption_can_be_switched_on_and_off(bench: &Bench<'_>) {
    let plain = bench.builder().connect().await.unwrap();
    for number in [1, 2] {
        add(&plain, number, MARKER).await;
    }
    let store = bench
        .builder()
        .encrypted_with(keys(0))
        .connect()
        .await
        .unwrap();
    assert_eq!(word(&store, 1).await.unwrap(), MARKER);
    let stored = store.stored(&key(1)).await.unwrap().unwrap();
    assert!(stored.codec == "json" && contains(&stored.data, MARKER));

    let outcome = store.set(&key(1), record(MARKER), Expect::Version(1));
    assert_eq!(outcome.await.unwrap(), SetOutcome::Stored(2));
    let stored = store.stored(&key(1)).await.unwrap().unwrap();
    assert!(stored.codec == "json+enc" && !contains(&stored.data, MARKER));
    assert_eq!(word(&store, 1).await.unwrap(), MARKER);

    // Who has no keys reads what is not encrypted.
    assert!(refusal(&plain, 1).await.contains("no keys"));
    assert_eq!(word(&plain, 2).await.unwrap(), MARKER);
    // And who is strict, what is.
    let strict = bench
        .builder()
        .only_encrypted_with(keys(0))
        .connect()
        .await
        .unwrap();
    assert_eq!(word(&strict, 1).await.unwrap(), MARKER);
    assert!(refusal(&strict, 2).await.contains("is not encrypted"));
    // Given up again.
    let last = bench.builder().only_decrypted_with(keys(0));
    let last = last.connect().await.unwrap();
    assert_eq!(word(&last, 1).await.unwrap(), MARKER);
    let outcome = last.set(&key(1), record(MARKER), Expect::Version(2));
    assert_eq!(outcome.await.unwrap(), SetOutcome::Stored(3));
    let stored = last.stored(&key(1)).await.unwrap().unwrap();
    assert_eq!(stored.codec, "json");
}

async fn keys_can_be_changed(bench: &Bench<'_>) {
    let before = bench
        .builder()
        .encrypted_with(keys(0))
        .connect()
        .await
        .unwrap();
    add(&before, 1, "old").await;
    let both = bench
        .builder()
        .encrypted_with(keys(1).and_accept(&secret(0)));
    let both = both.connect().await.unwrap();
    add(&both, 2, "new").await;
    assert_eq!(word(&both, 1).await.unwrap(), "old");

    // Taken out: that session only.
    let after = bench
        .builder()
        .encrypted_with(keys(1))
        .connect()
        .await
        .unwrap();
    assert_eq!(word(&after, 2).await.unwrap(), "new");
    let why = refusal(&after, 1).await;
    assert!(why.contains("a key that is not among"), "{why}");
    assert_eq!(after.all().await.unwrap().len(), 1);
    let listed = after.list_by_owner(&owner("ada")).await.unwrap();
    assert_eq!(listed[0].record.data[0], "new");
    assert_eq!(after.count().await.unwrap(), 2);
    assert!(after.destroy(&key(1)).await.unwrap());
}

async fn an_altered_session_harms_itself_only(bench: &Bench<'_>) {
    let store = bench
        .builder()
        .encrypted_with(keys(0))
        .connect()
        .await
        .unwrap();
    for number in [1, 2] {
        add(&store, number, MARKER).await;
    }
    let data = store.stored(&key(1)).await.unwrap().unwrap().data;
    // It comes last.
    let length = std::cell::Cell::new(data.len());
    let write = |data: &[u8]| {
        bench.alter(&store, &key(1), |stored| {
            stored.truncate(stored.len() - length.get());
            stored.extend_from_slice(data);
        });
        length.set(data.len());
    };
    // The format, the id of the key, the nonce, the data, the tag.
    for at in [0, 3, 20, 33, data.len() - 1] {
        let mut altered = data.clone();
        altered[at] ^= 1;
        write(&altered);
        refusal(&store, 1).await;
        assert_eq!(word(&store, 2).await.unwrap(), MARKER);
        assert_eq!(store.all().await.unwrap().len(), 1);
    }
    write(&data[..data.len() - 1]);
    refusal(&store, 1).await;
    write(&data);
    assert_eq!(word(&store, 1).await.unwrap(), MARKER);

    // Another codec is not what it was encrypted with; and data that is encrypted is not taken for what is not.
    for tag in ["messagepack+enc", "json"] {
        let before = store.stored(&key(1)).await.unwrap().unwrap().codec;
        bench.alter(&store, &key(1), |stored| {
            // The tag stands before the data, and its length before all texts.
            let end = stored.len() - data.len();
            stored.splice(end - before.len()..end, tag.bytes());
            stored[171..173].copy_from_slice(format!("{:02}", tag.len()).as_bytes());
        });
        assert_eq!(store.stored(&key(1)).await.unwrap().unwrap().codec, tag);
        refusal(&store, 1).await;
    }
}

async fn the_limit_counts_before_encryption(bench: &Bench<'_>) {
    // The data is `["…"]`.
    let builder = bench.builder().payload_limit(20).encrypted_with(keys(0));
    let store = builder.connect().await.unwrap();
    add(&store, 1, &"x".repeat(16)).await;
    let large = record(&"x".repeat(17));
    let error = store.set(&key(2), large, Expect::Absent).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::TooLarge);
}
