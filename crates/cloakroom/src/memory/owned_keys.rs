use std::collections::BTreeSet;

use cloakroom_store::SessionKey;

/// The keys of one owner's sessions, of which there is at least one. Most owners have a handful: those lie in a vector,
/// which is smaller than a set, and as fast. But anybody with an account may sign in without end, where that is not
/// limited, so many lie in a tree: then none of them costs more than the one before.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum OwnedKeys {
    Few(Vec<SessionKey>),
    /// Boxed, so that it is no larger than the other.
    #[expect(
        clippy::box_collection,
        reason = "there is one of these for each owner"
    )]
    Many(Box<BTreeSet<SessionKey>>),
}

/// More than that are many.
const FEW: usize = 64;

/// Many become few again when there are no more than that: well below, so that they do not go to and fro.
const FEW_AGAIN: usize = 16;

impl OwnedKeys {
    pub(super) fn one(key: SessionKey) -> Self {
        Self::Few(vec![key])
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &SessionKey> {
        let (few, many) = match self {
            Self::Few(keys) => (Some(keys), None),
            Self::Many(keys) => (None, Some(keys)),
        };
        let many = many.into_iter().flat_map(|keys| keys.iter());
        few.into_iter().flatten().chain(many)
    }

    /// Unless it is listed already.
    pub(super) fn add(&mut self, key: SessionKey) {
        match self {
            Self::Few(keys) if keys.contains(&key) => {}
            Self::Few(keys) if keys.len() < FEW => keys.push(key),
            Self::Few(keys) => {
                let all = keys.drain(..).chain([key]);
                *self = Self::Many(Box::new(all.collect()));
            }
            Self::Many(keys) => {
                keys.insert(key);
            }
        }
    }

    /// One key takes the place of another, if that is listed. Few stay where they are: nothing is freed and made again.
    pub(super) fn rename(&mut self, from: &SessionKey, to: SessionKey) {
        match self {
            Self::Few(keys) => {
                let Some(at) = keys.iter().position(|listed| listed == from) else {
                    return;
                };
                // Listed already if a session that was under it is being purged.
                match from != &to && keys.contains(&to) {
                    true => drop(keys.swap_remove(at)),
                    false => keys[at] = to,
                }
            }
            Self::Many(keys) => {
                if keys.remove(from) {
                    keys.insert(to);
                }
            }
        }
    }

    pub(super) fn remove(&mut self, key: &SessionKey) {
        match self {
            Self::Few(keys) => {
                if let Some(at) = keys.iter().position(|listed| listed == key) {
                    keys.swap_remove(at);
                }
            }
            Self::Many(keys) => {
                keys.remove(key);
                self.settle();
            }
        }
    }

    pub(super) fn retain(&mut self, keep: impl FnMut(&SessionKey) -> bool) {
        match self {
            Self::Few(keys) => keys.retain(keep),
            Self::Many(keys) => {
                keys.retain(keep);
                self.settle();
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Few(keys) => keys.is_empty(),
            Self::Many(keys) => keys.is_empty(),
        }
    }

    /// As few, if they are few again.
    fn settle(&mut self) {
        if let Self::Many(keys) = self
            && keys.len() <= FEW_AGAIN
        {
            *self = Self::Few(keys.iter().copied().collect());
        }
    }
}

#[cfg(test)]
#[cfg(not(cloakroom_shuttle))]
mod tests {
    use super::*;

    fn key(number: usize) -> SessionKey {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        SessionKey::from_bytes(bytes)
    }

    /// In the order of their numbers.
    fn numbers(keys: &OwnedKeys) -> Vec<usize> {
        let number = |key: &SessionKey| {
            let bytes = key.as_bytes().first_chunk();
            usize::from_le_bytes(*bytes.unwrap())
        };
        let mut numbers: Vec<_> = keys.iter().map(number).collect();
        numbers.sort_unstable();
        numbers
    }

    #[test]
    fn few_and_many_do_the_same() {
        for count in [3, FEW, FEW + 1, 1_000] {
            let mut keys = OwnedKeys::one(key(0));
            for number in 0..count {
                keys.add(key(number));
                keys.add(key(number));
            }
            assert_eq!(matches!(keys, OwnedKeys::Many(_)), count > FEW);
            assert!(numbers(&keys).into_iter().eq(0..count));

            keys.rename(&key(0), key(0));
            keys.rename(&key(0), key(count));
            keys.rename(&key(count + 7), key(count + 8));
            assert!(numbers(&keys).into_iter().eq(1..=count));
            // Both are listed.
            keys.rename(&key(count), key(1));
            assert!(numbers(&keys).into_iter().eq(1..count));
            keys.remove(&key(count));
            keys.remove(&key(1));
            assert!(numbers(&keys).into_iter().eq(2..count));
            keys.retain(|listed| *listed == key(2));
            assert_eq!(keys, OwnedKeys::Few(vec![key(2)]));
            keys.remove(&key(2));
            assert!(keys.is_empty());
        }
    }

    #[test]
    fn an_owner_takes_no_more_memory_than_a_vector() {
        assert_eq!(size_of::<OwnedKeys>(), size_of::<Vec<SessionKey>>());
    }

    #[test]
    fn many_that_become_few_give_their_memory_back() {
        let mut keys = OwnedKeys::one(key(0));
        (1..1_000).for_each(|number| keys.add(key(number)));
        (FEW_AGAIN + 1..1_000).for_each(|number| keys.remove(&key(number)));
        assert!(matches!(keys, OwnedKeys::Many(_)));
        keys.remove(&key(FEW_AGAIN));
        assert!(matches!(keys, OwnedKeys::Few(_)));
        assert!(numbers(&keys).into_iter().eq(0..FEW_AGAIN));
    }
}
