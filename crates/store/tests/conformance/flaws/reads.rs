//! Stores that answer wrongly.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use cloakroom_store::conformance::Payload;
use cloakroom_store::{
    Clock, Expect, Record, RotateOutcome, SessionKey, SetOutcome, Store, StoreError,
    StoreErrorKind, StoreFuture, Times, Timestamp,
};

use super::locked;
use crate::bent::Flaw;
use crate::shelf::Shelf;

/// Law 1: remembers what it read; writes through, but another instance's writes go unnoticed.
#[derive(Debug, Default)]
pub(crate) struct StaleCache(Mutex<HashMap<SessionKey, Record<Payload>>>);

impl Flaw for StaleCache {
    fn get<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
    ) -> StoreFuture<'a, Option<Record<Payload>>> {
        let now = shelf.clock.now();
        if let Some(record) = locked(&self.0)
            .get(&key)
            .filter(|record| !record.times.expired_at(now))
        {
            return StoreFuture::ready(Ok(Some(record.clone())));
        }
        StoreFuture::new(async move {
            let found = shelf.get(&key).await?;
            if let Some(record) = &found {
                locked(&self.0).insert(key, record.clone());
            }
            Ok(found)
        })
    }

    fn set<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
        record: Record<Payload>,
        expect: Expect,
    ) -> StoreFuture<'a, SetOutcome> {
        locked(&self.0).remove(&key);
        shelf.set(&key, record, expect)
    }

    fn destroy<'a>(&'a self, shelf: &'a Shelf, key: SessionKey) -> StoreFuture<'a, bool> {
        locked(&self.0).remove(&key);
        shelf.destroy(&key)
    }

    fn touch<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
        seen: Timestamp,
    ) -> StoreFuture<'a, bool> {
        locked(&self.0).remove(&key);
        shelf.touch(&key, seen)
    }

    fn rotate<'a>(
        &'a self,
        shelf: &'a Shelf,
        from: SessionKey,
        to: SessionKey,
        times: Times,
    ) -> StoreFuture<'a, RotateOutcome> {
        locked(&self.0).remove(&from);
        shelf.rotate(&from, &to, times)
    }
}

/// Law 13: compares the end, in UTC, with the time in a zone two hours ahead.
#[derive(Debug, Default)]
pub(crate) struct LocalTime;

impl Flaw for LocalTime {
    fn get<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
    ) -> StoreFuture<'a, Option<Record<Payload>>> {
        let local = shelf.clock.now().plus(Duration::from_secs(2 * 3_600));
        let record = shelf
            .raw(&key)
            .filter(|record| !record.times.expired_at(local));
        StoreFuture::ready(Ok(record))
    }
}

/// Law 10: says that there is nothing when it cannot tell.
#[derive(Debug, Default)]
pub(crate) struct NoneForTrouble;

impl Flaw for NoneForTrouble {
    fn get<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
    ) -> StoreFuture<'a, Option<Record<Payload>>> {
        StoreFuture::new(async move { Ok(shelf.get(&key).await.unwrap_or(None)) })
    }
}

/// Law 10: waits for a server that does not answer.
#[derive(Debug, Default)]
pub(crate) struct WaitsForever;

impl Flaw for WaitsForever {
    fn destroy<'a>(&'a self, shelf: &'a Shelf, key: SessionKey) -> StoreFuture<'a, bool> {
        if shelf.is_down() {
            return StoreFuture::new(std::future::pending());
        }
        shelf.destroy(&key)
    }
}

/// Law 1: compares keys as text in a case-insensitive collation.
#[derive(Debug, Default)]
pub(crate) struct FoldsKeys;

impl FoldsKeys {
    fn fold(key: SessionKey) -> SessionKey {
        SessionKey::from_bytes(key.as_bytes().map(|byte| byte.to_ascii_lowercase()))
    }
}

impl Flaw for FoldsKeys {
    fn get<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
    ) -> StoreFuture<'a, Option<Record<Payload>>> {
        shelf.get(&Self::fold(key))
    }

    fn set<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
        record: Record<Payload>,
        expect: Expect,
    ) -> StoreFuture<'a, SetOutcome> {
        shelf.set(&Self::fold(key), record, expect)
    }

    fn destroy<'a>(&'a self, shelf: &'a Shelf, key: SessionKey) -> StoreFuture<'a, bool> {
        shelf.destroy(&Self::fold(key))
    }

    fn rotate<'a>(
        &'a self,
        shelf: &'a Shelf,
        from: SessionKey,
        to: SessionKey,
        times: Times,
    ) -> StoreFuture<'a, RotateOutcome> {
        shelf.rotate(&Self::fold(from), &Self::fold(to), times)
    }
}

/// Law 2: an expired session is an error.
#[derive(Debug, Default)]
pub(crate) struct ExpiredIsAnError;

impl Flaw for ExpiredIsAnError {
    fn get<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
    ) -> StoreFuture<'a, Option<Record<Payload>>> {
        let now = shelf.clock.now();
        if shelf
            .raw(&key)
            .is_some_and(|record| record.times.expired_at(now))
        {
            return StoreFuture::ready(Err(StoreError::new(StoreErrorKind::Internal, "expired")));
        }
        shelf.get(&key)
    }
}

/// Law 2: a session lives a millisecond too long.
#[derive(Debug, Default)]
pub(crate) struct OffByOne;

impl Flaw for OffByOne {
    fn get<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
    ) -> StoreFuture<'a, Option<Record<Payload>>> {
        let before = shelf.clock.now().minus(Duration::from_millis(1));
        let record = shelf
            .raw(&key)
            .filter(|record| !record.times.expired_at(before));
        StoreFuture::ready(Ok(record))
    }
}
