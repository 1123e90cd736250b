//! A table of what is kept under session keys for a time. Compact, and quick at finding what is over.

mod index;
mod links;
mod schedule;
mod segments;
mod smaller;

use std::mem::replace;

use cloakroom_store::{SessionKey, Timestamp};

use index::Index;
pub(super) use index::Vacant;
use links::{Links, link, unlink};
use schedule::Schedule;
pub(super) use segments::Emptied;
use segments::Segments;
pub(super) use smaller::{Size, Smaller};

/// Something that is over some day, or never.
pub(super) trait Ends {
    fn ends_at(&self) -> Option<Timestamp>;

    fn is_over(&self, now: Timestamp) -> bool {
        self.ends_at().is_some_and(|end| end <= now)
    }
}

/// The values lie side by side. Where one is taken out, the next one that comes finds its place: nothing else moves,
/// which would take as long as the rest. Gaps are closed when there are many.
///
/// `B` is kept beside the values, in the index: whoever finds a key has it before the slot's memory has arrived.
#[derive(Debug)]
pub(super) struct Slots<V, B = ()> {
    slots: Segments<Slot<V>>,
    /// Where a key's slot is, and what is beside it.
    index: Index<B>,
    /// When to see which of them are over.
    schedule: Schedule,
    /// The first gap. They are a list.
    gap: Option<u32>,
    /// Whether they are being closed.
    closing: bool,
}

/// Where a key is, until another one is added or taken out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// In the index.
    place: usize,
    /// Its slot.
    at: u32,
}

#[derive(Debug)]
pub(super) struct Slot<V> {
    key: SessionKey,
    /// Nothing in a gap.
    value: Option<V>,
    links: Links,
}

impl<V> Slot<V> {
    /// With the key of nobody.
    fn gap() -> Self {
        Self {
            key: SessionKey::from_bytes([0; 32]),
            value: None,
            links: Links::NONE,
        }
    }

    fn value(&self) -> &V {
        self.value.as_ref().expect("the index knows no gap")
    }
}

impl<V, B> Default for Slots<V, B> {
    fn default() -> Self {
        Self {
            slots: Segments::default(),
            index: Index::default(),
            schedule: Schedule::default(),
            gap: None,
            closing: false,
        }
    }
}

impl<V: Ends, B> Slots<V, B> {
    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    pub(super) fn get(&self, key: &SessionKey) -> Option<&V> {
        Some(self.value(self.find(key).ok()?))
    }

    /// Where the key is, or where it belongs.
    #[inline]
    pub(super) fn find(&self, key: &SessionKey) -> Result<Found, Vacant> {
        let is_it = |at: u32, _: &B| self.slots[at].key == *key;
        let place = self.index.find(key, is_it)?;
        let (at, _) = self.index.at(place);
        Ok(Found { place, at })
    }

    pub(super) fn value(&self, found: Found) -> &V {
        self.slots[found.at].value()
    }

    /// The value and what is beside it. `ahead` is called with the latter, or seldom with that of another, before
    /// the slot is looked at.
    pub(super) fn get_both(&self, key: &SessionKey, ahead: impl Fn(&B)) -> Option<(&V, &B)> {
        let is_it = |at: u32, beside: &B| {
            ahead(beside);
            self.slots[at].key == *key
        };
        let (at, beside) = self.index.at(self.index.find(key, is_it).ok()?);
        Some((self.slots[at].value(), beside))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&SessionKey, &V, &B)> {
        self.index.iter().map(|(at, beside)| {
            let slot = &self.slots[at];
            (&slot.key, slot.value(), beside)
        })
    }

    /// Puts a value in, over whatever is there.
    pub(super) fn put(&mut self, key: SessionKey, whole: (V, B), now: Timestamp) -> Option<(V, B)> {
        let found = match self.find(&key) {
            Ok(found) => found,
            Err(vacant) => {
                self.add(vacant, key, whole, now);
                return None;
            }
        };
        let (value, beside) = whole;
        Some(self.change_at(found, now, |there, near| {
            (replace(there, value), replace(near, beside))
        }))
    }

    /// Changes what was found, in place.
    #[inline]
    pub(super) fn change_at<R>(
        &mut self,
        Found { place, at }: Found,
        now: Timestamp,
        change: impl FnOnce(&mut V, &mut B) -> R,
    ) -> R {
        let slot = &mut self.slots[at];
        let value = slot.value.as_mut().expect("the index knows no gap");
        let answer = change(value, self.index.beside(place));
        let end = value.ends_at();
        // What is looked at too early may stay where it is: so a session in use is moved once in a time-out and not
        // with every request.
        let stays = match (slot.links.due(), end) {
            (Some(due), Some(end)) => due <= end,
            (due, end) => due == end,
        };
        if !stays {
            self.schedule_anew(at, end, now);
        }
        answer
    }

    /// A value under a key that is not there yet.
    #[inline]
    pub(super) fn add(
        &mut self,
        vacant: Vacant,
        key: SessionKey,
        (value, beside): (V, B),
        now: Timestamp,
    ) {
        let end = value.ends_at();
        let at = match self.gap {
            Some(gap) => self.leave_gaps(gap),
            None => self.append(),
        };
        let slot = &mut self.slots[at];
        slot.key = key;
        slot.value = Some(value);
        self.index.insert(vacant, at, beside);
        if let Some(end) = end {
            self.schedule.add(&mut self.slots, at, end, now);
        }
    }

    /// Changes a value in place, which is not over yet. Whether there was one.
    pub(super) fn change(
        &mut self,
        key: &SessionKey,
        now: Timestamp,
        change: impl FnOnce(&mut V),
    ) -> bool {
        let Ok(found) = self.find(key) else {
            return false;
        };
        if self.value(found).is_over(now) {
            return false;
        }
        self.change_at(found, now, |value, _| change(value));
        true
    }

    #[inline]
    pub(super) fn take(&mut self, key: &SessionKey) -> Option<(V, B)> {
        let found = self.find(key).ok()?;
        Some(self.take_found(found))
    }

    /// Takes out what is over, after looking at `limit` slots at most. How many were looked at.
    pub(super) fn take_over(
        &mut self,
        now: Timestamp,
        limit: usize,
        mut taken: impl FnMut((SessionKey, V, B)),
    ) -> usize {
        let mut looked_at = 0;
        while looked_at < limit {
            let Some((due, at)) = self.schedule.first() else {
                break;
            };
            if due > now {
                break;
            }
            looked_at += 1;
            let slot = &self.slots[at];
            if slot.value().is_over(now) {
                let key = slot.key;
                let place = self.index.find(&key, |found, _| found == at);
                let place = place.expect("a key in a slot is in the index");
                let (value, beside) = self.take_found(Found { place, at });
                taken((key, value, beside));
            } else {
                // It lasts longer than that: look again nearer to its end.
                let end = slot.value().ends_at();
                self.schedule_anew(at, end, now);
            }
        }
        looked_at
    }

    /// When the first of them may be over, and which it is. Of those that are seen to at that moment, the one that was
    /// put in, or moved, first.
    pub(super) fn soonest(&self) -> Option<(Timestamp, &SessionKey, &V)> {
        let (due, at) = self.schedule.first()?;
        let slot = &self.slots[at];
        Some((due, &slot.key, slot.value()))
    }

    /// How many places there are.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.slots.capacity().max(self.index.capacity())
    }

    #[cfg(test)]
    pub(super) fn scheduled(&self) -> usize {
        let links = self.slots.iter().map(|slot| slot.links);
        links.filter(|links| links.due().is_some()).count()
    }

    #[cold]
    fn append(&mut self) -> u32 {
        let at = u32::try_from(self.slots.len()).expect("fewer than four billion a shard");
        self.slots.push(Slot::gap());
        at
    }

    /// A gap is one no longer.
    #[inline]
    fn leave_gaps(&mut self, at: u32) -> u32 {
        let links = unlink(&mut self.slots, at);
        if links.before().is_none() {
            self.gap = links.after();
        }
        at
    }

    #[inline]
    fn take_found(&mut self, Found { place, at }: Found) -> (V, B) {
        self.schedule.remove(&mut self.slots, at);
        let beside = self.index.remove(place);
        let value = link(&mut self.slots, at, self.gap, None).value.take();
        self.gap = Some(at);
        (value.expect("the index knows no gap"), beside)
    }

    #[cold]
    fn schedule_anew(&mut self, at: u32, end: Option<Timestamp>, now: Timestamp) {
        self.schedule.remove(&mut self.slots, at);
        if let Some(end) = end {
            self.schedule.add(&mut self.slots, at, end, now);
        }
    }
}

#[cfg(test)]
mod tests;
