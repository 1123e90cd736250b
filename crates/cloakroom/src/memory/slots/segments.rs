use std::ops::{Index, IndexMut};

/// A vector in pieces: nothing moves when there is more, none of it is large, and each goes by itself when it is empty.
///
/// A piece is some hundred kilobytes: less than what allocators get from the system by itself, and enough for glibc's
/// to merge, whenever one is freed, the small pieces that were freed since the last one.
#[derive(Debug)]
pub(super) struct Segments<E> {
    /// All are full, but for the last one, which is not empty.
    segments: Vec<Vec<E>>,
}

/// Memory that is no longer needed, to be dropped when nothing is locked.
pub(in super::super) type Emptied<E> = Vec<Vec<E>>;

impl<E> Default for Segments<E> {
    fn default() -> Self {
        Self {
            segments: Vec::new(),
        }
    }
}

impl<E> Segments<E> {
    /// A power of two, so that a number is taken apart quickly.
    const BITS: u32 = (131_000 / size_of::<E>()).ilog2();
    const SEGMENT: usize = 1 << Self::BITS;

    pub(super) fn len(&self) -> usize {
        let last = self.segments.last().map_or(0, Vec::len);
        self.segments.len().saturating_sub(1) * Self::SEGMENT + last
    }

    pub(super) fn capacity(&self) -> usize {
        self.segments.iter().map(Vec::capacity).sum()
    }

    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = &E> {
        self.segments.iter().flatten()
    }

    pub(super) fn push(&mut self, element: E) {
        let full = |segment: &Vec<E>| segment.len() == Self::SEGMENT;
        if self.segments.last().is_none_or(full) {
            self.segments.push(Vec::new());
        }
        let only = self.segments.len() == 1;
        let last = self
            .segments
            .last_mut()
            .expect("there is one that has room");
        if last.len() == last.capacity() {
            // Less than doubling: half of it would lie idle.
            let more = match only {
                true => last.len() / 8 + 4,
                false => Self::SEGMENT / 4,
            };
            last.reserve_exact(more.min(Self::SEGMENT - last.len()));
        }
        last.push(element);
    }

    pub(super) fn pop(&mut self, emptied: &mut Emptied<E>) -> Option<E> {
        let last = self.segments.last_mut()?;
        let element = last.pop();
        if last.is_empty() {
            emptied.extend(self.segments.pop());
        }
        element
    }

    /// The last one, which may be larger than it need be.
    pub(super) fn last(&self) -> Option<&Vec<E>> {
        self.segments.last()
    }

    /// Moves what is in the last one there, if there is space enough.
    pub(super) fn move_last(&mut self, to: &mut Vec<E>) {
        if let Some(last) = self.segments.last_mut()
            && last.len() <= to.capacity()
        {
            to.append(last);
            std::mem::swap(last, to);
        }
    }
}

impl<E> Index<u32> for Segments<E> {
    type Output = E;

    #[inline]
    fn index(&self, at: u32) -> &E {
        let at = at as usize;
        &self.segments[at >> Self::BITS][at % Self::SEGMENT]
    }
}

impl<E> IndexMut<u32> for Segments<E> {
    #[inline]
    fn index_mut(&mut self, at: u32) -> &mut E {
        let at = at as usize;
        &mut self.segments[at >> Self::BITS][at % Self::SEGMENT]
    }
}
