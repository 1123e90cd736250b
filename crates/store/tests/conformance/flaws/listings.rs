//! Stores whose listings are wrong.

use std::collections::HashMap;
use std::sync::Mutex;

use cloakroom_store::conformance::Payload;
use cloakroom_store::{
    Entry, Enumerate, Expect, Owner, Record, SessionKey, SetOutcome, Store, StoreError,
    StoreErrorKind, StoreFuture, Timestamp,
};

use super::{locked, round_trip};
use crate::bent::Flaw;
use crate::shelf::Shelf;

/// Law 9: finds owners in a case-insensitive collation.
#[derive(Debug, Default)]
pub(crate) struct FoldsOwners;

impl Flaw for FoldsOwners {
    fn list_by_owner<'a>(
        &'a self,
        shelf: &'a Shelf,
        owner: Owner,
    ) -> StoreFuture<'a, Vec<Entry<Payload>>> {
        StoreFuture::new(async move {
            let mut entries = shelf.all().await?;
            let name = owner.as_str().to_lowercase();
            entries.retain(|entry| {
                entry
                    .record
                    .owner
                    .as_ref()
                    .is_some_and(|owner| owner.as_str().to_lowercase() == name)
            });
            entries.sort_by_key(|entry| entry.record.times.created_at);
            Ok(entries)
        })
    }
}

/// Law 9: the index knows sessions from their creation on; what a rotation or a later sign-in changes it misses.
#[derive(Debug, Default)]
pub(crate) struct IndexMisses(Mutex<HashMap<SessionKey, Owner>>);

impl Flaw for IndexMisses {
    fn set<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
        record: Record<Payload>,
        expect: Expect,
    ) -> StoreFuture<'a, SetOutcome> {
        if let (Expect::Absent, Some(owner)) = (expect, &record.owner) {
            locked(&self.0).insert(key, owner.clone());
        }
        shelf.set(&key, record, expect)
    }

    fn list_by_owner<'a>(
        &'a self,
        shelf: &'a Shelf,
        owner: Owner,
    ) -> StoreFuture<'a, Vec<Entry<Payload>>> {
        StoreFuture::new(async move {
            let mut entries = shelf.list_by_owner(&owner).await?;
            entries.retain(|entry| locked(&self.0).get(&entry.key) == Some(&owner));
            Ok(entries)
        })
    }
}

/// Law 9: the index keeps sessions until a purge; expired ones are listed.
#[derive(Debug, Default)]
pub(crate) struct IndexKeepsDead;

impl Flaw for IndexKeepsDead {
    fn list_by_owner<'a>(
        &'a self,
        shelf: &'a Shelf,
        owner: Owner,
    ) -> StoreFuture<'a, Vec<Entry<Payload>>> {
        let mut entries: Vec<_> = shelf
            .raw_all()
            .into_iter()
            .map(|(key, record)| Entry::new(key, record))
            .filter(|entry| entry.record.owner.as_ref() == Some(&owner))
            .collect();
        entries.sort_by_key(|entry| entry.record.times.created_at);
        StoreFuture::ready(Ok(entries))
    }
}

/// Law 9: finds the keys first and reads the records afterwards; a session that is rotated in between is missed.
#[derive(Debug, Default)]
pub(crate) struct ListsInTwoSteps;

impl Flaw for ListsInTwoSteps {
    fn list_by_owner<'a>(
        &'a self,
        shelf: &'a Shelf,
        owner: Owner,
    ) -> StoreFuture<'a, Vec<Entry<Payload>>> {
        StoreFuture::new(async move {
            let found = shelf.list_by_owner(&owner).await?;
            round_trip().await;
            let mut entries = Vec::new();
            for entry in found {
                if let Some(record) = shelf.get(&entry.key).await? {
                    entries.push(Entry::new(entry.key, record));
                }
            }
            Ok(entries)
        })
    }
}

/// Law 9: signing out everywhere reads a list, and then writes dead records over what it read.
#[derive(Debug, Default)]
pub(crate) struct SignsOutSlowly;

impl Flaw for SignsOutSlowly {
    fn destroy_by_owner<'a>(
        &'a self,
        shelf: &'a Shelf,
        owner: Owner,
        except: Vec<SessionKey>,
    ) -> StoreFuture<'a, u64> {
        StoreFuture::new(async move {
            let mut ended = 0;
            for entry in shelf.list_by_owner(&owner).await? {
                if except.contains(&entry.key) {
                    continue;
                }
                let mut dead = entry.record;
                dead.times.ends_at = Some(Timestamp::MIN);
                round_trip().await;
                // A conflict is taken for "somebody else ended it".
                let expect = Expect::Version(dead.version);
                if let SetOutcome::Stored(_) = shelf.set(&entry.key, dead, expect).await? {
                    ended += 1;
                }
            }
            Ok(ended)
        })
    }
}

/// Law 9: of the keys that are to be spared, it spares the first.
#[derive(Debug, Default)]
pub(crate) struct SparesTheFirst;

impl Flaw for SparesTheFirst {
    fn destroy_by_owner<'a>(
        &'a self,
        shelf: &'a Shelf,
        owner: Owner,
        except: Vec<SessionKey>,
    ) -> StoreFuture<'a, u64> {
        let first = except.get(..1).unwrap_or_default();
        shelf.destroy_by_owner(&owner, first)
    }
}

/// Law 11: one bad record, and no listing.
#[derive(Debug, Default)]
pub(crate) struct OneBadFailsAll;

impl Flaw for OneBadFailsAll {
    fn all<'a>(&'a self, shelf: &'a Shelf) -> StoreFuture<'a, Vec<Entry<Payload>>> {
        if shelf.raw_all().iter().any(|(key, _)| shelf.is_spoiled(key)) {
            return StoreFuture::ready(Err(StoreError::new(
                StoreErrorKind::Undecodable,
                "spoiled",
            )));
        }
        shelf.all()
    }
}
