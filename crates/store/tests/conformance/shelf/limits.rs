use cloakroom_store::conformance::Payload;
use cloakroom_store::{
    AdmitOutcome, Expect, OwnerLimit, OwnerLimits, Record, SessionKey, SetOutcome, StoreFuture,
    Timestamp, WhenReached,
};

use super::{Inner, Shelf, too_large};

impl OwnerLimits<Payload> for Shelf {
    fn admit(
        &self,
        ending: Option<&SessionKey>,
        key: &SessionKey,
        record: Record<Payload>,
        limit: OwnerLimit,
    ) -> StoreFuture<'_, AdmitOutcome> {
        if let Some(error) = too_large(&record) {
            return StoreFuture::ready(Err(error));
        }
        self.answer(|inner, now| inner.admit(ending, key, record, limit, now))
    }
}

impl Inner {
    fn admit(
        &mut self,
        ending: Option<&SessionKey>,
        key: &SessionKey,
        record: Record<Payload>,
        limit: OwnerLimit,
        now: Timestamp,
    ) -> AdmitOutcome {
        if self.live(key, now).is_some() {
            return AdmitOutcome::Exists;
        }
        let mut counted: Vec<_> = self
            .records
            .iter()
            .filter(|(_, other)| record.owner.is_some() && other.owner == record.owner)
            .filter(|(key, other)| !other.times.expired_at(now) && Some(*key) != ending)
            .map(|(key, other)| (other.times.created_at, *key))
            .collect();
        counted.sort();
        let too_many = (counted.len() + 1).saturating_sub(limit.max.get() as usize);
        if too_many > 0 && limit.when_reached == WhenReached::Refuse {
            return AdmitOutcome::Refused;
        }
        let ended: Vec<_> = counted[..too_many].iter().map(|(_, key)| *key).collect();
        for key in ended.iter().chain(ending) {
            self.remove(key, now);
        }
        match self.set(*key, record, Expect::Absent, now) {
            SetOutcome::Stored(version) => AdmitOutcome::Stored { version, ended },
            _ => AdmitOutcome::Exists,
        }
    }
}
