use std::num::NonZeroU32;

use cloakroom_store::SessionKey;

/// Finds a key's place among the slots: an open-addressed table, so that a look-up usually touches one line of
/// memory here, and growing never touches the slots.
///
/// A place holds half of the key's hash, the slot's number and what is kept beside: sixteen bytes if that is a
/// pointer, eight if it is nothing. Those that meet are in the places that follow (linear probing), and removing
/// closes the gap, so there are no tombstones.
#[derive(Debug)]
pub(super) struct Index<B> {
    places: Box<[Option<Place<B>>]>,
    held: usize,
}

#[derive(Debug)]
struct Place<B> {
    hash: u32,
    /// The slot's number plus one: so an empty place needs no mark of its own.
    slot: NonZeroU32,
    beside: B,
}

impl<B> Default for Index<B> {
    fn default() -> Self {
        Self {
            places: Box::default(),
            held: 0,
        }
    }
}

impl<B> Index<B> {
    /// The key's place. Asks `is_it` about the slots that it may be in.
    pub(super) fn find(&self, key: &SessionKey, is_it: impl Fn(u32, &B) -> bool) -> Option<usize> {
        self.probe(hash(key), is_it)
    }

    /// The place of a key that is there, in that slot.
    pub(super) fn place_of(&self, key: &SessionKey, at: u32) -> usize {
        let place = self.probe(hash(key), |found, _| found == at);
        place.expect("a key in a slot is in the index")
    }

    /// The slot of the key at that place, and what is beside it.
    pub(super) fn at(&self, place: usize) -> (u32, &B) {
        let place = self.places[place].as_ref().expect("it was found");
        (place.slot(), &place.beside)
    }

    /// A key that is not there yet.
    pub(super) fn insert(&mut self, key: &SessionKey, at: u32, beside: B) {
        // Three quarters full at most.
        if (self.held + 1) * 4 > self.places.len() * 3 {
            self.resize(self.held + self.held / 4 * 3 + 8);
        }
        self.held += 1;
        self.settle(Place {
            hash: hash(key),
            slot: numbered(at),
            beside,
        });
    }

    /// What is beside the key at that place.
    pub(super) fn beside(&mut self, place: usize) -> &mut B {
        &mut self.held_at(place).beside
    }

    /// Removes the key at that place.
    pub(super) fn remove(&mut self, place: usize) -> B {
        let mut gap = place;
        let removed = self.places[gap].take().expect("it was found");
        let mut next = gap;
        loop {
            next = self.after(next);
            let Some(place) = &self.places[next] else {
                break;
            };
            // It may move up to the gap, but not before the place where it is looked for first.
            let home = self.home(place.hash);
            if self.distance(home, next) >= self.distance(gap, next) {
                self.places.swap(gap, next);
                gap = next;
            }
        }
        self.held -= 1;
        removed.beside
    }

    /// A key's slot has another number now.
    pub(super) fn moved(&mut self, key: &SessionKey, from: u32, to: u32) {
        let place = self.place_of(key, from);
        self.held_at(place).slot = numbered(to);
    }

    /// The slots and what is beside them, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &B)> {
        let held = self.places.iter().flatten();
        held.map(|place| (place.slot(), &place.beside))
    }

    pub(super) fn give_back_memory(&mut self) {
        if self.places.len() > 4 * self.held + 32 {
            self.resize(2 * self.held);
        }
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.places.len()
    }

    fn held_at(&mut self, place: usize) -> &mut Place<B> {
        self.places[place].as_mut().expect("it was found")
    }

    #[inline]
    fn probe(&self, hash: u32, is_it: impl Fn(u32, &B) -> bool) -> Option<usize> {
        if self.places.is_empty() {
            return None;
        }
        let mut at = self.home(hash);
        while let Some(place) = &self.places[at] {
            if place.hash == hash && is_it(place.slot(), &place.beside) {
                return Some(at);
            }
            at = self.after(at);
        }
        None
    }

    fn resize(&mut self, places: usize) {
        let empty = std::iter::repeat_with(|| None).take(places).collect();
        let before = std::mem::replace(&mut self.places, empty);
        for place in before.into_iter().flatten() {
            self.settle(place);
        }
    }

    fn settle(&mut self, place: Place<B>) {
        let mut at = self.home(place.hash);
        while self.places[at].is_some() {
            at = self.after(at);
        }
        self.places[at] = Some(place);
    }

    /// Spreads hashes over any number of places, without a division.
    fn home(&self, hash: u32) -> usize {
        ((u64::from(hash) * self.places.len() as u64) >> 32) as usize
    }

    fn after(&self, place: usize) -> usize {
        if place + 1 == self.places.len() {
            0
        } else {
            place + 1
        }
    }

    /// How many steps from one place forward to another.
    fn distance(&self, from: usize, to: usize) -> usize {
        if to >= from {
            to - from
        } else {
            to + self.places.len() - from
        }
    }
}

impl<B> Place<B> {
    fn slot(&self) -> u32 {
        self.slot.get() - 1
    }
}

fn numbered(at: u32) -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(at)
}

/// Keys are SHA-256 values of ids that only this server mints: evenly distributed already, and nobody can choose
/// them to collide. All bytes count, for the sake of keys that somebody counts up in a test.
#[inline]
fn hash(key: &SessionKey) -> u32 {
    let (words, _) = key.as_bytes().as_chunks::<8>();
    let mixed = words.iter().fold(0, |mixed, word| {
        (mixed ^ u64::from_le_bytes(*word)).rotate_left(23)
    });
    (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32
}
