//! Stores whose `admit` is broken.

use cloakroom_store::conformance::Payload;
use cloakroom_store::{
    AdmitOutcome, Enumerate, Expect, OwnerLimit, OwnerLimits, Record, SessionKey, SetOutcome,
    Store, StoreFuture, WhenReached,
};

use super::round_trip;
use crate::bent::Flaw;
use crate::shelf::Shelf;

/// Law 14: counts, and then writes, in two round trips.
#[derive(Debug, Default)]
pub(crate) struct CountThenAct;

impl Flaw for CountThenAct {
    fn admit<'a>(
        &'a self,
        shelf: &'a Shelf,
        ending: Option<SessionKey>,
        key: SessionKey,
        record: Record<Payload>,
        limit: OwnerLimit,
    ) -> StoreFuture<'a, AdmitOutcome> {
        StoreFuture::new(async move {
            let Some(owner) = record.owner.clone() else {
                return shelf.admit(ending.as_ref(), &key, record, limit).await;
            };
            let mut counted = shelf.list_by_owner(&owner).await?;
            counted.retain(|entry| Some(entry.key) != ending);
            let too_many = (counted.len() + 1).saturating_sub(limit.max.get() as usize);
            if too_many > 0 && limit.when_reached == WhenReached::Refuse {
                return Ok(AdmitOutcome::Refused);
            }
            if shelf.get(&key).await?.is_some() {
                return Ok(AdmitOutcome::Exists);
            }
            round_trip().await;
            let ended: Vec<_> = counted[..too_many].iter().map(|entry| entry.key).collect();
            for key in ended.iter().chain(&ending) {
                shelf.destroy(key).await?;
            }
            match shelf.set(&key, record, Expect::Absent).await? {
                SetOutcome::Stored(version) => Ok(AdmitOutcome::Stored { version, ended }),
                _ => Ok(AdmitOutcome::Exists),
            }
        })
    }
}

/// Law 14: the session is live before it is counted, so for a moment there is one too many.
#[derive(Debug, Default)]
pub(crate) struct LiveBeforeCounted;

impl Flaw for LiveBeforeCounted {
    fn admit<'a>(
        &'a self,
        shelf: &'a Shelf,
        ending: Option<SessionKey>,
        key: SessionKey,
        record: Record<Payload>,
        limit: OwnerLimit,
    ) -> StoreFuture<'a, AdmitOutcome> {
        if limit.when_reached == WhenReached::Refuse {
            return shelf.admit(ending.as_ref(), &key, record, limit);
        }
        StoreFuture::new(async move {
            if shelf.get(&key).await?.is_some() {
                return Ok(AdmitOutcome::Exists);
            }
            let mut early = record.clone();
            early.owner = None;
            shelf.put(key, early);
            round_trip().await;
            shelf.take(&key);
            shelf.admit(ending.as_ref(), &key, record, limit).await
        })
    }
}

/// Law 14: what signs in anew ends first, and only then it is counted.
#[derive(Debug, Default)]
pub(crate) struct EndsBeforeRefusing;

impl Flaw for EndsBeforeRefusing {
    fn admit<'a>(
        &'a self,
        shelf: &'a Shelf,
        ending: Option<SessionKey>,
        key: SessionKey,
        record: Record<Payload>,
        limit: OwnerLimit,
    ) -> StoreFuture<'a, AdmitOutcome> {
        if let Some(ending) = ending {
            shelf.take(&ending);
        }
        shelf.admit(None, &key, record, limit)
    }
}

/// Law 14: counts the session that is about to end.
#[derive(Debug, Default)]
pub(crate) struct CountsTheEnding;

impl Flaw for CountsTheEnding {
    fn admit<'a>(
        &'a self,
        shelf: &'a Shelf,
        ending: Option<SessionKey>,
        key: SessionKey,
        record: Record<Payload>,
        limit: OwnerLimit,
    ) -> StoreFuture<'a, AdmitOutcome> {
        StoreFuture::new(async move {
            let outcome = shelf.admit(None, &key, record, limit).await?;
            if let (Some(ending), AdmitOutcome::Stored { .. }) = (ending, &outcome) {
                shelf.destroy(&ending).await?;
            }
            Ok(outcome)
        })
    }
}

/// Law 14: counts what has expired and was not purged yet.
#[derive(Debug, Default)]
pub(crate) struct CountsTheDead;

impl Flaw for CountsTheDead {
    fn admit<'a>(
        &'a self,
        shelf: &'a Shelf,
        ending: Option<SessionKey>,
        key: SessionKey,
        record: Record<Payload>,
        limit: OwnerLimit,
    ) -> StoreFuture<'a, AdmitOutcome> {
        let all = shelf.raw_all();
        let of_owner = all.iter().filter(|(key, other)| {
            other.owner.is_some() && other.owner == record.owner && Some(*key) != ending
        });
        let room = limit.max.get() as usize > of_owner.count();
        if !room && limit.when_reached == WhenReached::Refuse {
            return StoreFuture::ready(Ok(AdmitOutcome::Refused));
        }
        shelf.admit(ending.as_ref(), &key, record, limit)
    }
}

/// Law 14: ends one session to make room, however many are too many.
#[derive(Debug, Default)]
pub(crate) struct EndsOneOnly;

impl Flaw for EndsOneOnly {
    fn admit<'a>(
        &'a self,
        shelf: &'a Shelf,
        ending: Option<SessionKey>,
        key: SessionKey,
        record: Record<Payload>,
        limit: OwnerLimit,
    ) -> StoreFuture<'a, AdmitOutcome> {
        StoreFuture::new(async move {
            let before = shelf.raw_all();
            let mut outcome = shelf.admit(ending.as_ref(), &key, record, limit).await?;
            if let AdmitOutcome::Stored { ended, .. } = &mut outcome {
                for spared in ended.drain(1.min(ended.len())..) {
                    let (_, record) = before
                        .iter()
                        .find(|(key, _)| *key == spared)
                        .expect("it was there before");
                    shelf.put(spared, record.clone());
                }
            }
            Ok(outcome)
        })
    }
}

/// Law 14: ends the newest instead of the oldest.
#[derive(Debug, Default)]
pub(crate) struct EndsNewest;

impl Flaw for EndsNewest {
    fn admit<'a>(
        &'a self,
        shelf: &'a Shelf,
        ending: Option<SessionKey>,
        key: SessionKey,
        mut record: Record<Payload>,
        limit: OwnerLimit,
    ) -> StoreFuture<'a, AdmitOutcome> {
        StoreFuture::new(async move {
            let Some(owner) = record.owner.clone() else {
                return shelf.admit(ending.as_ref(), &key, record, limit).await;
            };
            let mut entries = shelf.list_by_owner(&owner).await?;
            entries.retain(|entry| Some(entry.key) != ending);
            let room = limit.max.get() as usize > entries.len();
            if room || limit.when_reached == WhenReached::Refuse {
                return shelf.admit(ending.as_ref(), &key, record, limit).await;
            }
            let ended: Vec<_> = entries[limit.max.get() as usize - 1..]
                .iter()
                .map(|entry| entry.key)
                .collect();
            if shelf.get(&key).await?.is_some() {
                return Ok(AdmitOutcome::Exists);
            }
            ended
                .iter()
                .chain(&ending)
                .for_each(|key| drop(shelf.take(key)));
            record.version = 1;
            shelf.put(key, record);
            Ok(AdmitOutcome::Stored { version: 1, ended })
        })
    }
}

/// Law 14: treats nobody as an owner, who may have a few sessions.
#[derive(Debug, Default)]
pub(crate) struct LimitsNobody;

impl Flaw for LimitsNobody {
    fn admit<'a>(
        &'a self,
        shelf: &'a Shelf,
        ending: Option<SessionKey>,
        key: SessionKey,
        record: Record<Payload>,
        limit: OwnerLimit,
    ) -> StoreFuture<'a, AdmitOutcome> {
        let all = shelf.raw_all();
        let same = all.iter().filter(|(_, other)| other.owner.is_none());
        if record.owner.is_none() && same.count() >= limit.max.get() as usize {
            return StoreFuture::ready(Ok(AdmitOutcome::Refused));
        }
        shelf.admit(ending.as_ref(), &key, record, limit)
    }
}

/// Law 14: stores whatever is under the key.
#[derive(Debug, Default)]
pub(crate) struct AdmitsOver;

impl Flaw for AdmitsOver {
    fn admit<'a>(
        &'a self,
        shelf: &'a Shelf,
        ending: Option<SessionKey>,
        key: SessionKey,
        record: Record<Payload>,
        limit: OwnerLimit,
    ) -> StoreFuture<'a, AdmitOutcome> {
        shelf.take(&key);
        shelf.admit(ending.as_ref(), &key, record, limit)
    }
}
