//! Stores that purge too much.

use std::collections::HashMap;
use std::sync::Mutex;

use cloakroom_store::conformance::Payload;
use cloakroom_store::{
    Clock, Expect, Record, SessionKey, SetOutcome, Store, StoreFuture, Timestamp,
};

use super::{locked, round_trip};
use crate::bent::Flaw;
use crate::shelf::Shelf;

/// Law 8: purges by the expiry that a session had when it began.
#[derive(Debug, Default)]
pub(crate) struct PurgesRefreshed(Mutex<HashMap<SessionKey, Option<Timestamp>>>);

impl Flaw for PurgesRefreshed {
    fn set<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
        record: Record<Payload>,
        expect: Expect,
    ) -> StoreFuture<'a, SetOutcome> {
        locked(&self.0).insert(key, record.times.expires_at());
        shelf.set(&key, record, expect)
    }

    fn purge_expired<'a>(&'a self, shelf: &'a Shelf) -> StoreFuture<'a, u64> {
        let now = shelf.clock.now();
        let mut purged = 0;
        locked(&self.0).retain(|key, end| {
            let is_over = end.is_some_and(|end| end <= now);
            purged += u64::from(is_over && shelf.take(key).is_some());
            !is_over
        });
        StoreFuture::ready(Ok(purged))
    }
}

/// Law 8: reads what has expired, and then deletes it, whatever it is by then.
#[derive(Debug, Default)]
pub(crate) struct PurgesBlindly;

impl Flaw for PurgesBlindly {
    fn purge_expired<'a>(&'a self, shelf: &'a Shelf) -> StoreFuture<'a, u64> {
        StoreFuture::new(async move {
            let now = shelf.clock.now();
            let mut expired = shelf.raw_all();
            expired.retain(|(_, record)| record.times.expired_at(now));
            round_trip().await;
            let removed = expired.iter().filter(|(key, _)| shelf.take(key).is_some());
            Ok(removed.count() as u64)
        })
    }
}
