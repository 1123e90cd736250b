use std::error::Error;

use cloakroom_sqlx::{DbError, DbErrorKind};
use cloakroom_store::{
    AtRest, Clock, Enumerate, Expect, SetOutcome, Store, StoreError, StoreErrorKind,
};

use super::*;

fn db_kind(error: &StoreError) -> DbErrorKind {
    let source = error.source().unwrap();
    source.downcast_ref::<DbError>().unwrap().kind()
}

pub(crate) async fn an_undecodable_row_harms_itself_only<B: Bench>(case: Case<B>) {
    for number in 0..4 {
        let mut record = case.record("a");
        record.owner = Some(owner("ada"));
        case.add(&key(number), record).await;
    }
    let handle = |number| key(number).handle();
    case.execute(&format!(
        "UPDATE {{table}} SET data = 'no json' WHERE handle = '{}'",
        handle(1)
    ))
    .await;
    case.execute(&format!(
        "UPDATE {{table}} SET codec = 'later' WHERE handle = '{}'",
        handle(2)
    ))
    .await;

    for number in [1, 2] {
        let error = case.store.get(&key(number)).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Undecodable);
        assert!(case.store.row(&key(number)).await.unwrap().is_some());
    }
    assert_eq!(case.word(&key(0)).await.unwrap(), "a");
    assert_eq!(case.store.all().await.unwrap().len(), 2);
    assert_eq!(
        case.store.list_by_owner(&owner("ada")).await.unwrap().len(),
        2
    );
    assert_eq!(case.store.count().await.unwrap(), 4);

    // Not overwritten by accident, but on purpose; and it can be ended.
    let outcome = case
        .store
        .set(&key(1), case.record("b"), Expect::Absent)
        .await
        .unwrap();
    assert_eq!(outcome, SetOutcome::Exists);
    let outcome = case
        .store
        .set(&key(1), case.record("b"), Expect::Version(1))
        .await
        .unwrap();
    assert_eq!(outcome, SetOutcome::Stored(2));
    assert!(case.store.destroy(&key(2)).await.unwrap());
    case.execute("UPDATE {table} SET codec = 'later'").await;
    assert_eq!(
        case.store
            .destroy_by_owner(&owner("ada"), &[key(0)])
            .await
            .unwrap(),
        1
    );
    assert_eq!(case.store.clear().await.unwrap(), 2);
}

pub(crate) async fn a_malformed_column_harms_its_row_only<B: Bench>(case: Case<B>) {
    case.add(&key(1), case.record("a")).await;
    case.add(&key(2), case.record("b")).await;
    case.execute(&format!(
        "UPDATE {{table}} SET idle_timeout_ms = -1 WHERE handle = '{}'",
        key(1).handle()
    ))
    .await;
    let error = case.store.get(&key(1)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Undecodable);
    assert_eq!(case.store.all().await.unwrap().len(), 1);
    assert!(case.store.destroy(&key(1)).await.unwrap());
}

pub(crate) async fn the_row_as_stored<B: Bench>(case: Case<B>) {
    let mut record = case.ending_in("a", 60);
    record.owner = Some(owner("ada"));
    case.add(&key(1), record.clone()).await;
    let row = case.store.row(&key(1)).await.unwrap().unwrap();
    assert_eq!(row.key, key(1));
    assert_eq!(row.data, br#"["a"]"#);
    assert_eq!(row.codec, "json");
    assert_eq!(row.owner.as_deref(), Some("ada"));
    assert_eq!(row.expires_at, record.times.ends_at);
    assert_eq!(
        row.decode::<Data>(&AtRest::default()).unwrap().times,
        record.times
    );

    // The handle in the table is that of the key, after a rotation too.
    let times = record.times;
    let _ = case.store.rotate(&key(1), &key(2), times).await.unwrap();
    case.execute(&format!(
        "DELETE FROM {{table}} WHERE handle = '{}'",
        key(2).handle()
    ))
    .await;
    assert!(case.store.row(&key(2)).await.unwrap().is_none());
}

pub(crate) async fn no_secret_in_errors_nor_debug<B: Bench>(case: Case<B>) {
    let mut record = case.record("hunter2");
    record.owner = Some(owner("ada"));
    case.add(&key(1), record).await;
    let row = case.store.row(&key(1)).await.unwrap().unwrap();
    case.execute("UPDATE {table} SET data = '\"hunter2\"'")
        .await;
    let error = case.store.get(&key(1)).await.unwrap_err();
    let store = &case.store;
    for text in [
        format!("{row:?} {error:?} {store:?}"),
        error.source().unwrap().to_string(),
    ] {
        assert!(
            !text.contains("hunter2") && !text.contains("\"ada\""),
            "{text}"
        );
        assert!(!text.contains("171, 171"), "key bytes in {text}");
    }
}

pub(crate) async fn a_schema_of_another_version_is_refused<B: Bench>(case: Case<B>) {
    case.execute("UPDATE {table}_schema SET version = 3").await;
    let error = case.builder().create().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Internal);
    assert_eq!(db_kind(&error), DbErrorKind::NewerSchema);
    let text = error.source().unwrap().to_string();
    assert!(
        text.contains("version 3") && text.contains(case.table.as_str()),
        "{text}"
    );

    // Without a column that this release needs.
    case.execute("UPDATE {table}_schema SET version = 1").await;
    case.execute("ALTER TABLE {table} DROP COLUMN renewed_at")
        .await;
    let error = case.builder().create().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Internal);
    assert_eq!(db_kind(&error), DbErrorKind::OlderSchema);
    assert!(error.source().unwrap().to_string().contains("version 1"));

    case.execute("UPDATE {table}_schema SET version = 2").await;
    case.builder().create().await.unwrap();
}

pub(crate) async fn a_missing_table_is_not_a_logout<B: Bench>(case: Case<B>) {
    case.execute("DROP TABLE {table}").await;
    let error = case.store.get(&key(1)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert_eq!(db_kind(&error), DbErrorKind::Missing);
}

#[cfg(feature = "messagepack")]
pub(crate) async fn codecs_can_be_switched<B: Bench>(case: Case<B>) {
    use cloakroom_sqlx::Codec;

    let packed = case
        .builder()
        .codec(Codec::MessagePack)
        .create()
        .await
        .unwrap();
    case.add(&key(1), case.record("json")).await;
    let outcome = packed
        .set(&key(2), case.record("packed"), Expect::Absent)
        .await
        .unwrap();
    assert_eq!(outcome, SetOutcome::Stored(1));

    // Each store reads what the other wrote.
    assert_eq!(case.word(&key(2)).await.unwrap(), "packed");
    assert_eq!(packed.get(&key(1)).await.unwrap().unwrap().data[0], "json");
    let row = packed.row(&key(2)).await.unwrap().unwrap();
    assert_eq!(row.codec, "messagepack");
    assert!(serde_json::from_slice::<Data>(&row.data).is_err());

    // A write brings the row into the writer's codec; touch and rotate leave it.
    let now = case.clock.now();
    assert!(packed.touch(&key(1), now).await.unwrap());
    assert_eq!(packed.row(&key(1)).await.unwrap().unwrap().codec, "json");
    let outcome = packed
        .set(&key(1), case.record("x"), Expect::Version(1))
        .await
        .unwrap();
    assert_eq!(outcome, SetOutcome::Stored(2));
    assert_eq!(
        case.store.row(&key(1)).await.unwrap().unwrap().codec,
        "messagepack"
    );
    assert_eq!(case.word(&key(1)).await.unwrap(), "x");
}

#[cfg(not(feature = "messagepack"))]
pub(crate) async fn codecs_can_be_switched<B: Bench>(case: Case<B>) {
    case.add(&key(1), case.record("a")).await;
    case.execute("UPDATE {table} SET codec = 'messagepack'")
        .await;
    let error = case.store.get(&key(1)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Undecodable);
    let _ = case.clock.now();
}
