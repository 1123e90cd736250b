use std::collections::{BTreeSet, HashMap};

use cloakroom_store::{Owner, Record, SessionKey, Timestamp, Trail};

use super::key_hasher::BuildKeyHasher;

/// A part of the sessions, with the schedule of when to look at which of them.
#[derive(Debug)]
pub(super) struct Shard<T> {
    slots: HashMap<SessionKey, Slot<T>, BuildKeyHasher>,
    /// When to see whether a session has expired, the soonest first. At most one entry a session, and never
    /// later than its expiry; earlier, if it was used since. So a session in use is moved once in a time-out
    /// and not with every request.
    schedule: BTreeSet<(Timestamp, SessionKey)>,
    /// Where sessions went from keys of this shard, and until when that is told.
    trails: HashMap<SessionKey, (Trail, Timestamp), BuildKeyHasher>,
    trails_end: BTreeSet<(Timestamp, SessionKey)>,
}

#[derive(Debug)]
struct Slot<T> {
    record: Record<T>,
    scheduled: Option<Timestamp>,
}

impl<T> Default for Shard<T> {
    fn default() -> Self {
        Self {
            slots: HashMap::default(),
            schedule: BTreeSet::new(),
            trails: HashMap::default(),
            trails_end: BTreeSet::new(),
        }
    }
}

impl<T> Shard<T> {
    pub(super) fn live(&self, key: &SessionKey, now: Timestamp) -> Option<&Record<T>> {
        let record = &self.slots.get(key)?.record;
        (!record.times.expired_at(now)).then_some(record)
    }

    /// Whether there is a record at all, expired or not.
    pub(super) fn holds(&self, key: &SessionKey) -> bool {
        self.slots.contains_key(key)
    }

    /// The owner of a record, expired or not.
    pub(super) fn owner(&self, key: &SessionKey) -> Option<&Owner> {
        self.slots.get(key)?.record.owner.as_ref()
    }

    pub(super) fn records(&self) -> impl Iterator<Item = (&SessionKey, &Record<T>)> {
        self.slots.iter().map(|(key, slot)| (key, &slot.record))
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Puts a record in, over whatever is there.
    pub(super) fn put(&mut self, key: SessionKey, record: Record<T>) {
        let before = self.slots.get(&key).and_then(|slot| slot.scheduled);
        let scheduled = self.reschedule(key, before, record.times.expires_at());
        self.slots.insert(key, Slot { record, scheduled });
    }

    /// Changes a live record in place. Whether there was one.
    pub(super) fn change(
        &mut self,
        key: &SessionKey,
        now: Timestamp,
        change: impl FnOnce(&mut Record<T>),
    ) -> bool {
        let Some(slot) = self.slots.get_mut(key) else {
            return false;
        };
        if slot.record.times.expired_at(now) {
            return false;
        }
        change(&mut slot.record);
        let (before, expiry) = (slot.scheduled, slot.record.times.expires_at());
        let scheduled = self.reschedule(*key, before, expiry);
        self.slots
            .get_mut(key)
            .expect("it was there a moment ago")
            .scheduled = scheduled;
        true
    }

    pub(super) fn take(&mut self, key: &SessionKey) -> Option<Record<T>> {
        let slot = self.slots.remove(key)?;
        if let Some(at) = slot.scheduled {
            self.schedule.remove(&(at, *key));
        }
        Some(slot.record)
    }

    /// Beyond `most` trails, the one goes that would go soonest.
    pub(super) fn leave_trail(
        &mut self,
        from: SessionKey,
        trail: Trail,
        ends_at: Timestamp,
        most: usize,
    ) {
        if let Some((_, before)) = self.trails.insert(from, (trail, ends_at)) {
            self.trails_end.remove(&(before, from));
        }
        self.trails_end.insert((ends_at, from));
        if self.trails.len() > most {
            let soonest = self.trails_end.pop_first();
            soonest.map(|(_, key)| self.trails.remove(&key));
        }
    }

    pub(super) fn trail(&self, from: &SessionKey, now: Timestamp) -> Option<Trail> {
        let (trail, ends_at) = self.trails.get(from)?;
        (*ends_at > now).then_some(*trail)
    }

    /// Removes what has expired, `limit` at most, and tells the caller whose sessions these were.
    pub(super) fn purge(&mut self, now: Timestamp, limit: usize) -> Purged {
        let mut purged = Purged::default();
        for _ in 0..limit {
            let Some(&(at, key)) = self.schedule.first() else {
                break;
            };
            if at > now {
                break;
            }
            purged.looked_at += 1;
            self.schedule.pop_first();
            let Some(slot) = self.slots.get_mut(&key) else {
                continue;
            };
            slot.scheduled = None;
            if slot.record.times.expired_at(now) {
                purged.removed += 1;
                let record = self
                    .slots
                    .remove(&key)
                    .expect("it was there a moment ago")
                    .record;
                purged.owned.extend(record.owner.map(|owner| (owner, key)));
            } else {
                // It was used since: look again when it would end now.
                let expiry = slot.record.times.expires_at();
                slot.scheduled = expiry;
                self.schedule.extend(expiry.map(|at| (at, key)));
            }
        }
        for _ in 0..limit {
            let Some(&(at, key)) = self.trails_end.first().filter(|(at, _)| *at <= now) else {
                break;
            };
            purged.looked_at += 1;
            self.trails_end.remove(&(at, key));
            self.trails.remove(&key);
        }
        self.give_back_memory();
        purged
    }

    /// The session that ends soonest, or was scheduled to, if any of them ends at all.
    pub(super) fn soonest(&self) -> Option<SessionKey> {
        self.schedule.first().map(|(_, key)| *key)
    }

    #[cfg(test)]
    pub(super) fn memory_in_use(&self) -> (usize, usize) {
        (self.slots.capacity(), self.schedule.len())
    }

    #[cfg(test)]
    pub(super) fn trails_held(&self) -> (usize, usize) {
        (self.trails.len(), self.trails.capacity())
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// When to look at a session whose expiry is now this. An entry that comes earlier anyway may stay.
    fn reschedule(
        &mut self,
        key: SessionKey,
        before: Option<Timestamp>,
        expiry: Option<Timestamp>,
    ) -> Option<Timestamp> {
        match (before, expiry) {
            (Some(before), Some(expiry)) if before <= expiry => Some(before),
            _ => {
                if let Some(before) = before {
                    self.schedule.remove(&(before, key));
                }
                self.schedule.extend(expiry.map(|at| (at, key)));
                expiry
            }
        }
    }

    /// A table that is mostly empty goes back to twice what it holds, so that filling it again does not grow it
    /// at once.
    fn give_back_memory(&mut self) {
        let len = self.slots.len();
        if self.slots.capacity() > 4 * len + 64 {
            self.slots.shrink_to(2 * len);
        }
        let len = self.trails.len();
        if self.trails.capacity() > 4 * len + 64 {
            self.trails.shrink_to(2 * len);
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Purged {
    /// Entries of the schedule that were due, expired or not.
    pub(super) looked_at: usize,
    pub(super) removed: usize,
    /// Those removed that the owner index still names.
    pub(super) owned: Vec<(Owner, SessionKey)>,
}
