//! How many sessions there are, may be, and how places become free.

use std::sync::atomic::Ordering;

use cloakroom_store::{StoreError, StoreErrorKind};

use super::builder::WhenFull;
use super::locked::Locks;
use super::shard::Purged;
use super::store::Inner;
use super::sync::AtomicUsize;

impl<T: Send + Sync + 'static> Inner<T> {
    /// Removes what has expired, shard by shard, a few under each lock. How many.
    pub(super) fn purge(&self) -> u64 {
        /// Looked at under one lock: some tens of microseconds.
        const BATCH: usize = 64;
        let now = self.now();
        let mut removed = 0;
        let mut purged = Vec::new();
        for shard in 0..Locks::<T>::shard_count() {
            let mut more = true;
            while more {
                more = self.locks.nth_shard(shard).purge(now, BATCH, &mut purged);
                removed += purged.len() as u64;
                self.forget(&purged);
                // The data is dropped here, when nothing is locked.
                purged.clear();
            }
        }
        removed
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

    /// Takes purged records out of the owner index and the count.
    fn forget(&self, purged: &[Purged<T>]) {
        self.release(purged.len());
        for (key, facts, _) in purged {
            let Some(owner) = &facts.owner else { continue };
            let hashed = self.locks.hashed(owner);
            let mut index = self.locks.index(&hashed);
            // Unless a session was stored anew under that key since.
            if self.locks.shard(key).owner(key) != Some(owner) {
                index.remove(&hashed, key);
            }
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
        self.purge();
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
        let soonest = self.locks.shards().filter_map(|shard| shard.soonest());
        // Whoever ended it, or time did: a place became free.
        soonest.min().map(|(_, key)| self.destroy(&key)).is_some()
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
