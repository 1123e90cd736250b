use cloakroom_store::Timestamp;

use super::Slot;
use super::segments::Segments;

/// A slot's place in a list of slots: those of a bucket, or the gaps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Links {
    /// The bucket's.
    due: Timestamp,
    before: u32,
    after: u32,
}

/// No slot: there are never as many.
const NOBODY: u32 = u32::MAX;

impl Links {
    /// In no list. The last moment of all stands for no bucket.
    pub(super) const NONE: Self = Self {
        due: Timestamp::MAX,
        before: NOBODY,
        after: NOBODY,
    };

    pub(super) fn due(&self) -> Option<Timestamp> {
        (self.due != Timestamp::MAX).then_some(self.due)
    }

    /// Nobody is before the first slot of a list.
    #[inline]
    pub(super) fn before(&self) -> Option<u32> {
        some(self.before)
    }

    /// Nobody is after the last one.
    #[inline]
    pub(super) fn after(&self) -> Option<u32> {
        some(self.after)
    }
}

/// Puts a slot that is in no list before all of one. It is the first one then.
#[inline]
pub(super) fn link<V>(
    slots: &mut Segments<Slot<V>>,
    at: u32,
    first: Option<u32>,
    due: Option<Timestamp>,
) -> &mut Slot<V> {
    if let Some(first) = first {
        slots[first].links.before = at;
    }
    let slot = &mut slots[at];
    slot.links = Links {
        due: due.unwrap_or(Timestamp::MAX),
        before: NOBODY,
        after: first.unwrap_or(NOBODY),
    };
    slot
}

/// Takes a slot out of its list. Where it was.
#[inline]
pub(super) fn unlink<V>(slots: &mut Segments<Slot<V>>, at: u32) -> Links {
    let links = std::mem::replace(&mut slots[at].links, Links::NONE);
    if links.after != NOBODY {
        slots[links.after].links.before = links.before;
    }
    if links.before != NOBODY {
        slots[links.before].links.after = links.after;
    }
    links
}

/// Tells the neighbours of a slot that was taken away that it will be elsewhere.
pub(super) fn relink<V>(slots: &mut Segments<Slot<V>>, links: Links, to: u32) {
    if links.after != NOBODY {
        slots[links.after].links.before = to;
    }
    if links.before != NOBODY {
        slots[links.before].links.after = to;
    }
}

#[inline]
fn some(at: u32) -> Option<u32> {
    (at != NOBODY).then_some(at)
}
