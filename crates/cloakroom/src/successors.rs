//! Which id follows an id at a renewal.

use std::fmt;

use cloakroom_store::SessionKey;

use crate::key_ring::{Place, derive};
use crate::keyed_hash::KeyedHash;
use crate::{Secret, SessionId};

/// The keys that tell which id follows an id at a renewal.
///
/// The next id is not drawn at random but is an HMAC of the old one, so that every request which brings the old
/// id meanwhile can be answered with the same new one: of several responses any may be the one that the browser keeps,
/// and if all are lost the next request gets it again. Without the secret it is as unpredictable as a random one.
pub(crate) struct SuccessorKeys(Vec<KeyedHash>);

impl SuccessorKeys {
    pub(crate) fn new<'a>(
        secrets: impl Iterator<Item = &'a Secret>,
        place: impl Into<Place<'a>>,
    ) -> Self {
        let place = place.into();
        let key = |secret| derive(secret, b"cloakroom v1 renewed id", place);
        Self(secrets.map(key).collect())
    }

    /// The id that follows this one.
    pub(crate) fn successor(&self, id: &SessionId) -> SessionId {
        successor(&self.0[0], id)
    }

    /// What may follow it: one for each secret, since a renewal may have come before a change of secrets.
    pub(crate) fn candidates(&self, id: &SessionId) -> impl Iterator<Item = SessionId> {
        self.0.iter().map(|key| successor(key, id))
    }

    /// All that followed it, if that key was the next one's.
    pub(crate) fn chain(&self, id: &SessionId, next: &SessionKey) -> Option<Chain<'_>> {
        let begin = |hash| Chain::new(hash, successor(hash, id));
        self.0
            .iter()
            .map(begin)
            .find(|chain| chain.keys[0] == *next)
    }
}

/// The ids that a session had after one of its ids, renewal after renewal, and the keys of those. Which they are needs no
/// look at the store.
pub(crate) struct Chain<'a> {
    hash: &'a KeyedHash,
    ids: Vec<SessionId>,
    keys: Vec<SessionKey>,
}

impl<'a> Chain<'a> {
    fn new(hash: &'a KeyedHash, first: SessionId) -> Self {
        Self {
            hash,
            keys: vec![first.key()],
            ids: vec![first],
        }
    }

    /// The key after that many more renewals.
    pub(crate) fn key(&mut self, after: usize) -> &SessionKey {
        while self.keys.len() <= after {
            let newest = &self.ids[self.ids.len() - 1];
            let next = successor(self.hash, newest);
            self.keys.push(next.key());
            self.ids.push(next);
        }
        &self.keys[after]
    }

    /// The id of a key that was asked for.
    pub(crate) fn id(&self, after: usize) -> &SessionId {
        &self.ids[after]
    }
}

fn successor(key: &KeyedHash, id: &SessionId) -> SessionId {
    SessionId::from_bytes(&key.of(id.as_bytes()))
}

impl fmt::Debug for SuccessorKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SuccessorKeys(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CookieName;

    #[test]
    fn successors_differ_by_secret_and_by_id_and_are_the_same_each_time() {
        let (new, old) = (Secret::generate().unwrap(), Secret::generate().unwrap());
        let name = CookieName::new("sid").unwrap();
        let keys = SuccessorKeys::new([&new, &old].into_iter(), &name);
        let (a, b) = (SessionId::random().unwrap(), SessionId::random().unwrap());
        assert_eq!(keys.successor(&a), keys.successor(&a));
        assert_ne!(keys.successor(&a), keys.successor(&b));
        assert_ne!(keys.successor(&a), a);

        let before = SuccessorKeys::new([&old].into_iter(), &name).successor(&a);
        assert_ne!(keys.successor(&a), before);
        assert!(keys.candidates(&a).any(|candidate| candidate == before));
    }

    #[test]
    fn a_chain_goes_on_with_the_secret_that_it_began_with() {
        let (new, old) = (Secret::generate().unwrap(), Secret::generate().unwrap());
        let name = CookieName::new("sid").unwrap();
        let before = SuccessorKeys::new([&old].into_iter(), &name);
        let keys = SuccessorKeys::new([&new, &old].into_iter(), &name);
        let first = SessionId::random().unwrap();
        let second = before.successor(&first);
        let third = before.successor(&second);

        let mut chain = keys.chain(&first, &second.key()).unwrap();
        assert_eq!(*chain.key(1), third.key());
        assert_eq!(*chain.key(0), second.key());
        assert!(*chain.id(0) == second && *chain.id(1) == third);
        assert!(keys.chain(&first, &third.key()).is_none());
    }
}
