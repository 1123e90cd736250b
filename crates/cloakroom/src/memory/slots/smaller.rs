use std::mem::{swap, take};

use super::index::Index;
use super::segments::Emptied;
use super::{Ends, Slot, Slots};

/// Memory for fewer values, in exchange for what is larger than it need be.
///
/// It is made, and the larger is dropped, while nothing is locked: when a large piece of memory is freed an allocator
/// may first merge all the small ones that were freed before, as glibc's does, which takes milliseconds after many
/// sessions have ended.
#[derive(Debug)]
pub(in super::super) struct Smaller<V, B = ()> {
    last: Option<Vec<Slot<V>>>,
    index: Option<Index<B>>,
    /// Where nothing is left, all of it.
    emptied: Option<Slots<V, B>>,
}

/// How large it has to be. Nothing of it where nothing is left.
#[derive(Clone, Copy, Debug, Default)]
pub(in super::super) struct Size {
    last: Option<usize>,
    index: Option<usize>,
}

impl<V, B> Smaller<V, B> {
    pub(in super::super) fn new(size: Size) -> Self {
        // A few more may come in the meantime.
        let space = |values: usize| values + values.div_ceil(8);
        Self {
            last: size.last.map(|slots| touched(space(slots), Slot::gap)),
            index: size.index.map(|values| Index::for_values(space(values))),
            emptied: None,
        }
    }
}

#[cfg(test)]
impl<V: Ends, B> Smaller<V, B> {
    /// How many places there are in it.
    pub(in super::super) fn capacity(&self) -> usize {
        let last = self.last.as_ref().map_or(0, Vec::capacity);
        let index = self.index.as_ref().map_or(0, Index::capacity);
        let emptied = self.emptied.as_ref().map_or(0, Slots::capacity);
        last.max(index).max(emptied)
    }
}

impl<V: Ends, B> Slots<V, B> {
    /// If there are many gaps: puts what is last into the first one, and so on, in a few steps. Whether there is
    /// more to do. The segments that became empty are to be dropped when nothing is locked.
    pub(in super::super) fn close_gaps(
        &mut self,
        steps: usize,
        emptied: &mut Emptied<Slot<V>>,
    ) -> bool {
        let gaps = self.slots.len() - self.len();
        // Not at once: as a rule those who come fill them.
        self.closing |= gaps > self.len() / 8 + 64;
        if !self.closing || self.len() == 0 {
            return false;
        }
        for _ in 0..gaps.min(steps) {
            self.cut_last(emptied);
        }
        self.closing = gaps > steps;
        self.closing
    }

    /// What to bring if most of the space is empty.
    pub(in super::super) fn smaller_size(&self) -> Option<Size> {
        if self.len() == 0 {
            return (self.slots.capacity() > 0).then(Size::default);
        }
        let last = self.slots.last();
        let idle = last.filter(|last| last.capacity() > 2 * last.len() + 16);
        let size = Size {
            last: idle.map(Vec::len),
            index: self.index.is_mostly_empty().then(|| self.len()),
        };
        (size.last.is_some() || size.index.is_some()).then_some(size)
    }

    /// Moves what there is into it, unless more has come than it has space for. What was larger is in `smaller` then.
    pub(in super::super) fn move_into(&mut self, smaller: &mut Smaller<V, B>) {
        if self.len() == 0 {
            smaller.emptied = Some(take(self));
            return;
        }
        if let Some(last) = &mut smaller.last {
            self.slots.move_last(last);
        }
        if let Some(index) = &mut smaller.index
            && index.has_space_for(self.len())
        {
            index.take_from(&mut self.index);
            swap(&mut self.index, index);
        }
    }

    /// The last slot goes. If it is no gap, it fills one.
    fn cut_last(&mut self, emptied: &mut Emptied<Slot<V>>) {
        let last = self.slots.len() - 1;
        let at = u32::try_from(last).expect("fewer than four billion a shard");
        if self.slots[at].value.is_none() {
            self.leave_gaps(at);
            self.slots.pop(emptied);
            return;
        }
        let gap = self.gap.expect("there are fewer values than slots");
        self.leave_gaps(gap);
        let slot = self.slots.pop(emptied).expect("it was looked at");
        let place = self.index.find(&slot.key, |found, _| found == at);
        let place = place.expect("a key in a slot is in the index");
        self.index.renumber(place, gap);
        self.schedule.renumber(&mut self.slots, slot.links, gap);
        self.slots[gap] = slot;
    }
}

/// An empty vector whose memory the system has given already. It does so when a page is first written to, which takes
/// longer than moving what is written there.
pub(super) fn touched<E>(capacity: usize, element: impl FnMut() -> E) -> Vec<E> {
    let mut vector = Vec::with_capacity(capacity);
    vector.resize_with(capacity, element);
    vector.clear();
    vector
}
