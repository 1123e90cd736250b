//! Stores whose `renew` or `follow` is broken.

use cloakroom_store::conformance::Payload;
use cloakroom_store::{
    Clock, Enumerate, Expect, Owner, Renewal, RotateOutcome, SessionKey, SetOutcome, Store,
    StoreFuture, Times, Timestamp, Trail,
};

use super::round_trip;
use crate::bent::Flaw;
use crate::shelf::Shelf;

/// Law 15: rotates, and leaves the trail a round trip later.
#[derive(Debug, Default)]
pub(crate) struct TrailComesLate;

impl Flaw for TrailComesLate {
    fn renew<'a>(
        &'a self,
        shelf: &'a Shelf,
        from: SessionKey,
        to: SessionKey,
        times: Times,
        trail_ends_at: Timestamp,
    ) -> StoreFuture<'a, RotateOutcome> {
        StoreFuture::new(async move {
            let outcome = shelf.rotate(&from, &to, times).await?;
            if let RotateOutcome::Moved { .. } = outcome {
                round_trip().await;
                shelf.put_trail(from, Trail::new(to, times.renewed_at), trail_ends_at);
            }
            Ok(outcome)
        })
    }
}

/// Law 15: leaves the trail first, and then finds that nothing can be moved.
#[derive(Debug, Default)]
pub(crate) struct TrailComesFirst;

impl Flaw for TrailComesFirst {
    fn renew<'a>(
        &'a self,
        shelf: &'a Shelf,
        from: SessionKey,
        to: SessionKey,
        times: Times,
        trail_ends_at: Timestamp,
    ) -> StoreFuture<'a, RotateOutcome> {
        shelf.put_trail(from, Trail::new(to, times.renewed_at), trail_ends_at);
        shelf.rotate(&from, &to, times)
    }
}

/// Law 15: keeps the old key alive for as long as the trail, so that late requests find the session.
#[derive(Debug, Default)]
pub(crate) struct OldKeyLivesOn;

impl Flaw for OldKeyLivesOn {
    fn renew<'a>(
        &'a self,
        shelf: &'a Shelf,
        from: SessionKey,
        to: SessionKey,
        times: Times,
        trail_ends_at: Timestamp,
    ) -> StoreFuture<'a, RotateOutcome> {
        StoreFuture::new(async move {
            let before = shelf.get(&from).await?;
            let outcome = shelf.renew(&from, &to, times, trail_ends_at).await?;
            if let (RotateOutcome::Moved { .. }, Some(mut record)) = (outcome, before) {
                record.times.ends_at = Some(trail_ends_at);
                shelf.put(from, record);
            }
            Ok(outcome)
        })
    }
}

/// Law 15: deletes and writes anew what it read before, so an update in between is lost.
#[derive(Debug, Default)]
pub(crate) struct RenewLosesUpdates;

impl Flaw for RenewLosesUpdates {
    fn renew<'a>(
        &'a self,
        shelf: &'a Shelf,
        from: SessionKey,
        to: SessionKey,
        times: Times,
        trail_ends_at: Timestamp,
    ) -> StoreFuture<'a, RotateOutcome> {
        StoreFuture::new(async move {
            let Some(mut before) = shelf.get(&from).await? else {
                return Ok(RotateOutcome::Gone);
            };
            round_trip().await;
            let mut outcome = shelf.renew(&from, &to, times, trail_ends_at).await?;
            if let RotateOutcome::Moved { found, version } = &mut outcome {
                (*found, *version) = (before.version, before.version);
                before.times = times;
                shelf.put(to, before);
            }
            Ok(outcome)
        })
    }
}

/// Law 15: two that renew at once both believe that they won.
#[derive(Debug, Default)]
pub(crate) struct TwoRenewalsWin;

impl Flaw for TwoRenewalsWin {
    fn renew<'a>(
        &'a self,
        shelf: &'a Shelf,
        from: SessionKey,
        to: SessionKey,
        times: Times,
        trail_ends_at: Timestamp,
    ) -> StoreFuture<'a, RotateOutcome> {
        StoreFuture::new(async move {
            let Some(mut record) = shelf.get(&from).await? else {
                return Ok(RotateOutcome::Gone);
            };
            let version = record.version;
            round_trip().await;
            record.times = times;
            let write = shelf.set(&to, record.clone(), Expect::Absent).await?;
            if write == SetOutcome::Exists {
                return Ok(RotateOutcome::Exists);
            }
            shelf.put(to, record);
            shelf.take(&from);
            shelf.put_trail(from, Trail::new(to, times.renewed_at), trail_ends_at);
            Ok(RotateOutcome::Moved {
                found: version,
                version,
            })
        })
    }
}

/// Law 15: never looks at the end of a trail.
#[derive(Debug, Default)]
pub(crate) struct TrailsForever;

impl Flaw for TrailsForever {
    fn follow<'a>(&'a self, shelf: &'a Shelf, key: SessionKey) -> StoreFuture<'a, Option<Trail>> {
        StoreFuture::ready(Ok(shelf.raw_trail(&key)))
    }
}

/// Law 15: answers the end of the chain, which may be over, and not the next step.
#[derive(Debug, Default)]
pub(crate) struct FollowsToTheEnd;

impl Flaw for FollowsToTheEnd {
    fn follow<'a>(&'a self, shelf: &'a Shelf, key: SessionKey) -> StoreFuture<'a, Option<Trail>> {
        StoreFuture::new(async move {
            let mut found = shelf.follow(&key).await?;
            while let Some(trail) = found {
                match shelf.follow(&trail.to).await? {
                    Some(next) => found = Some(next),
                    None => break,
                }
            }
            Ok(found)
        })
    }
}

/// Law 15: says when it was called, not what it was told.
#[derive(Debug, Default)]
pub(crate) struct TrailHasOwnTime;

impl Flaw for TrailHasOwnTime {
    fn renew<'a>(
        &'a self,
        shelf: &'a Shelf,
        from: SessionKey,
        to: SessionKey,
        times: Times,
        trail_ends_at: Timestamp,
    ) -> StoreFuture<'a, RotateOutcome> {
        StoreFuture::new(async move {
            let outcome = shelf.renew(&from, &to, times, trail_ends_at).await?;
            if let RotateOutcome::Moved { .. } = outcome {
                shelf.put_trail(from, Trail::new(to, shelf.clock.now()), trail_ends_at);
            }
            Ok(outcome)
        })
    }
}

/// Law 15: a destroy under the old key takes the trail with it: a second sign-out would find nothing.
#[derive(Debug, Default)]
pub(crate) struct DestroyTakesTheTrail;

impl Flaw for DestroyTakesTheTrail {
    fn destroy<'a>(&'a self, shelf: &'a Shelf, key: SessionKey) -> StoreFuture<'a, bool> {
        shelf.take_trail(&key);
        shelf.destroy(&key)
    }
}

/// Law 15: the trail's end ends whatever is under that key.
#[derive(Debug, Default)]
pub(crate) struct PurgesByKey;

impl Flaw for PurgesByKey {
    fn purge_expired<'a>(&'a self, shelf: &'a Shelf) -> StoreFuture<'a, u64> {
        StoreFuture::new(async move {
            for (key, _) in shelf.raw_all() {
                let over = shelf.follow(&key).await?.is_none();
                if over && shelf.take_trail(&key).is_some() {
                    shelf.take(&key);
                }
            }
            shelf.purge_expired().await
        })
    }
}

/// Law 15: what was renewed is listed under both keys.
#[derive(Debug, Default)]
pub(crate) struct ListsTrails;

impl Flaw for ListsTrails {
    fn renew<'a>(
        &'a self,
        shelf: &'a Shelf,
        from: SessionKey,
        to: SessionKey,
        mut times: Times,
        trail_ends_at: Timestamp,
    ) -> StoreFuture<'a, RotateOutcome> {
        let before = shelf.raw(&from);
        let outcome = shelf.renew(&from, &to, times, trail_ends_at);
        if let Some(mut record) = before.filter(|_| shelf.raw(&from).is_none()) {
            // Dead, but kept, for the trail's sake.
            times.ends_at = Some(Timestamp::MIN);
            record.times = times;
            shelf.put(from, record);
        }
        outcome
    }

    fn list_by_owner<'a>(
        &'a self,
        shelf: &'a Shelf,
        owner: Owner,
    ) -> StoreFuture<'a, Vec<cloakroom_store::Entry<Payload>>> {
        StoreFuture::new(async move {
            let mut entries = shelf.list_by_owner(&owner).await?;
            for (key, record) in shelf.raw_all() {
                let is_trail = record.times.ends_at == Some(Timestamp::MIN);
                if is_trail && record.owner.as_ref() == Some(&owner) {
                    entries.push(cloakroom_store::Entry::new(key, record));
                }
            }
            Ok(entries)
        })
    }
}
