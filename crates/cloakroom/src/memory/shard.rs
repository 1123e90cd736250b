use std::cmp::Reverse;
use std::hint::black_box;
use std::mem::{swap, take};
use std::sync::Arc;

use cloakroom_store::{Owner, Record, SessionKey, Timestamp, Trail};

use super::facts::Facts;
use super::slots::{Emptied, Ends, Found, Size, Slot, Slots, Smaller, Vacant};

/// A part of the sessions, and of the trails of those that moved away from here.
#[derive(Debug)]
pub(super) struct Shard<T> {
    /// The data is beside the facts, so that reading waits for the memory of both at once.
    sessions: Slots<Facts, Arc<T>>,
    trails: Slots<Lasting>,
}

/// A session as it lies here: its data is better dropped when nobody waits.
pub(super) type Kept<T> = (Facts, Arc<T>);

/// A session that was taken out because it is over.
pub(super) type Purged<T> = (SessionKey, Facts, Arc<T>);

/// A session to be ended when there are too many, the first one of a shard. Of all shards' the least goes.
///
/// The schedule is coarse; of what it does not tell apart the oldest comes first. Not what ends first, which moves
/// with use: a shard whose first session is in use would lose none, and others lose even those who have just come.
/// Should all have begun at one moment too, the fullest shard loses one, for the same reason.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Soonest {
    due: Timestamp,
    began_at: Timestamp,
    ends_at: Option<Timestamp>,
    of_so_many: Reverse<usize>,
    pub(super) key: SessionKey,
}

/// Segments that became empty when gaps were closed. There is space for those of a few steps.
#[derive(Debug)]
pub(super) struct EmptiedSegments {
    sessions: Emptied<Slot<Facts>>,
    trails: Emptied<Slot<Lasting>>,
}

impl EmptiedSegments {
    pub(super) fn new() -> Self {
        Self {
            sessions: Vec::with_capacity(2),
            trails: Vec::with_capacity(2),
        }
    }

    pub(super) fn clear(&mut self) {
        self.sessions.clear();
        self.trails.clear();
    }
}

/// What is said and brought to give back a shard's memory. See [`Smaller`].
#[derive(Clone, Copy, Debug)]
pub(super) struct SmallerSizes {
    sessions: Option<Size>,
    trails: Option<Size>,
}

#[derive(Debug)]
pub(super) struct SmallerTables<T> {
    sessions: Option<Smaller<Facts, Arc<T>>>,
    trails: Option<Smaller<Lasting>>,
}

impl SmallerSizes {
    pub(super) fn any(&self) -> bool {
        self.sessions.is_some() || self.trails.is_some()
    }
}

impl<T> SmallerTables<T> {
    pub(super) fn new(sizes: SmallerSizes) -> Self {
        Self {
            sessions: sizes.sessions.map(Smaller::new),
            trails: sizes.trails.map(Smaller::new),
        }
    }
}

/// A trail with its end.
#[derive(Debug)]
struct Lasting {
    trail: Trail,
    ends_at: Timestamp,
}

impl Ends for Lasting {
    fn ends_at(&self) -> Option<Timestamp> {
        Some(self.ends_at)
    }
}

impl<T> Default for Shard<T> {
    fn default() -> Self {
        Self {
            sessions: Slots::default(),
            trails: Slots::default(),
        }
    }
}

impl<T> Shard<T> {
    pub(super) fn live(&self, key: &SessionKey, now: Timestamp) -> Option<&Facts> {
        self.facts(key).filter(|facts| !facts.is_over(now))
    }

    /// Where a record is, expired or not, or where it belongs.
    pub(super) fn find(&self, key: &SessionKey) -> Result<Found, Vacant> {
        self.sessions.find(key)
    }

    /// Where a record belongs that is not there.
    pub(super) fn vacant(&self, key: &SessionKey) -> Vacant {
        self.find(key).expect_err("it is not there")
    }

    pub(super) fn facts_at(&self, found: Found) -> &Facts {
        self.sessions.value(found)
    }

    /// Those of a record that is there, expired or not.
    pub(super) fn facts(&self, key: &SessionKey) -> Option<&Facts> {
        self.sessions.get(key)
    }

    pub(super) fn live_record(&self, key: &SessionKey, now: Timestamp) -> Option<Record<T>> {
        // Sharing the data counts it, which waits for all that came before. A mere look does not: so the
        // counter's memory is on its way while the facts' is waited for.
        let ahead = |data: &Arc<T>| {
            black_box(Arc::strong_count(data));
        };
        let (facts, data) = self.sessions.get_both(key, ahead)?;
        (!facts.is_over(now)).then(|| facts.shared(data))
    }

    /// Whether there is a record at all, expired or not.
    pub(super) fn holds(&self, key: &SessionKey) -> bool {
        self.facts(key).is_some()
    }

    /// The owner of a record, expired or not.
    pub(super) fn owner(&self, key: &SessionKey) -> Option<&Owner> {
        self.facts(key)?.owner.as_ref()
    }

    pub(super) fn live_records(
        &self,
        now: Timestamp,
    ) -> impl Iterator<Item = (&SessionKey, Record<T>)> {
        let all = self.sessions.iter();
        all.filter(move |(_, facts, _)| !facts.is_over(now))
            .map(|(key, facts, data)| (key, facts.shared(data)))
    }

    pub(super) fn count_live(&self, now: Timestamp) -> u64 {
        let all = self.sessions.iter();
        all.filter(|(_, facts, _)| !facts.is_over(now)).count() as u64
    }

    pub(super) fn len(&self) -> usize {
        self.sessions.len()
    }

    /// A record under a key that is not there yet.
    #[inline]
    pub(super) fn add(&mut self, vacant: Vacant, key: SessionKey, record: Kept<T>, now: Timestamp) {
        self.sessions.add(vacant, key, record, now);
    }

    /// Writes a record over another one of the same owner. What was there is in `record` then: the data is better
    /// dropped when nobody waits.
    pub(super) fn write_over(&mut self, found: Found, record: &mut Record<T>, now: Timestamp) {
        self.sessions.change_at(found, now, |facts, data| {
            facts.exchange(record);
            swap(data, &mut record.data);
        });
    }

    /// Changes a live record in place. Whether there was one.
    pub(super) fn change(
        &mut self,
        key: &SessionKey,
        now: Timestamp,
        change: impl FnOnce(&mut Facts),
    ) -> bool {
        self.sessions.change(key, now, change)
    }

    #[inline]
    pub(super) fn take(&mut self, key: &SessionKey) -> Option<Kept<T>> {
        self.sessions.take(key)
    }

    /// If there are `most` trails already, the one goes that would go soonest. Not the new one, whenever it ends: it is
    /// what requests that are under way are about to ask for.
    pub(super) fn leave_trail(
        &mut self,
        from: SessionKey,
        (trail, ends_at): (Trail, Timestamp),
        most: usize,
        now: Timestamp,
    ) {
        if self.trails.len() >= most
            && let Some((_, &soonest, _)) = self.trails.soonest()
        {
            self.trails.take(&soonest);
        }
        let lasting = Lasting { trail, ends_at };
        self.trails.put(from, (lasting, ()), now);
    }

    pub(super) fn trail(&self, from: &SessionKey, now: Timestamp) -> Option<Trail> {
        let lasting = self.trails.get(from)?;
        (!lasting.is_over(now)).then_some(lasting.trail)
    }

    /// Takes out what has expired, after a look at `limit` sessions and as many trails at most. Whether there may
    /// be more.
    pub(super) fn purge(
        &mut self,
        now: Timestamp,
        limit: usize,
        purged: &mut Vec<Purged<T>>,
    ) -> bool {
        let sessions = self.sessions.take_over(now, limit, |one| purged.push(one));
        let trails = self.trails.take_over(now, limit, drop);
        sessions == limit || trails == limit
    }

    /// Closes gaps where there are many, in a few steps. Whether there is more to do.
    pub(super) fn close_gaps(&mut self, steps: usize, emptied: &mut EmptiedSegments) -> bool {
        let sessions = self.sessions.close_gaps(steps, &mut emptied.sessions);
        let trails = self.trails.close_gaps(steps, &mut emptied.trails);
        sessions || trails
    }

    /// How large its tables should be, where most of the space is empty.
    pub(super) fn smaller_sizes(&self) -> SmallerSizes {
        SmallerSizes {
            sessions: self.sessions.smaller_size(),
            trails: self.trails.smaller_size(),
        }
    }

    /// Moves everything there. The old tables are in `smaller` then.
    pub(super) fn move_into(&mut self, smaller: &mut SmallerTables<T>) {
        if let Some(sessions) = &mut smaller.sessions {
            self.sessions.move_into(sessions);
        }
        if let Some(trails) = &mut smaller.trails {
            self.trails.move_into(trails);
        }
    }

    /// The session that ends soonest, or may.
    pub(super) fn soonest(&self) -> Option<Soonest> {
        let (due, &key, facts) = self.sessions.soonest()?;
        Some(Soonest {
            due,
            // Under this key: a session that moves joins a queue anew.
            began_at: facts.times.renewed_at,
            ends_at: facts.ends_at(),
            of_so_many: Reverse(self.len()),
            key,
        })
    }

    /// All that was there, to be dropped when nothing is locked.
    pub(super) fn clear(&mut self) -> Self {
        take(self)
    }

    /// How many places there are for sessions, and how many of them are scheduled.
    #[cfg(test)]
    pub(super) fn memory_in_use(&self) -> (usize, usize) {
        (self.sessions.capacity(), self.sessions.scheduled())
    }

    #[cfg(test)]
    pub(super) fn trails_held(&self) -> (usize, usize) {
        (self.trails.len(), self.trails.capacity())
    }
}
