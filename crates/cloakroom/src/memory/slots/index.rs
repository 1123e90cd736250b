use cloakroom_store::SessionKey;

/// Finds a key's place among the slots: an open-addressed table of eight bytes a place, so that a look-up usually
/// touches one line of memory here, and growing never touches the slots.
///
/// A place holds half of the key's hash and the slot's number plus one; zero is empty. Those that meet are in the
/// places that follow (linear probing), and removing closes the gap, so there are no tombstones.
#[derive(Debug, Default)]
pub(super) struct Index {
    places: Box<[u64]>,
    held: usize,
}

impl Index {
    pub(super) fn find(&self, key: &SessionKey, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let hash = hash(key);
        self.probe(hash, is_it)
            .map(|place| slot(self.places[place]))
    }

    /// A key that is not there yet.
    pub(super) fn insert(&mut self, key: &SessionKey, at: u32) {
        // Three quarters full at most.
        if (self.held + 1) * 4 > self.places.len() * 3 {
            self.resize(self.held + self.held / 4 * 3 + 8);
        }
        self.held += 1;
        self.settle(entry(hash(key), at));
    }

    /// A key that is there, in that slot.
    pub(super) fn remove(&mut self, key: &SessionKey, at: u32) {
        let place = self.probe(hash(key), |found| found == at);
        let mut gap = place.expect("a key in a slot is in the index");
        let mut next = gap;
        loop {
            next = self.after(next);
            let entry = self.places[next];
            if entry == 0 {
                break;
            }
            // It may move up to the gap, but not before the place where it is looked for first.
            let home = self.home((entry >> 32) as u32);
            if self.distance(home, next) >= self.distance(gap, next) {
                self.places[gap] = entry;
                gap = next;
            }
        }
        self.places[gap] = 0;
        self.held -= 1;
    }

    /// A key's slot has another number now.
    pub(super) fn moved(&mut self, key: &SessionKey, from: u32, to: u32) {
        let hash = hash(key);
        let place = self.probe(hash, |found| found == from);
        self.places[place.expect("a key in a slot is in the index")] = entry(hash, to);
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

    fn probe(&self, hash: u32, is_it: impl Fn(u32) -> bool) -> Option<usize> {
        if self.places.is_empty() {
            return None;
        }
        let mut place = self.home(hash);
        loop {
            let entry = self.places[place];
            if entry == 0 {
                return None;
            }
            if (entry >> 32) as u32 == hash && is_it(slot(entry)) {
                return Some(place);
            }
            place = self.after(place);
        }
    }

    fn resize(&mut self, places: usize) {
        let before = std::mem::replace(&mut self.places, vec![0; places].into());
        for entry in before.into_iter().filter(|entry| *entry != 0) {
            self.settle(entry);
        }
    }

    fn settle(&mut self, entry: u64) {
        let mut place = self.home((entry >> 32) as u32);
        while self.places[place] != 0 {
            place = self.after(place);
        }
        self.places[place] = entry;
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

fn entry(hash: u32, at: u32) -> u64 {
    u64::from(hash) << 32 | (u64::from(at) + 1)
}

fn slot(entry: u64) -> u32 {
    (entry as u32).wrapping_sub(1)
}

/// Keys are SHA-256 values of ids that only this server mints: evenly distributed already, and nobody can choose
/// them to collide. All bytes count, for the sake of keys that somebody counts up in a test.
fn hash(key: &SessionKey) -> u32 {
    let (words, _) = key.as_bytes().as_chunks::<8>();
    let mixed = words.iter().fold(0, |mixed, word| {
        (mixed ^ u64::from_le_bytes(*word)).rotate_left(23)
    });
    (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32
}
