//! How many sessions there are, may be, and how places become free.

use std::sync::atomic::Ordering;

use cloakroom_store::{StoreError, StoreErrorKind};

use super::builder::WhenFull;
use super::locked::Locks;
use super::owner_index::OwnerIndex;
use super::shard::{EmptiedSegments, Purged, SmallerTables};
use super::store::Inner;
use super::sync::AtomicUsize;

/// Sessions looked at under one lock: some tens of microseconds.
const BATCH: usize = 64;

/// Shards that are purged in turns.
const GROUP: usize = 4;

impl<T: Send + Sync + 'static> Inner<T> {
    /// Removes what has expired, and gives back the memory that nobody needs. How many.
    pub(super) fn purge(&self) -> u64 {
        let mut emptied = EmptiedSegments::new();
        let removed = self.remove_over(|shard| self.give_back_memory(shard, &mut emptied));
        // Now, since each shard's sessions may have owners in all parts.
        (0..Locks::<T>::shard_count()).for_each(|nth| self.give_back_index(nth));
        removed
    }

    /// A few under each lock, and in turns: whoever waits for a shard would not get it if it were locked again at
    /// once, since a lock is had by who asks first, and who is woken asks late. Then what `finish` does to the shard, as
    /// often as it says that there is more.
    ///
    /// Not in all shards in turns: the less is freed before the first of their large pieces of memory is, the less
    /// an allocator may have to merge at once, while whoever else calls it waits.
    fn remove_over(&self, mut finish: impl FnMut(usize) -> bool) -> u64 {
        let now = self.now();
        let mut removed = 0;
        // Here, since nothing is to be allocated while others wait.
        let mut purged = Vec::with_capacity(BATCH);
        let mut turns = Vec::with_capacity(GROUP);
        for first in (0..Locks::<T>::shard_count()).step_by(GROUP) {
            turns.extend(first..Locks::<T>::shard_count().min(first + GROUP));
            while !turns.is_empty() {
                turns.retain(|&nth| {
                    let mut shard = self.locks.nth_shard(nth);
                    let more = shard.purge(now, BATCH, &mut purged);
                    // Before anybody else finds nothing to purge here: who needs a place has it then.
                    self.release(purged.len());
                    drop(shard);
                    removed += purged.len() as u64;
                    self.forget(&purged);
                    // The data is dropped here, when nothing is locked.
                    purged.clear();
                    more || finish(nth)
                });
            }
        }
        removed
    }

    /// A step of it, where most of a shard's tables is empty. Whether there is more to do.
    fn give_back_memory(&self, nth: usize, emptied: &mut EmptiedSegments) -> bool {
        let mut shard = self.locks.nth_shard(nth);
        let more = shard.close_gaps(BATCH, emptied);
        let sizes = shard.smaller_sizes();
        drop(shard);
        emptied.clear();
        if !more && sizes.any() {
            let mut tables = SmallerTables::new(sizes);
            self.locks.nth_shard(nth).move_into(&mut tables);
        }
        more
    }

    /// Of the owner index, where most of a part is empty.
    fn give_back_index(&self, nth: usize) {
        let owners = self.locks.nth_index(nth).smaller_size();
        if let Some(owners) = owners {
            let mut smaller = OwnerIndex::with_space(owners);
            self.locks.nth_index(nth).move_into(&mut smaller);
        }
    }

    /// As many trails as sessions, and some, so that a small store need not count by the piece.
    pub(super) fn most_trails_of_a_shard(&self) -> usize {
        self.settings.max_sessions / Locks::<T>::shard_count() + 64
    }

    /// For one new record: it has the place that was reserved, or one of those that were `given_up` in the same
    /// step. The rest are free.
    pub(super) fn settle(&self, reserved: Option<Reserved<'_>>, given_up: usize) {
        let free = match reserved {
            Some(place) => {
                place.keep();
                given_up
            }
            None => given_up.checked_sub(1).expect("there is a place"),
        };
        self.release(free);
    }

    /// Counts records that are no longer held.
    pub(super) fn release(&self, records: usize) {
        // As a rule one ends and one begins.
        if records > 0 {
            self.held.fetch_sub(records, Ordering::Relaxed);
        }
    }

    /// Takes purged records out of the owner index.
    fn forget(&self, purged: &[Purged<T>]) {
        for (key, facts, _) in purged {
            let Some(owner) = &facts.owner else { continue };
            let hashed = self.locks.hashed(owner);
            let mut index = self.locks.index(&hashed);
            // Unless a session was stored anew under that key since.
            let stays = self.locks.shard(key).owner(key) == Some(owner);
            let unlisted = (!stays).then(|| index.remove(&hashed, key));
            drop(index);
            drop(unlisted);
        }
    }

    /// A place for one more session.
    pub(super) fn reserve(&self) -> Result<Reserved<'_>, StoreError> {
        let max = self.settings.max_sessions;
        let take = || {
            let more = |held| (held < max).then_some(held + 1);
            let taken = self
                .held
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
            // Lazily: a `Reserved` that is dropped gives a place back.
            taken.is_ok().then(|| Reserved {
                held: &self.held,
                kept: false,
            })
        };
        if let Some(reserved) = take() {
            return Ok(reserved);
        }
        // Only that: a full store has no memory to give back, and each sign-in asks.
        self.remove_over(|_| false);
        loop {
            if let Some(reserved) = take() {
                return Ok(reserved);
            }
            if self.settings.when_full == WhenFull::Refuse || !self.evict() {
                return Err(StoreError::new(
                    StoreErrorKind::Full,
                    format!("the memory store holds its maximum of {max} sessions"),
                ));
            }
        }
    }

    /// Ends the session that would end soonest by itself. Whether there was one.
    fn evict(&self) -> bool {
        let candidates = self.locks.shards().filter_map(|shard| shard.soonest());
        let Some(soonest) = candidates.min() else {
            return false;
        };
        // Whoever ended it, or time did: a place became free.
        self.destroy(&soonest.key);
        true
    }
}

/// A place that is given back unless it is kept.
pub(super) struct Reserved<'a> {
    held: &'a AtomicUsize,
    kept: bool,
}

impl Reserved<'_> {
    pub(super) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        if !self.kept {
            self.held.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
