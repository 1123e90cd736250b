//! How many sessions there are, may be, and how places become free.

use std::sync::atomic::{AtomicUsize, Ordering};

use cloakroom_store::{Owner, SessionKey, StoreError, StoreErrorKind, Timestamp};

use super::builder::WhenFull;
use super::locked::Locks;
use super::store::Inner;

impl<T: Send + Sync + 'static> Inner<T> {
    /// Removes what has expired, shard by shard, a few under each lock. How many.
    pub(super) fn purge(&self) -> u64 {
        /// Looked at under one lock: some tens of microseconds.
        const BATCH: usize = 64;
        let now = self.now();
        let mut removed = 0;
        for shard in 0..Locks::<T>::shard_count() {
            loop {
                let purged = self.locks.nth_shard(shard).purge(now, BATCH);
                self.forget(&purged.owned, purged.removed);
                removed += purged.removed as u64;
                if purged.looked_at < BATCH {
                    break;
                }
            }
        }
        removed
    }

    /// As many trails as sessions, and some, so that a small store need not count by the piece.
    pub(super) fn most_trails_of_a_shard(&self) -> usize {
        self.settings.max_sessions / Locks::<T>::shard_count() + 64
    }

    /// For a record whose place has just been given up.
    pub(super) fn hold_one_more(&self) {
        self.held.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts records that are no longer held.
    pub(super) fn release(&self, records: usize) {
        self.held.fetch_sub(records, Ordering::Relaxed);
    }

    /// Takes purged records out of the owner index and the count.
    fn forget(&self, owned: &[(Owner, SessionKey)], removed: usize) {
        self.release(removed);
        for (owner, key) in owned {
            let mut index = self.locks.index(owner);
            // Unless a session was stored anew under that key since.
            if self.locks.shard(key).owner(key) != Some(owner) {
                index.remove(owner, key);
            }
        }
    }

    /// A place for one more session.
    pub(super) fn reserve(&self, now: Timestamp) -> Result<Reserved<'_>, StoreError> {
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
            if self.settings.when_full == WhenFull::Refuse || !self.evict(now) {
                return Err(StoreError::new(
                    StoreErrorKind::Full,
                    format!("the memory store holds its maximum of {max} sessions"),
                ));
            }
        }
    }

    /// Ends a session that would end soon by itself. Whether there was one.
    fn evict(&self, now: Timestamp) -> bool {
        // A different shard first each time, so that the sessions of one do not bear it all.
        let shards = Locks::<T>::shard_count();
        let start = now.as_millis().unsigned_abs() as usize;
        (0..shards).any(|step| {
            let soonest = self.locks.nth_shard((start + step) % shards).soonest();
            soonest.is_some_and(|key| self.destroy(&key))
        })
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
