use std::mem::{swap, take};
use std::num::NonZeroU32;

use cloakroom_store::SessionKey;

use super::smaller::touched;

/// Finds a key's place among the slots: an open-addressed table, so that a look-up usually touches one line of
/// memory here, and growing never touches the slots.
///
/// A place holds half of the key's hash, the slot's number and what is kept beside: sixteen bytes if that is a
/// pointer, eight if it is nothing. All are in the order of their hashes, each as near after its home as the others
/// let it. So who looks for a key that is not there soon meets a greater hash, and has found where it belongs;
/// removing closes the gap, so there are no tombstones; and growing is one pass.
#[derive(Debug)]
pub(super) struct Index<B> {
    /// A few more than there are homes, and the last one is empty: nothing goes round to the beginning.
    places: Vec<Option<Place<B>>>,
    /// Where a hash may begin to be looked for.
    homes: u32,
    held: u32,
}

/// Where a key belongs that is not there, until another one is added or removed.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Vacant {
    hash: u32,
    place: usize,
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
            places: Vec::new(),
            homes: 0,
            held: 0,
        }
    }
}

impl<B> Index<B> {
    /// With nothing in it yet, and as much space again as so many values need. Its memory is there already.
    pub(super) fn for_values(values: usize) -> Self {
        let homes = u32::try_from(2 * values).expect("fewer than four billion a shard");
        Self {
            places: touched(places_for(homes), || None),
            homes,
            held: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.held as usize
    }

    /// The key's place, or where it belongs. Asks `is_it` about the slots that it may be in.
    #[inline]
    pub(super) fn find(
        &self,
        key: &SessionKey,
        is_it: impl Fn(u32, &B) -> bool,
    ) -> Result<usize, Vacant> {
        let hash = hash(key);
        let mut place = self.home(hash);
        while let Some(Some(there)) = self.places.get(place)
            && there.hash <= hash
        {
            if there.hash == hash && is_it(there.slot(), &there.beside) {
                return Ok(place);
            }
            place += 1;
        }
        Err(Vacant { hash, place })
    }

    /// The slot of the key at that place, and what is beside it.
    #[inline]
    pub(super) fn at(&self, place: usize) -> (u32, &B) {
        let place = self.places[place].as_ref().expect("it was found");
        (place.slot(), &place.beside)
    }

    /// A key that is not there yet.
    #[inline]
    pub(super) fn insert(&mut self, Vacant { hash, mut place }: Vacant, at: u32, beside: B) {
        // Three quarters full at most.
        if (self.held + 1) * 4 > self.homes * 3 {
            self.grow(self.held + self.held / 4 * 3 + 8);
            place = self.home(hash);
            while self.places[place]
                .as_ref()
                .is_some_and(|there| there.hash <= hash)
            {
                place += 1;
            }
        }
        self.held += 1;
        let mut carried = Some(Place {
            hash,
            slot: numbered(at),
            beside,
        });
        // Those behind it move on by one.
        loop {
            swap(&mut self.places[place], &mut carried);
            if carried.is_none() {
                break;
            }
            place += 1;
        }
        if place + 1 == self.places.len() {
            // Seldom, and not doubled for it.
            self.places.reserve_exact(4);
            self.places.push(None);
        }
    }

    /// What is beside the key at that place.
    #[inline]
    pub(super) fn beside(&mut self, place: usize) -> &mut B {
        let place = self.places[place].as_mut().expect("it was found");
        &mut place.beside
    }

    /// Removes the key at that place.
    #[inline]
    pub(super) fn remove(&mut self, mut place: usize) -> B {
        let removed = self.places[place].take().expect("it was found");
        self.held -= 1;
        // Those behind it move up, but none before its home.
        while let Some(Some(next)) = self.places.get(place + 1)
            && self.home(next.hash) <= place
        {
            self.places.swap(place, place + 1);
            place += 1;
        }
        removed.beside
    }

    /// The slots and what is beside them, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &B)> {
        let held = self.places.iter().flatten();
        held.map(|place| (place.slot(), &place.beside))
    }

    pub(super) fn is_mostly_empty(&self) -> bool {
        self.homes > 4 * self.held + 32
    }

    pub(super) fn has_space_for(&self, values: usize) -> bool {
        values * 4 <= self.homes as usize * 3
    }

    /// The slot at that place has another number now.
    pub(super) fn renumber(&mut self, place: usize, to: u32) {
        let place = self.places[place].as_mut().expect("it was found");
        place.slot = numbered(to);
    }

    /// Everything in another one. There has to be space for it.
    pub(super) fn take_from(&mut self, other: &mut Self) {
        for place in other.places.drain(..).flatten() {
            let home = self.home(place.hash);
            while self.places.len() < home {
                self.places.push(None);
            }
            self.places.push(Some(place));
        }
        while self.places.len() <= self.homes as usize {
            self.places.push(None);
        }
        if self.places.last().is_some_and(Option::is_some) {
            self.places.push(None);
        }
        self.held = take(&mut other.held);
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.places.capacity()
    }

    #[cold]
    fn grow(&mut self, homes: u32) {
        let mut larger = Self {
            places: Vec::with_capacity(places_for(homes)),
            homes,
            held: 0,
        };
        larger.take_from(self);
        *self = larger;
    }

    /// Spreads hashes over any number of places, without a division.
    #[inline]
    fn home(&self, hash: u32) -> usize {
        ((u64::from(hash) * u64::from(self.homes)) >> 32) as usize
    }
}

impl<B> Place<B> {
    #[inline]
    fn slot(&self) -> u32 {
        self.slot.get() - 1
    }
}

/// With as many more than homes as are needed with hashes that are evenly distributed.
fn places_for(homes: u32) -> usize {
    homes as usize + homes as usize / 64 + 4
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
