//! Data that is encrypted in the file.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use cloakroom::{EncryptionKeys, Secret};
use cloakroom_rusqlite::{Codec, SqliteStore, SqliteStoreBuilder};
use cloakroom_store::{
    AtRest, Enumerate, Expect, Owner, Record, SetOutcome, Store, StoreErrorKind,
};
use support::{Place, key, owned};

type Data = Vec<String>;

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

fn owner(name: &str) -> Owner {
    Owner::new(name).unwrap()
}

fn builder(place: &Place) -> SqliteStoreBuilder<Data> {
    SqliteStore::builder(&place.path)
}

fn record(word: &str) -> Record<Data> {
    owned(vec![word.to_owned()], "ada")
}

async fn add(store: &SqliteStore<Data>, number: u32, word: &str) {
    let outcome = store.set(&key(number), record(word), Expect::Absent).await;
    assert_eq!(outcome.unwrap(), SetOutcome::Stored(1));
}

async fn word(store: &SqliteStore<Data>, number: u32) -> Option<String> {
    let record = store.get(&key(number)).await.unwrap()?;
    Some(record.data[0].clone())
}

/// Why that session cannot be read.
async fn refusal(store: &SqliteStore<Data>, number: u32) -> String {
    let error = store.get(&key(number)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Undecodable);
    let why = std::error::Error::source(&error).unwrap().to_string();
    assert!(!format!("{error:?} {why}").contains(MARKER));
    why
}

#[tokio::test]
async fn an_encrypted_row_shows_nothing_of_the_data() {
    let place = Place::new();
    let tags = [
        (Codec::Json, "json+enc"),
        #[cfg(feature = "messagepack")]
        (Codec::MessagePack, "messagepack+enc"),
    ];
    for (number, (codec, tag)) in (1..).zip(tags) {
        let builder = builder(&place).codec(codec).encrypted_with(keys(0));
        assert!(format!("{builder:?}").contains("EncryptionKeys(1 of them)"));
        let store = builder.open().await.unwrap();
        add(&store, number, MARKER).await;
        let row = store.row(&key(number)).await.unwrap().unwrap();
        assert_eq!(row.codec, tag);
        assert!(!contains(&row.data, MARKER));
        let decoded = row.decode::<Data>(&AtRest::encrypted_with(keys(0)));
        assert_eq!(decoded.unwrap().data[0], MARKER);
        assert!(row.decode::<Data>(&AtRest::default()).is_err());

        // Moved without being read.
        let times = record("").times;
        let to = key(number + 10);
        let _ = store.rotate(&key(number), &to, times).await.unwrap();
        assert!(store.touch(&to, times.last_seen_at).await.unwrap());
        assert_eq!(word(&store, number + 10).await.unwrap(), MARKER);
        let listed = store.list_by_owner(&owner("ada")).await.unwrap();
        assert!(listed.iter().all(|entry| entry.record.data[0] == MARKER));
        assert_eq!(listed.len(), usize::try_from(number).unwrap());
    }
}

#[tokio::test]
async fn encryption_can_be_switched_on_and_off() {
    let place = Place::new();
    let plain = builder(&place).open().await.unwrap();
    for number in [1, 2] {
        add(&plain, number, MARKER).await;
    }
    let store = builder(&place)
        .encrypted_with(keys(0))
        .open()
        .await
        .unwrap();
    assert_eq!(word(&store, 1).await.unwrap(), MARKER);
    let row = store.row(&key(1)).await.unwrap().unwrap();
    assert!(row.codec == "json" && contains(&row.data, MARKER));

    let outcome = store.set(&key(1), record(MARKER), Expect::Version(1));
    assert_eq!(outcome.await.unwrap(), SetOutcome::Stored(2));
    let row = store.row(&key(1)).await.unwrap().unwrap();
    assert!(row.codec == "json+enc" && !contains(&row.data, MARKER));
    assert_eq!(word(&store, 1).await.unwrap(), MARKER);

    // Who has no keys reads what is not encrypted.
    assert!(refusal(&plain, 1).await.contains("no keys"));
    assert_eq!(word(&plain, 2).await.unwrap(), MARKER);
    // And who is strict, what is.
    let strict = builder(&place)
        .only_encrypted_with(keys(0))
        .open()
        .await
        .unwrap();
    assert_eq!(word(&strict, 1).await.unwrap(), MARKER);
    assert!(refusal(&strict, 2).await.contains("is not encrypted"));
    // Given up again.
    let last = builder(&place).only_decrypted_with(keys(0));
    let last = last.open().await.unwrap();
    assert_eq!(word(&last, 1).await.unwrap(), MARKER);
    let outcome = last.set(&key(1), record(MARKER), Expect::Version(2));
    assert_eq!(outcome.await.unwrap(), SetOutcome::Stored(3));
    let row = last.row(&key(1)).await.unwrap().unwrap();
    assert_eq!(row.codec, "json");
}

#[tokio::test]
async fn keys_can_be_changed() {
    let place = Place::new();
    let before = builder(&place)
        .encrypted_with(keys(0))
        .open()
        .await
        .unwrap();
    add(&before, 1, "old").await;
    let both = builder(&place).encrypted_with(keys(1).and_accept(&secret(0)));
    let both = both.open().await.unwrap();
    add(&both, 2, "new").await;
    assert_eq!(word(&both, 1).await.unwrap(), "old");

    // Taken out: that session only.
    let after = builder(&place)
        .encrypted_with(keys(1))
        .open()
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

#[tokio::test]
async fn an_altered_row_harms_itself_only() {
    let place = Place::new();
    let store = builder(&place)
        .encrypted_with(keys(0))
        .open()
        .await
        .unwrap();
    for number in [1, 2] {
        add(&store, number, MARKER).await;
    }
    let data = store.row(&key(1)).await.unwrap().unwrap().data;
    let write = |data: &[u8]| {
        let handle = key(1).handle().to_string();
        let sql = "UPDATE cloakroom_sessions SET data = ?1 WHERE handle = ?2";
        let written = place.connection().execute(sql, (data, handle));
        assert_eq!(written.unwrap(), 1);
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
        place.execute(&format!("UPDATE cloakroom_sessions SET codec = '{tag}'"));
        refusal(&store, 1).await;
    }
}

#[tokio::test]
async fn the_limit_counts_before_encryption() {
    let place = Place::new();
    // The data is `["…"]`.
    let builder = builder(&place).payload_limit(20).encrypted_with(keys(0));
    let store = builder.open().await.unwrap();
    add(&store, 1, &"x".repeat(16)).await;
    let large = record(&"x".repeat(17));
    let error = store.set(&key(2), large, Expect::Absent).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::TooLarge);
}
