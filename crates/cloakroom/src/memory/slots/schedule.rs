use std::collections::BTreeMap;

use cloakroom_store::Timestamp;

use super::Slot;

/// When to look at which slots: buckets of slots that are due at one moment. The slots of a bucket are a list,
/// linked through the slots themselves, so that adding and removing costs the same however many there are.
///
/// A bucket's moment is never later than the ends of its slots. It is the coarser the farther away they are, to
/// a sixteenth of what is left, so that the buckets stay few; whoever is looked at too early is put into a finer one.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    /// The first slot of each bucket.
    buckets: BTreeMap<Timestamp, u32>,
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

    pub(super) fn due(&self) -> Option<Timestamp> {
        (self.due != Timestamp::MAX).then_some(self.due)
    }
}

impl Schedule {
    /// What is due first.
    pub(super) fn first(&self) -> Option<(Timestamp, u32)> {
        let (due, at) = self.buckets.first_key_value()?;
        Some((*due, *at))
    }

    /// Plans a slot that is in no bucket.
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
        let after = self.buckets.insert(due, at).unwrap_or(NOBODY);
        slots[at as usize].links = Links {
            due,
            before: NOBODY,
            after,
        };
        if after != NOBODY {
            slots[after as usize].links.before = at;
        }
    }

    /// Takes a slot out of its bucket, if it is in one.
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
        } else if links.after != NOBODY {
            self.buckets.insert(links.due, links.after);
        } else {
            self.buckets.remove(&links.due);
        }
    }

    /// A slot has another number now.
    pub(super) fn moved<V>(&mut self, slots: &mut [Slot<V>], at: u32) {
        let links = slots[at as usize].links;
        if links.due().is_none() {
            return;
        }
        if links.after != NOBODY {
            slots[links.after as usize].links.before = at;
        }
        if links.before == NOBODY {
            self.buckets.insert(links.due, at);
        } else {
            slots[links.before as usize].links.after = at;
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
