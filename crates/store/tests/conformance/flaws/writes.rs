//! Stores that write, or remove, as they should not.

use std::sync::Mutex;

use cloakroom_store::conformance::Payload;
use cloakroom_store::{Expect, Record, SessionKey, SetOutcome, Store, StoreFuture};

use super::{locked, round_trip};
use crate::bent::Flaw;
use crate::shelf::{Shelf, decide, too_large};

/// Law 4: every write succeeds, so a slow request revives what was destroyed.
#[derive(Debug, Default)]
pub(crate) struct Upsert;

impl Flaw for Upsert {
    fn set<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
        mut record: Record<Payload>,
        _: Expect,
    ) -> StoreFuture<'a, SetOutcome> {
        record.version = shelf.raw(&key).map_or(1, |old| old.version + 1);
        let outcome = SetOutcome::Stored(record.version);
        shelf.put(key, record);
        StoreFuture::ready(Ok(outcome))
    }
}

/// Law 3: looks, and then writes, in two round trips.
#[derive(Debug, Default)]
pub(crate) struct CheckThenAct;

impl Flaw for CheckThenAct {
    fn set<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
        mut record: Record<Payload>,
        expect: Expect,
    ) -> StoreFuture<'a, SetOutcome> {
        StoreFuture::new(async move {
            let live = shelf.get(&key).await?.map(|record| record.version);
            let outcome = decide(live, expect);
            if let SetOutcome::Stored(version) = outcome {
                round_trip().await;
                record.version = version;
                shelf.put(key, record);
            }
            Ok(outcome)
        })
    }
}

/// Law 4: looks whether there is a session, then overwrites it whatever became of it.
#[derive(Debug, Default)]
pub(crate) struct PresentThenUpsert;

impl Flaw for PresentThenUpsert {
    fn set<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
        mut record: Record<Payload>,
        expect: Expect,
    ) -> StoreFuture<'a, SetOutcome> {
        if expect != Expect::Present {
            return shelf.set(&key, record, expect);
        }
        StoreFuture::new(async move {
            let Some(found) = shelf.get(&key).await? else {
                return Ok(SetOutcome::Gone);
            };
            round_trip().await;
            record.version = found.version + 1;
            let outcome = SetOutcome::Stored(record.version);
            shelf.put(key, record);
            Ok(outcome)
        })
    }
}

/// Law 3: refuses, and asks in another round trip why; by then the expected version may be there.
#[derive(Debug, Default)]
pub(crate) struct AsksWhyLater;

impl Flaw for AsksWhyLater {
    fn set<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
        record: Record<Payload>,
        expect: Expect,
    ) -> StoreFuture<'a, SetOutcome> {
        let Expect::Version(expected) = expect else {
            return shelf.set(&key, record, expect);
        };
        StoreFuture::new(async move {
            let outcome = shelf.set(&key, record, expect).await?;
            if let SetOutcome::Stored(_) = outcome {
                return Ok(outcome);
            }
            round_trip().await;
            Ok(match shelf.get(&key).await?.map(|found| found.version) {
                Some(found) if found != expected => SetOutcome::Conflict(found),
                _ => SetOutcome::Gone,
            })
        })
    }
}

/// Law 12: notices only after writing that it was too much.
#[derive(Debug, Default)]
pub(crate) struct LimitAfterWriting;

impl Flaw for LimitAfterWriting {
    fn set<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
        mut record: Record<Payload>,
        expect: Expect,
    ) -> StoreFuture<'a, SetOutcome> {
        let Some(error) = too_large(&record) else {
            return shelf.set(&key, record, expect);
        };
        let live = shelf.raw(&key).map(|record| record.version);
        if let SetOutcome::Stored(version) = decide(live, expect) {
            record.version = version;
            shelf.put(key, record);
        }
        StoreFuture::ready(Err(error))
    }
}

/// Law 7: what it removed is still on the disk.
#[derive(Debug, Default)]
pub(crate) struct RemovesLater(Mutex<Vec<(SessionKey, Record<Payload>)>>);

impl RemovesLater {
    /// The application is killed before the disk has heard of it.
    pub(crate) fn undo(&self, shelf: &Shelf) {
        for (key, record) in locked(&self.0).drain(..) {
            shelf.put(key, record);
        }
    }
}

impl Flaw for RemovesLater {
    fn destroy<'a>(&'a self, shelf: &'a Shelf, key: SessionKey) -> StoreFuture<'a, bool> {
        let removed = shelf.raw(&key).map(|record| (key, record));
        locked(&self.0).extend(removed);
        shelf.destroy(&key)
    }
}
