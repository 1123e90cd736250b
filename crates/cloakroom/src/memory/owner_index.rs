use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::mem::{swap, take};

use cloakroom_store::{Owner, SessionKey};

use super::owned_keys::OwnedKeys;

/// A part of the index from owners to their sessions. May name a session that has expired, until that is purged;
/// never misses a live one.
#[derive(Debug, Default)]
pub(super) struct OwnerIndex {
    keys: Keys,
}

type Keys = HashMap<HashedOwner, OwnedKeys, BuildHasherDefault<AsHashed>>;

/// What is left of an owner without sessions. Better dropped when nothing is locked.
pub(super) type Unlisted = (HashedOwner, OwnedKeys);

impl OwnerIndex {
    /// With space for so many owners.
    pub(super) fn with_space(owners: usize) -> Self {
        let keys = Keys::with_capacity_and_hasher(owners, BuildHasherDefault::default());
        Self { keys }
    }

    pub(super) fn keys(&self, owner: &HashedOwner) -> impl Iterator<Item = &SessionKey> {
        self.keys.get(owner).into_iter().flat_map(OwnedKeys::iter)
    }

    pub(super) fn add(&mut self, owner: &HashedOwner, key: SessionKey) {
        match self.keys.get_mut(owner) {
            Some(keys) => keys.add(key),
            None => {
                self.keys.insert(owner.clone(), OwnedKeys::one(key));
            }
        }
    }

    /// One key takes the place of another, if that is listed.
    pub(super) fn rename(&mut self, owner: &HashedOwner, from: &SessionKey, to: SessionKey) {
        if let Some(keys) = self.keys.get_mut(owner) {
            keys.rename(from, to);
        }
    }

    pub(super) fn remove(&mut self, owner: &HashedOwner, key: &SessionKey) -> Option<Unlisted> {
        self.change(owner, |keys| keys.remove(key))
    }

    /// Those of an owner's keys for which that is true stay.
    pub(super) fn retain(
        &mut self,
        owner: &HashedOwner,
        keep: impl FnMut(&SessionKey) -> bool,
    ) -> Option<Unlisted> {
        self.change(owner, |keys| keys.retain(keep))
    }

    fn change(
        &mut self,
        owner: &HashedOwner,
        change: impl FnOnce(&mut OwnedKeys),
    ) -> Option<Unlisted> {
        let keys = self.keys.get_mut(owner)?;
        change(keys);
        match keys.is_empty() {
            true => self.keys.remove_entry(owner),
            false => None,
        }
    }

    /// For how many owners there should be space if most of it is empty.
    pub(super) fn smaller_size(&self) -> Option<usize> {
        let owners = self.keys.len();
        let space = self.keys.capacity();
        let idle = space > 4 * owners + 8 || owners == 0 && space > 0;
        idle.then_some(owners + owners / 8)
    }

    /// Moves everything there, unless more has come than there is space for. The old table is in `smaller` then:
    /// as with [`Smaller`](super::slots::Smaller), no allocator is called while others wait.
    pub(super) fn move_into(&mut self, smaller: &mut Self) {
        if self.keys.len() <= smaller.keys.capacity() {
            smaller.keys.extend(self.keys.drain());
            swap(self, smaller);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// All that was there, to be dropped when nothing is locked.
    pub(super) fn clear(&mut self) -> Self {
        take(self)
    }
}

/// An owner with the hash of its name, which nobody can foresee: it is computed once for what one operation looks
/// up several times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HashedOwner {
    hash: u64,
    pub(super) owner: Owner,
}

impl HashedOwner {
    pub(super) fn new(owner: Owner, hash: u64) -> Self {
        Self { hash, owner }
    }

    /// Which of so many parts of the index it is in. Not by the lowest or the highest bits: the table within a
    /// part goes by those.
    pub(super) fn part(&self, parts: usize) -> usize {
        (self.hash >> 40) as usize % parts
    }
}

impl Hash for HashedOwner {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// Takes a hash for what it is.
#[derive(Debug, Default)]
struct AsHashed(u64);

impl Hasher for AsHashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("only hashes are hashed");
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
#[cfg(not(cloakroom_shuttle))]
mod tests {
    use super::*;
    use std::hash::{BuildHasher, RandomState};

    #[test]
    fn owners_whose_hashes_are_equal_are_told_apart() {
        let owners = ["ada", "bob"].map(|name| HashedOwner::new(Owner::new(name).unwrap(), 7));
        let keys = [1, 2].map(|byte| SessionKey::from_bytes([byte; 32]));
        let mut index = OwnerIndex::default();
        for (owner, key) in owners.iter().zip(keys) {
            index.add(owner, key);
            index.add(owner, key);
        }
        assert!(index.keys(&owners[0]).eq([&keys[0]]));
        index.remove(&owners[0], &keys[0]);
        assert!(index.keys(&owners[0]).eq([&keys[0]; 0]));
        assert!(index.keys(&owners[1]).eq([&keys[1]]));
        index.rename(&owners[1], &keys[0], keys[0]);
        assert!(index.keys(&owners[1]).eq([&keys[1]]));
        index.rename(&owners[1], &keys[1], keys[0]);
        assert!(index.keys(&owners[1]).eq([&keys[0]]));
    }

    #[test]
    fn its_memory_is_given_back_when_most_owners_are_gone() {
        let owner = |number| HashedOwner::new(Owner::new(format!("{number}")).unwrap(), number);
        let key = SessionKey::from_bytes([1; 32]);
        let mut index = OwnerIndex::default();
        assert_eq!(index.smaller_size(), None);
        (0..1_000).for_each(|number| index.add(&owner(number), key));
        assert_eq!(index.smaller_size(), None);
        for number in 10..1_000 {
            let (gone, keys) = index.remove(&owner(number), &key).unwrap();
            assert!(gone == owner(number) && keys.is_empty());
        }
        let mut smaller = OwnerIndex::with_space(index.smaller_size().unwrap());
        index.move_into(&mut smaller);
        assert_eq!((smaller.len(), index.smaller_size()), (0, None));
        for number in 0..10 {
            assert!(index.keys(&owner(number)).eq([&key]));
            assert!(index.remove(&owner(number), &key).is_some());
        }
        assert_eq!(index.smaller_size(), Some(0));
    }

    #[test]
    fn those_of_one_part_differ_in_the_bits_that_their_table_goes_by() {
        let hasher = RandomState::new();
        let owners = (0..16_000).map(|number| Owner::new(format!("owner {number}")).unwrap());
        let hashed = owners.map(|owner| HashedOwner::new(owner.clone(), hasher.hash_one(&owner)));
        let of_a_part = hashed.filter(|owner| owner.part(256) == 3);
        let lowest: std::collections::BTreeSet<_> =
            of_a_part.map(|owner| owner.hash % 64).collect();
        assert!(lowest.len() > 20, "{}", lowest.len());
    }
}
