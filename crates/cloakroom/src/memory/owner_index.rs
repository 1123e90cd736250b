use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use cloakroom_store::{Owner, SessionKey};

/// A part of the index from owners to their sessions. May name a session that has expired, until that is purged;
/// never misses a live one.
#[derive(Debug, Default)]
pub(super) struct OwnerIndex {
    // A vector, since most owners have a handful: smaller than a set, and as fast.
    keys: HashMap<HashedOwner, Vec<SessionKey>, BuildHasherDefault<AsHashed>>,
}

impl OwnerIndex {
    pub(super) fn keys(&self, owner: &HashedOwner) -> &[SessionKey] {
        self.keys.get(owner).map_or(&[], Vec::as_slice)
    }

    pub(super) fn add(&mut self, owner: &HashedOwner, key: SessionKey) {
        match self.keys.get_mut(owner) {
            Some(keys) if keys.contains(&key) => {}
            Some(keys) => keys.push(key),
            None => {
                self.keys.insert(owner.clone(), vec![key]);
            }
        }
    }

    /// One key takes the place of another, if that is listed. So nothing is freed and made again when the owner has
    /// but one session.
    pub(super) fn rename(&mut self, owner: &HashedOwner, from: &SessionKey, to: SessionKey) {
        let keys = self.keys.get_mut(owner).into_iter().flatten();
        if let Some(listed) = keys.into_iter().find(|listed| **listed == *from) {
            *listed = to;
        }
    }

    pub(super) fn remove(&mut self, owner: &HashedOwner, key: &SessionKey) {
        let Some(keys) = self.keys.get_mut(owner) else {
            return;
        };
        if let Some(at) = keys.iter().position(|listed| listed == key) {
            keys.swap_remove(at);
        }
        if keys.is_empty() {
            self.keys.remove(owner);
            if self.keys.capacity() > 4 * self.keys.len() + 8 {
                self.keys.shrink_to(2 * self.keys.len());
            }
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(super) fn clear(&mut self) {
        self.keys = HashMap::default();
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
        assert_eq!(index.keys(&owners[0]), [keys[0]]);
        index.remove(&owners[0], &keys[0]);
        assert_eq!(index.keys(&owners[0]), []);
        assert_eq!(index.keys(&owners[1]), [keys[1]]);
        index.rename(&owners[1], &keys[0], keys[0]);
        assert_eq!(index.keys(&owners[1]), [keys[1]]);
        index.rename(&owners[1], &keys[1], keys[0]);
        assert_eq!(index.keys(&owners[1]), [keys[0]]);
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
