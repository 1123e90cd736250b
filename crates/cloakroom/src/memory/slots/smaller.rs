use std::mem::swap;

use super::index::Index;
use super::schedule::Schedule;
use super::{Ends, Slot, Slots};

/// Tables for fewer values, to give back the memory of larger ones.
///
/// They are made, and the larger ones are dropped, while nothing is locked: for a large piece of memory an allocator
/// may first put together all the small ones that were freed before, as glibc's does, which takes milliseconds
/// after many sessions have ended.
#[derive(Debug)]
pub(in super::super) struct Smaller<V, B = ()> {
    slots: Slots<V, B>,
    /// What a slot's number will be, at its old one.
    numbers: Vec<u32>,
}

/// How large they have to be.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Size {
    values: usize,
    slots: usize,
    buckets: usize,
}

impl<V, B> Smaller<V, B> {
    pub(in super::super) fn new(size: Size) -> Self {
        // A few more may come in the meantime.
        let values = size.values + size.values.div_ceil(8);
        Self {
            slots: Slots {
                slots: touched(values, || Slot::gap(None)),
                index: Index::for_values(values),
                schedule: Schedule::with_space(size.buckets),
                gap: None,
            },
            numbers: touched(size.slots, || 0),
        }
    }
}

/// An empty vector whose memory the system has given already. It does so when a page is first written to, which takes
/// longer than moving what is written there.
fn touched<E>(capacity: usize, element: impl FnMut() -> E) -> Vec<E> {
    let mut vector = Vec::with_capacity(capacity);
    vector.resize_with(capacity, element);
    vector.clear();
    vector
}

impl<V: Ends, B> Slots<V, B> {
    /// How large they should be if most of the space is empty.
    pub(in super::super) fn smaller_size(&self) -> Option<Size> {
        let values = self.len();
        let space = self.slots.capacity();
        let idle =
            space > 2 * values + 16 || values == 0 && space > 0 || self.index.is_mostly_empty();
        idle.then(|| Size {
            values,
            slots: self.slots.len(),
            buckets: self.schedule.len(),
        })
    }

    /// Moves everything there, unless more has come than there is space for. The old tables are in `smaller` then.
    pub(in super::super) fn move_into(&mut self, smaller: &mut Smaller<V, B>) {
        let Smaller { slots, numbers } = smaller;
        let fits = self.len() <= slots.slots.capacity()
            && self.slots.len() <= numbers.capacity()
            && slots.index.has_space_for(self.len())
            && self.schedule.len() <= slots.schedule.capacity();
        if !fits {
            return;
        }
        let mut next = 0;
        numbers.extend(self.slots.iter().map(|slot| {
            let number = next;
            next += u32::from(slot.value.is_some());
            number
        }));
        let held = self.slots.drain(..).filter(|slot| slot.value.is_some());
        slots.slots.extend(held.map(|mut slot| {
            slot.links.renumber(numbers);
            slot
        }));
        slots
            .index
            .take_from(&mut self.index, |at| numbers[at as usize]);
        slots.schedule.take_from(&mut self.schedule, numbers);
        self.gap = None;
        swap(self, slots);
    }
}
