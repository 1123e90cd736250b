//! Stores whose `rotate` or `touch` is broken.

use cloakroom_store::conformance::Payload;
use cloakroom_store::{
    Expect, Record, RotateOutcome, SessionKey, SetOutcome, Store, StoreFuture, Times, Timestamp,
};

use super::round_trip;
use crate::bent::Flaw;
use crate::shelf::Shelf;

/// Law 6: copies, and then deletes.
#[derive(Debug, Default)]
pub(crate) struct CopyThenDelete;

impl Flaw for CopyThenDelete {
    fn rotate<'a>(
        &'a self,
        shelf: &'a Shelf,
        from: SessionKey,
        to: SessionKey,
        times: Times,
    ) -> StoreFuture<'a, RotateOutcome> {
        StoreFuture::new(async move {
            let Some(mut record) = shelf.get(&from).await? else {
                return Ok(RotateOutcome::Gone);
            };
            let found = record.version;
            record.times = times;
            match shelf.set(&to, record, Expect::Absent).await? {
                SetOutcome::Stored(version) => {
                    round_trip().await;
                    shelf.destroy(&from).await?;
                    Ok(RotateOutcome::Moved { found, version })
                }
                _ => Ok(RotateOutcome::Exists),
            }
        })
    }
}

/// Law 5: deletes and writes anew what it read before, so an update in between is lost.
#[derive(Debug, Default)]
pub(crate) struct RotateLosesUpdates;

impl Flaw for RotateLosesUpdates {
    fn rotate<'a>(
        &'a self,
        shelf: &'a Shelf,
        from: SessionKey,
        to: SessionKey,
        times: Times,
    ) -> StoreFuture<'a, RotateOutcome> {
        StoreFuture::new(async move {
            if shelf.get(&to).await?.is_some() {
                return Ok(RotateOutcome::Exists);
            }
            let Some(mut record) = shelf.get(&from).await? else {
                return Ok(RotateOutcome::Gone);
            };
            round_trip().await;
            if !shelf.destroy(&from).await? {
                return Ok(RotateOutcome::Gone);
            }
            record.times = times;
            let found = record.version;
            shelf.put(to, record);
            Ok(RotateOutcome::Moved {
                found,
                version: found,
            })
        })
    }
}

/// Law 5: touching what is not there makes it.
#[derive(Debug, Default)]
pub(crate) struct TouchCreates;

impl Flaw for TouchCreates {
    fn touch<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
        seen: Timestamp,
    ) -> StoreFuture<'a, bool> {
        if shelf.raw(&key).is_none() {
            let mut record = Record::new(Payload::new().into(), Times::starting(seen));
            record.version = 1;
            shelf.put(key, record);
        }
        shelf.touch(&key, seen)
    }
}

/// Law 5: touching writes back the whole record as it was read.
#[derive(Debug, Default)]
pub(crate) struct TouchWritesBack;

impl Flaw for TouchWritesBack {
    fn touch<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
        seen: Timestamp,
    ) -> StoreFuture<'a, bool> {
        StoreFuture::new(async move {
            let Some(mut record) = shelf.get(&key).await? else {
                return Ok(false);
            };
            round_trip().await;
            record.times.last_seen_at = seen;
            if shelf.raw(&key).is_some() {
                shelf.put(key, record);
            }
            Ok(true)
        })
    }
}
