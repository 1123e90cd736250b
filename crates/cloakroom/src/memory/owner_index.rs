use std::collections::HashMap;

use cloakroom_store::{Owner, SessionKey};

/// A part of the index from owners to their sessions. May name a session that has expired, until that is purged;
/// never misses a live one.
#[derive(Debug, Default)]
pub(super) struct OwnerIndex {
    // A vector, since most owners have a handful: smaller than a set, and as fast.
    keys: HashMap<Owner, Vec<SessionKey>>,
}

impl OwnerIndex {
    pub(super) fn keys(&self, owner: &Owner) -> &[SessionKey] {
        self.keys.get(owner).map_or(&[], Vec::as_slice)
    }

    pub(super) fn add(&mut self, owner: &Owner, key: SessionKey) {
        match self.keys.get_mut(owner) {
            Some(keys) if keys.contains(&key) => {}
            Some(keys) => keys.push(key),
            None => {
                self.keys.insert(owner.clone(), vec![key]);
            }
        }
    }

    pub(super) fn remove(&mut self, owner: &Owner, key: &SessionKey) {
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
        self.keys = HashMap::new();
    }
}
