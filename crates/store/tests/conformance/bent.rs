//! A correct shelf with one method bent. Each flaw overrides what it breaks.

use std::fmt::Debug;

use cloakroom_store::conformance::Payload;
use cloakroom_store::{
    AdmitOutcome, Entry, Enumerate, Expect, Owner, OwnerLimit, OwnerLimits, Record, Renewal,
    RotateOutcome, SessionKey, SetOutcome, Store, StoreFuture, Times, Timestamp, Trail,
};

use crate::shelf::Shelf;

pub(crate) trait Flaw: Debug + Send + Sync + 'static {
    fn get<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
    ) -> StoreFuture<'a, Option<Record<Payload>>> {
        shelf.get(&key)
    }

    fn set<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
        record: Record<Payload>,
        expect: Expect,
    ) -> StoreFuture<'a, SetOutcome> {
        shelf.set(&key, record, expect)
    }

    fn destroy<'a>(&'a self, shelf: &'a Shelf, key: SessionKey) -> StoreFuture<'a, bool> {
        shelf.destroy(&key)
    }

    fn touch<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
        seen: Timestamp,
    ) -> StoreFuture<'a, bool> {
        shelf.touch(&key, seen)
    }

    fn rotate<'a>(
        &'a self,
        shelf: &'a Shelf,
        from: SessionKey,
        to: SessionKey,
        times: Times,
    ) -> StoreFuture<'a, RotateOutcome> {
        shelf.rotate(&from, &to, times)
    }

    fn purge_expired<'a>(&'a self, shelf: &'a Shelf) -> StoreFuture<'a, u64> {
        shelf.purge_expired()
    }

    fn all<'a>(&'a self, shelf: &'a Shelf) -> StoreFuture<'a, Vec<Entry<Payload>>> {
        shelf.all()
    }

    fn list_by_owner<'a>(
        &'a self,
        shelf: &'a Shelf,
        owner: Owner,
    ) -> StoreFuture<'a, Vec<Entry<Payload>>> {
        shelf.list_by_owner(&owner)
    }

    fn destroy_by_owner<'a>(
        &'a self,
        shelf: &'a Shelf,
        owner: Owner,
        except: Vec<SessionKey>,
    ) -> StoreFuture<'a, u64> {
        shelf.destroy_by_owner(&owner, &except)
    }

    fn admit<'a>(
        &'a self,
        shelf: &'a Shelf,
        ending: Option<SessionKey>,
        key: SessionKey,
        record: Record<Payload>,
        limit: OwnerLimit,
    ) -> StoreFuture<'a, AdmitOutcome> {
        shelf.admit(ending.as_ref(), &key, record, limit)
    }

    fn renew<'a>(
        &'a self,
        shelf: &'a Shelf,
        from: SessionKey,
        to: SessionKey,
        times: Times,
        trail_ends_at: Timestamp,
    ) -> StoreFuture<'a, RotateOutcome> {
        shelf.renew(&from, &to, times, trail_ends_at)
    }

    fn follow<'a>(&'a self, shelf: &'a Shelf, key: SessionKey) -> StoreFuture<'a, Option<Trail>> {
        shelf.follow(&key)
    }
}

#[derive(Debug)]
pub(crate) struct Bent<F> {
    pub(crate) flaw: F,
    pub(crate) shelf: Shelf,
}

impl<F: Flaw> Store<Payload> for Bent<F> {
    fn get(&self, key: &SessionKey) -> StoreFuture<'_, Option<Record<Payload>>> {
        self.flaw.get(&self.shelf, *key)
    }

    fn set(
        &self,
        key: &SessionKey,
        record: Record<Payload>,
        expect: Expect,
    ) -> StoreFuture<'_, SetOutcome> {
        self.flaw.set(&self.shelf, *key, record, expect)
    }

    fn destroy(&self, key: &SessionKey) -> StoreFuture<'_, bool> {
        self.flaw.destroy(&self.shelf, *key)
    }

    fn touch(&self, key: &SessionKey, seen: Timestamp) -> StoreFuture<'_, bool> {
        self.flaw.touch(&self.shelf, *key, seen)
    }

    fn rotate(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        times: Times,
    ) -> StoreFuture<'_, RotateOutcome> {
        self.flaw.rotate(&self.shelf, *from, *to, times)
    }

    fn enumerate(&self) -> Option<&dyn Enumerate<Payload>> {
        Some(self)
    }

    fn owner_limits(&self) -> Option<&dyn OwnerLimits<Payload>> {
        Some(self)
    }

    fn renewal(&self) -> Option<&dyn Renewal> {
        Some(self)
    }
}

impl<F: Flaw> OwnerLimits<Payload> for Bent<F> {
    fn admit(
        &self,
        ending: Option<&SessionKey>,
        key: &SessionKey,
        record: Record<Payload>,
        limit: OwnerLimit,
    ) -> StoreFuture<'_, AdmitOutcome> {
        self.flaw
            .admit(&self.shelf, ending.copied(), *key, record, limit)
    }
}

impl<F: Flaw> Renewal for Bent<F> {
    fn renew(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        times: Times,
        trail_ends_at: Timestamp,
    ) -> StoreFuture<'_, RotateOutcome> {
        self.flaw
            .renew(&self.shelf, *from, *to, times, trail_ends_at)
    }

    fn follow(&self, key: &SessionKey) -> StoreFuture<'_, Option<Trail>> {
        self.flaw.follow(&self.shelf, *key)
    }
}

impl<F: Flaw> Enumerate<Payload> for Bent<F> {
    fn visit<'a>(
        &'a self,
        visitor: &'a mut (dyn FnMut(Entry<Payload>) + Send),
    ) -> StoreFuture<'a, ()> {
        self.shelf.visit(visitor)
    }

    fn all(&self) -> StoreFuture<'_, Vec<Entry<Payload>>> {
        self.flaw.all(&self.shelf)
    }

    fn clear(&self) -> StoreFuture<'_, u64> {
        self.shelf.clear()
    }

    fn count(&self) -> StoreFuture<'_, u64> {
        self.shelf.count()
    }

    fn purge_expired(&self) -> StoreFuture<'_, u64> {
        self.flaw.purge_expired(&self.shelf)
    }

    fn list_by_owner(&self, owner: &Owner) -> StoreFuture<'_, Vec<Entry<Payload>>> {
        self.flaw.list_by_owner(&self.shelf, owner.clone())
    }

    fn destroy_by_owner(&self, owner: &Owner, except: &[SessionKey]) -> StoreFuture<'_, u64> {
        self.flaw
            .destroy_by_owner(&self.shelf, owner.clone(), except.to_vec())
    }
}
