use cloakroom_store::Timestamp;

use super::Slot;

/// When to look at which slots: buckets of slots that are due at one moment. The slots of a bucket are a list,
/// linked through the slots themselves, so that adding and removing costs the same however many there are.
///
/// A bucket's moment is never later than the ends of its slots. It is the coarser the farther away they are, to
/// an eighth of what is left, so that the buckets stay few; whoever is looked at too early is put into a later one.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    /// Those that are due first come first. A vector, since they are few: nothing is allocated when one comes or goes.
    buckets: Vec<Bucket>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    due: Timestamp,
    /// The first slot of its list.
    first: u32,
}

/// A slot's place in its bucket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Links {
    due: Timestamp,
    before: u32,
    after: u32,
}

/// With as many buckets, a slot is put into one that is due sooner than it need be. So the vector hardly ever grows
/// beyond its first size, and a purge does not call the allocator, which may take milliseconds, while others wait for
/// the shard.
const ENOUGH: usize = 40;
const SPACE: usize = 48;

/// No slot: there are never as many.
const NOBODY: u32 = u32::MAX;

impl Links {
    /// In no bucket. The last moment of all stands for that.
    pub(super) const NONE: Self = Self {
        due: Timestamp::MAX,
        before: NOBODY,
        after: NOBODY,
    };

    /// In no bucket, but before another one, if there is one.
    pub(super) fn before(next: Option<u32>) -> Self {
        Self {
            after: next.unwrap_or(NOBODY),
            ..Self::NONE
        }
    }

    pub(super) fn due(&self) -> Option<Timestamp> {
        (self.due != Timestamp::MAX).then_some(self.due)
    }

    pub(super) fn after(&self) -> Option<u32> {
        (self.after != NOBODY).then_some(self.after)
    }

    /// All slots have other numbers now, which are found at their old ones.
    pub(super) fn renumber(&mut self, numbers: &[u32]) {
        for number in [&mut self.before, &mut self.after] {
            if *number != NOBODY {
                *number = numbers[*number as usize];
            }
        }
    }
}

impl Schedule {
    /// With space for so many buckets, and some more.
    pub(super) fn with_space(buckets: usize) -> Self {
        let space = match buckets {
            0 => 0,
            some => SPACE.max(some + some / 4),
        };
        Self {
            buckets: Vec::with_capacity(space),
        }
    }

    /// How many buckets there are.
    pub(super) fn len(&self) -> usize {
        self.buckets.len()
    }

    /// For how many there is space.
    pub(super) fn capacity(&self) -> usize {
        self.buckets.capacity()
    }

    /// What is due first.
    pub(super) fn first(&self) -> Option<(Timestamp, u32)> {
        let bucket = self.buckets.first()?;
        Some((bucket.due, bucket.first))
    }

    /// Plans a slot that is in no bucket.
    #[inline]
    pub(super) fn add<V>(
        &mut self,
        slots: &mut [Slot<V>],
        at: u32,
        end: Timestamp,
        now: Timestamp,
    ) {
        let due = due(end, now);
        if due == Timestamp::MAX {
            // Whatever ends then never ends.
            return;
        }
        let bucket = match self.find(due) {
            Ok(bucket) => bucket,
            Err(place) if self.buckets.len() < ENOUGH => self.insert(place, due),
            Err(place) => self.instead(place, due, now),
        };
        let after = self.buckets[bucket].first;
        if after != NOBODY {
            slots[after as usize].links.before = at;
        }
        let bucket = &mut self.buckets[bucket];
        bucket.first = at;
        slots[at as usize].links = Links {
            due: bucket.due,
            before: NOBODY,
            after,
        };
    }

    /// Takes a slot out of its bucket, if it is in one.
    #[inline]
    pub(super) fn remove<V>(&mut self, slots: &mut [Slot<V>], at: u32) {
        let links = std::mem::replace(&mut slots[at as usize].links, Links::NONE);
        if links.due().is_none() {
            return;
        }
        if links.after != NOBODY {
            slots[links.after as usize].links.before = links.before;
        }
        if links.before != NOBODY {
            slots[links.before as usize].links.after = links.after;
            return;
        }
        let bucket = self.find(links.due).expect("a slot's bucket is there");
        if links.after == NOBODY {
            self.buckets.remove(bucket);
        } else {
            self.buckets[bucket].first = links.after;
        }
    }

    /// Everything in another one, when all slots have other numbers, which are found at their old ones.
    pub(super) fn take_from(&mut self, other: &mut Self, numbers: &[u32]) {
        self.buckets
            .extend(other.buckets.drain(..).map(|bucket| Bucket {
                first: numbers[bucket.first as usize],
                ..bucket
            }));
    }

    /// When there are enough buckets: the one before that place, or else the soonest that there may be.
    #[cold]
    fn instead(&mut self, place: usize, due: Timestamp, now: Timestamp) -> usize {
        if let Some(sooner) = place.checked_sub(1)
            && self.buckets[sooner].due > now
        {
            return sooner;
        }
        let due = due.min(Timestamp::from_millis(now.as_millis().saturating_add(1)));
        match self.find(due) {
            Ok(bucket) => bucket,
            Err(place) => self.insert(place, due),
        }
    }

    /// A bucket with nobody in it.
    #[inline]
    fn insert(&mut self, place: usize, due: Timestamp) -> usize {
        if self.buckets.len() == self.buckets.capacity() {
            self.buckets
                .reserve_exact(SPACE.max(self.buckets.len() / 2));
        }
        let first = NOBODY;
        self.buckets.insert(place, Bucket { due, first });
        place
    }

    /// The bucket that is due then, or where it belongs.
    #[inline]
    fn find(&self, due: Timestamp) -> Result<usize, usize> {
        // Most sessions last equally long, so most that begin end last.
        match self.buckets.last() {
            Some(last) if last.due < due => Err(self.buckets.len()),
            Some(last) if last.due == due => Ok(self.buckets.len() - 1),
            _ => self.buckets.binary_search_by_key(&due, |bucket| bucket.due),
        }
    }
}

/// When to look at what ends then: later than now, unless it is over.
fn due(end: Timestamp, now: Timestamp) -> Timestamp {
    let left = end.as_millis().saturating_sub(now.as_millis());
    // The largest power of two up to an eighth of what is left.
    let grain = match left / 8 {
        eighth @ 1.. => 1_i64 << eighth.ilog2(),
        _ => 1,
    };
    Timestamp::from_millis(end.as_millis() & !(grain - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_due_in_time_and_not_much_earlier() {
        let now = 1_700_000_000_123;
        for left in [
            0,
            1,
            15,
            16,
            17,
            999,
            30_000,
            86_400_000,
            2_592_000_000,
            i64::MAX / 2,
        ] {
            let due = due(
                Timestamp::from_millis(now + left),
                Timestamp::from_millis(now),
            );
            let early = now + left - due.as_millis();
            assert!((0..=left / 8).contains(&early), "{left} {early}");
        }
        let past = Timestamp::from_millis(now - 5);
        assert_eq!(due(past, Timestamp::from_millis(now)), past);
        assert_eq!(due(Timestamp::MIN, Timestamp::MAX), Timestamp::MIN);
    }
}
