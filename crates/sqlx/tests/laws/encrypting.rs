use cloakroom::{EncryptionKeys, Secret};
use cloakroom_sqlx::Codec;
use cloakroom_store::{AtRest, Enumerate, Expect, SetOutcome, Store, StoreErrorKind};

use super::*;

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

type Encrypting<B> = DbStore<Data, <B as Bench>::Db>;

async fn encrypting<B: Bench>(case: &Case<B>, keys: EncryptionKeys) -> Encrypting<B> {
    case.builder().encrypted_with(keys).create().await.unwrap()
}

async fn add<B: Bench>(store: &Encrypting<B>, number: u32, mut record: Record<Data>) {
    record.owner = Some(owner("ada"));
    let outcome = store.set(&key(number), record, Expect::Absent).await;
    assert_eq!(outcome.unwrap(), SetOutcome::Stored(1));
}

async fn word<B: Bench>(store: &Encrypting<B>, number: u32) -> Option<String> {
    let record = store.get(&key(number)).await.unwrap()?;
    Some(record.data[0].clone())
}

/// Why that session cannot be read.
async fn refusal<B: Bench>(store: &Encrypting<B>, number: u32) -> String {
    let error = store.get(&key(number)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Undecodable);
    let why = std::error::Error::source(&error).unwrap().to_string();
    assert!(!format!("{error:?} {why}").contains(MARKER));
    why
}

pub(crate) async fn an_encrypted_row_shows_nothing_of_the_data<B: Bench>(case: Case<B>) {
    let tags = [
        (Codec::Json, "json+enc"),
        #[cfg(feature = "messagepack")]
        (Codec::MessagePack, "messagepack+enc"),
    ];
    for (number, (codec, tag)) in (0..).zip(tags) {
        let builder = case.builder().codec(codec).encrypted_with(keys(0));
        assert!(format!("{builder:?}").contains("EncryptionKeys(1 of them)"));
        let store = builder.create().await.unwrap();
        add::<B>(&store, number, case.record(MARKER)).await;
        let row = store.row(&key(number)).await.unwrap().unwrap();
        assert_eq!(row.codec, tag);
        assert!(!contains(&row.data, MARKER));
        let record = row.decode::<Data>(&AtRest::encrypted_with(keys(0)));
        assert_eq!(record.unwrap().data[0], MARKER);
        assert!(row.decode::<Data>(&AtRest::default()).is_err());

        // Moved without being read.
        let times = case.record("").times;
        let to = key(number + 10);
        let _ = store.rotate(&key(number), &to, times).await.unwrap();
        assert!(store.touch(&to, times.last_seen_at).await.unwrap());
        assert_eq!(word::<B>(&store, number + 10).await.unwrap(), MARKER);
        let listed = store.list_by_owner(&owner("ada")).await.unwrap();
        assert!(listed.iter().all(|entry| entry.record.data[0] == MARKER));
        assert_eq!(listed.len() as u32, number + 1);
    }
}

pub(crate) async fn encryption_can_be_switched_on_and_off<B: Bench>(case: Case<B>) {
    for number in [1, 2] {
        add::<B>(&case.store, number, case.record(MARKER)).await;
    }
    let store = encrypting(&case, keys(0)).await;
    assert_eq!(word::<B>(&store, 1).await.unwrap(), MARKER);
    let row = store.row(&key(1)).await.unwrap().unwrap();
    assert!(row.codec == "json" && contains(&row.data, MARKER));

    let outcome = store.set(&key(1), case.record(MARKER), Expect::Version(1));
    assert_eq!(outcome.await.unwrap(), SetOutcome::Stored(2));
    let row = store.row(&key(1)).await.unwrap().unwrap();
    assert!(row.codec == "json+enc" && !contains(&row.data, MARKER));
    assert_eq!(word::<B>(&store, 1).await.unwrap(), MARKER);

    // Who has no keys reads what is not encrypted.
    assert!(refusal::<B>(&case.store, 1).await.contains("no keys"));
    assert_eq!(word::<B>(&case.store, 2).await.unwrap(), MARKER);
    // And who is strict, what is.
    let strict = case.builder().only_encrypted_with(keys(0));
    let strict = strict.create().await.unwrap();
    assert_eq!(word::<B>(&strict, 1).await.unwrap(), MARKER);
    assert!(refusal::<B>(&strict, 2).await.contains("is not encrypted"));
    // Given up again.
    let last = case.builder().only_decrypted_with(keys(0));
    let last = last.create().await.unwrap();
    assert_eq!(word::<B>(&last, 1).await.unwrap(), MARKER);
    let outcome = last.set(&key(1), case.record(MARKER), Expect::Version(2));
    assert_eq!(outcome.await.unwrap(), SetOutcome::Stored(3));
    let row = last.row(&key(1)).await.unwrap().unwrap();
    assert_eq!(row.codec, "json");
}

pub(crate) async fn keys_can_be_changed<B: Bench>(case: Case<B>) {
    let before = encrypting(&case, keys(0)).await;
    add::<B>(&before, 1, case.record("old")).await;
    let both = encrypting(&case, keys(1).and_accept(&secret(0))).await;
    add::<B>(&both, 2, case.record("new")).await;
    assert_eq!(word::<B>(&both, 1).await.unwrap(), "old");

    // Taken out: that session only.
    let after = encrypting(&case, keys(1)).await;
    assert_eq!(word::<B>(&after, 2).await.unwrap(), "new");
    let why = refusal::<B>(&after, 1).await;
    assert!(why.contains("a key that is not among"), "{why}");
    assert_eq!(after.all().await.unwrap().len(), 1);
    let listed = after.list_by_owner(&owner("ada")).await.unwrap();
    assert_eq!(listed[0].record.data[0], "new");
    assert_eq!(after.count().await.unwrap(), 2);
    assert!(after.destroy(&key(1)).await.unwrap());
}

pub(crate) async fn an_altered_row_harms_itself_only<B: Bench>(case: Case<B>) {
    let store = encrypting(&case, keys(0)).await;
    for number in [1, 2] {
        add::<B>(&store, number, case.record(MARKER)).await;
    }
    let data = store.row(&key(1)).await.unwrap().unwrap().data;
    let write = async |data: &[u8]| {
        let hex: String = data.iter().map(|byte| format!("{byte:02x}")).collect();
        let handle = key(1).handle();
        case.execute(&format!(
            "UPDATE {{table}} SET data = X'{hex}' WHERE handle = '{handle}'"
        ))
        .await;
    };
    // The format, the id of the key, the nonce, the data, the tag.
    for at in [0, 3, 20, 33, data.len() - 1] {
        let mut altered = data.clone();
        altered[at] ^= 1;
        write(&altered).await;
        refusal::<B>(&store, 1).await;
        assert_eq!(word::<B>(&store, 2).await.unwrap(), MARKER);
        assert_eq!(store.all().await.unwrap().len(), 1);
    }
    write(&data[..data.len() - 1]).await;
    refusal::<B>(&store, 1).await;
    write(&data).await;
    assert_eq!(word::<B>(&store, 1).await.unwrap(), MARKER);

    // Another codec is not what it was encrypted with; and data that is encrypted is not taken for what is not.
    for tag in ["messagepack+enc", "json"] {
        case.execute(&format!("UPDATE {{table}} SET codec = '{tag}'"))
            .await;
        refusal::<B>(&store, 1).await;
    }
}

pub(crate) async fn the_limit_counts_before_encryption<B: Bench>(case: Case<B>) {
    // The data is `["…"]`.
    let builder = case.builder().payload_limit(20).encrypted_with(keys(0));
    let store = builder.create().await.unwrap();
    add::<B>(&store, 1, case.record(&"x".repeat(16))).await;
    let large = case.record(&"x".repeat(17));
    let error = store.set(&key(2), large, Expect::Absent).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::TooLarge);
}
