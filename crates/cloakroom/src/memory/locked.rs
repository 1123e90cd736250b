use std::hash::BuildHasher;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use cloakroom_store::{Owner, SessionKey};

use super::owner_index::{HashedOwner, OwnerIndex};
use super::shard::Shard;
use super::sync::{AtomicBool, Mutex, MutexGuard, OwnerHasher, SHARDS};

/// All shards and all parts of the owner index, each behind a lock of its own.
///
/// Whoever needs several takes parts of the index first, then shards, each in ascending order: so nobody waits
/// for each other in a circle, and while a part of the index is held no owner in it gains or loses a session.
#[derive(Debug)]
pub(super) struct Locks<T> {
    shards: Box<[Mutex<Shard<T>>]>,
    index: Box<[Mutex<OwnerIndex>]>,
    /// Whether a session has ever had an owner. Said before the shard of the first one is locked.
    any_owner: AtomicBool,
    owner_hasher: OwnerHasher,
}

impl<T> Locks<T> {
    pub(super) fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            index: (0..SHARDS).map(|_| Mutex::default()).collect(),
            any_owner: AtomicBool::new(false),
            owner_hasher: OwnerHasher::default(),
        }
    }

    pub(super) fn shard(&self, key: &SessionKey) -> MutexGuard<'_, Shard<T>> {
        lock(&self.shards[shard_of(key)])
    }

    pub(super) fn nth_shard(&self, shard: usize) -> MutexGuard<'_, Shard<T>> {
        lock(&self.shards[shard])
    }

    pub(super) fn nth_index(&self, part: usize) -> MutexGuard<'_, OwnerIndex> {
        lock(&self.index[part])
    }

    /// How many shards there are, and parts of the index.
    pub(super) const fn shard_count() -> usize {
        SHARDS
    }

    /// Each shard, one after the other.
    pub(super) fn shards(&self) -> impl Iterator<Item = MutexGuard<'_, Shard<T>>> {
        self.shards.iter().map(lock)
    }

    /// The part of the index that knows this owner.
    pub(super) fn index(&self, owner: &HashedOwner) -> MutexGuard<'_, OwnerIndex> {
        lock(&self.index[owner.part(SHARDS)])
    }

    pub(super) fn hashed(&self, owner: &Owner) -> HashedOwner {
        HashedOwner::new(owner.clone(), self.owner_hasher.hash_one(owner))
    }

    /// Each part of the index, one after the other.
    pub(super) fn index_parts(&self) -> impl Iterator<Item = MutexGuard<'_, OwnerIndex>> {
        self.index.iter().map(lock)
    }

    #[cfg(all(test, not(cloakroom_shuttle)))]
    pub(super) fn all_are_free(&self) -> bool {
        let shards = self.shards.iter().all(|shard| shard.try_lock().is_ok());
        shards && self.index.iter().all(|part| part.try_lock().is_ok())
    }

    /// Does something to one or two keys with everything locked that it may change: the keys' shards, and the
    /// index parts of the owners that these records have and of the one that they are given.
    #[inline]
    pub(super) fn with<R>(
        &self,
        keys: [&SessionKey; 2],
        given: Option<&Owner>,
        act: impl FnOnce(&mut Locked<'_, '_, T>) -> R,
    ) -> R {
        self.lock_and(keys, given, false, act)
    }

    /// The same, with the shards of all sessions of that owner too: none of them changes meanwhile.
    pub(super) fn with_all_of<R>(
        &self,
        owner: Option<&Owner>,
        keys: [&SessionKey; 2],
        act: impl FnOnce(&mut Locked<'_, '_, T>) -> R,
    ) -> R {
        self.lock_and(keys, owner, true, act)
    }

    #[inline]
    fn lock_and<R>(
        &self,
        keys: [&SessionKey; 2],
        given: Option<&Owner>,
        all_of_given: bool,
        act: impl FnOnce(&mut Locked<'_, '_, T>) -> R,
    ) -> R {
        let any_owner = self.any_owner.load(Ordering::Relaxed);
        if given.is_some() && !any_owner {
            self.any_owner.store(true, Ordering::Relaxed);
        } else if !any_owner {
            let mut locked = Locked::shards_of(self, keys, None);
            // Asked again: who put an owner's session into one of these shards said so before, and had its lock.
            if !self.any_owner.load(Ordering::Relaxed) {
                return act(&mut locked);
            }
        }
        let given = given.map(|owner| self.hashed(owner));
        // The index has to be locked first, but only the records tell which parts of it. So this is a guess: that
        // the second key, if it is another, is new.
        let first = self.shard(keys[0]).owner(keys[0]).cloned();
        let second = first.clone().filter(|_| keys[0] == keys[1]);
        let mut owners = [first, second];
        loop {
            // Not twice the same: a name's hash takes longer than the rest.
            let hashed = |at: usize| {
                let owner = owners[at].as_ref()?;
                let given = given.as_ref().map(|given| &given.owner);
                let known = given == Some(owner) || owners[..at].contains(&owners[at]);
                (!known).then(|| self.hashed(owner))
            };
            let known = [given.clone(), hashed(0), hashed(1)];
            let mut index = LockedIndex::of(self, known);
            let mut locked = match given.as_ref().filter(|_| all_of_given) {
                Some(given) => Locked::all_shards_of(self, &given.owner, keys, &mut index),
                None => Locked::shards_of(self, keys, Some(&mut index)),
            };
            let unchanged = (0..keys.len())
                .all(|at| locked.shard(keys[at]).owner(keys[at]) == owners[at].as_ref());
            if unchanged {
                return act(&mut locked);
            }
            owners = keys.map(|key| locked.shard(key).owner(key).cloned());
        }
    }
}

/// What [`Locks::with`] has locked.
#[derive(Debug)]
pub(super) struct Locked<'a, 'i, T> {
    first: LockedShard<'a, T>,
    second: Option<LockedShard<'a, T>>,
    /// Where there may be more than two.
    more: Vec<LockedShard<'a, T>>,
    /// Nothing is put together for it while no session has an owner.
    index: Option<&'i mut LockedIndex<'a>>,
}

/// With its number.
type LockedShard<'a, T> = (usize, MutexGuard<'a, Shard<T>>);

#[derive(Debug)]
struct LockedIndex<'a> {
    /// Whose parts of the index are locked.
    owners: [Option<HashedOwner>; 3],
    parts: [Option<(usize, MutexGuard<'a, OwnerIndex>)>; 3],
}

impl<'a> LockedIndex<'a> {
    fn of<T>(locks: &'a Locks<T>, owners: [Option<HashedOwner>; 3]) -> Self {
        let mut parts = [0, 1, 2].map(|at| owners[at].as_ref().map(|owner| owner.part(SHARDS)));
        parts.sort_unstable();
        let mut locked = [None, None, None];
        for (at, part) in parts.iter().enumerate() {
            let repeated = at > 0 && parts[at - 1] == *part;
            if let Some(part) = part.filter(|_| !repeated) {
                locked[at] = Some((part, lock(&locks.index[part])));
            }
        }
        let parts = locked;
        Self { owners, parts }
    }

    /// The part that knows this owner.
    fn part(&mut self, owner: &Owner) -> (&mut OwnerIndex, &HashedOwner) {
        let mut known = self.owners.iter().flatten();
        let owner = known
            .find(|known| known.owner == *owner)
            .expect("only owners whose parts are locked are asked for");
        let wanted = owner.part(SHARDS);
        let mut locked = self.parts.iter_mut().flatten();
        let part = locked.find(|(part, _)| *part == wanted);
        (&mut part.expect("it was locked for this owner").1, owner)
    }
}

impl<'a, 'i, T> Locked<'a, 'i, T> {
    #[inline]
    fn shards_of(
        locks: &'a Locks<T>,
        keys: [&SessionKey; 2],
        index: Option<&'i mut LockedIndex<'a>>,
    ) -> Self {
        let lock = |shard: usize| (shard, lock(&locks.shards[shard]));
        let [one, other] = keys.map(shard_of);
        Self {
            first: lock(one.min(other)),
            second: (one != other).then(|| lock(one.max(other))),
            more: Vec::new(),
            index,
        }
    }

    /// While the owner's part of the index is held, the sessions stay the same.
    fn all_shards_of(
        locks: &'a Locks<T>,
        owner: &Owner,
        keys: [&SessionKey; 2],
        index: &'i mut LockedIndex<'a>,
    ) -> Self {
        let (part, hashed) = index.part(owner);
        let owned = part.keys(hashed);
        let mut shards: Vec<usize> = owned.chain(keys).map(shard_of).collect();
        shards.sort_unstable();
        shards.dedup();
        let lock = |shard: usize| (shard, lock(&locks.shards[shard]));
        let mut shards = shards.into_iter().map(lock);
        Self {
            first: shards.next().expect("each key has one"),
            second: shards.next(),
            more: shards.collect(),
            index: Some(index),
        }
    }

    #[inline]
    pub(super) fn shard(&mut self, key: &SessionKey) -> &mut Shard<T> {
        let wanted = shard_of(key);
        if self.first.0 == wanted {
            return &mut self.first.1;
        }
        let mut others = self.second.iter_mut().chain(&mut self.more);
        let found = others.find(|(shard, _)| *shard == wanted);
        &mut found
            .expect("only keys whose shards are locked are asked for")
            .1
    }

    /// The owner's sessions, as the index names them.
    pub(super) fn keys_of(&mut self, owner: &Owner) -> impl Iterator<Item = &SessionKey> {
        let (index, owner) = self.part(owner);
        index.keys(owner)
    }

    pub(super) fn list(&mut self, owner: &Owner, key: SessionKey) {
        let (index, owner) = self.part(owner);
        index.add(owner, key);
    }

    pub(super) fn unlist(&mut self, owner: &Owner, key: &SessionKey) {
        let (index, owner) = self.part(owner);
        index.remove(owner, key);
    }

    /// A session of one owner, or of none, ends and another begins.
    #[inline]
    pub(super) fn relist(
        &mut self,
        from: &SessionKey,
        old: Option<&Owner>,
        to: &SessionKey,
        new: Option<&Owner>,
    ) {
        match (old, new) {
            (Some(old), Some(new)) if old == new => {
                let (index, owner) = self.part(old);
                index.rename(owner, from, *to);
            }
            _ => {
                if let Some(old) = old {
                    self.unlist(old, from);
                }
                if let Some(new) = new {
                    self.list(new, *to);
                }
            }
        }
    }

    fn part(&mut self, owner: &Owner) -> (&mut OwnerIndex, &HashedOwner) {
        let index = self.index.as_mut();
        index.expect("an owner was said before locking").part(owner)
    }
}

/// The store's own code does not panic while it holds a lock; should it ever, the data is still whole.
#[inline]
fn lock<R>(mutex: &Mutex<R>) -> MutexGuard<'_, R> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[inline]
fn shard_of(key: &SessionKey) -> usize {
    usize::from(key.as_bytes()[0]) % SHARDS
}
