use cloakroom_store::Timestamp;

use super::Slot;

/// When to look at which slots: buckets of slots that are due at one moment. The slots of a bucket are a list,
/// linked through the slots themselves, so that adding and removing costs the same however many there are.
///
/// A bucket's moment is never later than the ends of its slots. It is the coarser the farther away they are, to
/// a sixteenth of what is left, so that the buckets stay few; whoever is looked at too early is put into a finer one.
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
        let mut after = NOBODY;
        match self.find(due) {
            Ok(bucket) => {
                after = self.buckets[bucket].first;
                self.buckets[bucket].first = at;
                slots[after as usize].links.before = at;
            }
            Err(bucket) => self.buckets.insert(bucket, Bucket { due, first: at }),
        }
        slots[at as usize].links = Links {
            due,
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

    /// All slots have other numbers now, which are found at their old ones.
    pub(super) fn renumber(&mut self, numbers: &[u32]) {
        for bucket in &mut self.buckets {
            bucket.first = numbers[bucket.first as usize];
        }
    }

    pub(super) fn give_back_memory(&mut self) {
        if self.buckets.capacity() > 4 * self.buckets.len() + 16 {
            self.buckets.shrink_to(2 * self.buckets.len());
        }
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
    // The largest power of two up to a sixteenth of what is left.
    let grain = match left / 16 {
        sixteenth @ 1.. => 1_i64 << sixteenth.ilog2(),
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
            assert!((0..=left / 16).contains(&early), "{left} {early}");
        }
        let past = Timestamp::from_millis(now - 5);
        assert_eq!(due(past, Timestamp::from_millis(now)), past);
        assert_eq!(due(Timestamp::MIN, Timestamp::MAX), Timestamp::MIN);
    }
}
