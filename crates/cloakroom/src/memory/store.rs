use std::fmt;
use std::sync::Arc;

use cloakroom_store::{
    Enumerate, Expect, OwnerLimits, Record, Renewal, RotateOutcome, SessionKey, SetOutcome, Store,
    StoreError, StoreFuture, Times, Timestamp, Trail,
};

use super::builder::{MemoryStoreBuilder, Settings};
use super::facts::Facts;
use super::locked::{Locked, Locks};
use super::purger::Purger;
use super::shard::Kept;
use super::slots::Ends;
use super::sync::AtomicUsize;

/// Sessions in this process: typed, never serialized, gone with the process.
///
/// For one server that may forget its sessions when it restarts, and for tests. Holds at most
/// [one million sessions](MemoryStoreBuilder::max_sessions) unless told otherwise. What has expired is freed by
/// a thread of the store's own, without traffic and without looking at every session. Clones are the same
/// store.
///
/// What is freed goes back to the allocator. That of glibc keeps most of it for the process, as it gives only the end of its
/// heap back to the system; a program that wants more of it back after many sessions have ended calls `malloc_trim` of the C
/// library. After a million had expired that gave back 261 of 272 MB, and took 30 to 60 ms, in which others may wait for
/// memory.
///
/// ```
/// use cloakroom::{Expect, MemoryStore, Record, SessionKey, SetOutcome, Store, Times, Timestamp};
/// use std::sync::Arc;
///
/// # futures_lite::future::block_on(async {
/// let store = MemoryStore::new();
/// let key = SessionKey::from_bytes([1; 32]);
/// let record = Record::new(Arc::new("hello"), Times::starting(Timestamp::from_millis(0)));
///
/// assert_eq!(store.set(&key, record.clone(), Expect::Absent).await?, SetOutcome::Stored(1));
/// assert_eq!(*store.get(&key).await?.unwrap().data, "hello");
///
/// store.destroy(&key).await?;
/// assert_eq!(store.set(&key, record, Expect::Version(1)).await?, SetOutcome::Gone);
/// # Ok::<(), cloakroom::StoreError>(())
/// # }).unwrap();
/// ```
pub struct MemoryStore<T> {
    inner: Arc<Inner<T>>,
}

pub(super) struct Inner<T> {
    pub(super) locks: Locks<T>,
    /// Records held, expired ones included, and places reserved for new ones.
    pub(super) held: AtomicUsize,
    pub(super) settings: Settings,
    _purger: Purger,
}

impl<T: Send + Sync + 'static> MemoryStore<T> {
    /// A store with the default settings.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Begins a configuration.
    pub fn builder() -> MemoryStoreBuilder<T> {
        MemoryStoreBuilder::new()
    }

    pub(super) fn with_settings(settings: Settings) -> Self {
        let interval = settings.purge_interval;
        let inner = Arc::new_cyclic(|weak| Inner {
            locks: Locks::new(),
            held: AtomicUsize::new(0),
            settings,
            _purger: Purger::start(weak.clone(), interval),
        });
        Self { inner }
    }
}

impl<T: Send + Sync + 'static> Inner<T> {
    /// Only to see what has expired: the times in a record are the engine's.
    pub(super) fn now(&self) -> Timestamp {
        self.settings.clock.lately()
    }

    fn set(
        &self,
        key: &SessionKey,
        mut record: Record<T>,
        expect: Expect,
    ) -> Result<SetOutcome, StoreError> {
        let now = self.now();
        let held = {
            let mut shard = self.locks.shard(key);
            let found = shard.find(key).ok();
            let facts = found.map(|found| shard.facts_at(found));
            let live = facts.filter(|facts| !facts.is_over(now));
            let outcome = expect.judge(live.map(|facts| facts.version));
            let SetOutcome::Stored(version) = outcome else {
                return Ok(outcome);
            };
            // The usual write: over a record of the same owner, so the index stays as it is.
            let same_owner = facts.is_some_and(|facts| facts.owner == record.owner);
            if let Some(found) = found.filter(|_| same_owner) {
                record.version = version;
                shard.write_over(found, &mut record, now);
                drop(shard);
                drop(record);
                return Ok(outcome);
            }
            found.is_some()
        };
        // A record that is there, live or not, gives its place to the new one.
        let mut reserved = match held {
            true => None,
            false => Some(self.reserve()?),
        };
        let owner = record.owner.clone();
        let mut record = Some(record);
        let mut over = None;
        loop {
            let outcome = self.locks.with([key, key], owner.as_ref(), |locked| {
                let live = locked.shard(key).live(key, now);
                let outcome = expect.judge(live.map(|facts| facts.version));
                if let SetOutcome::Stored(version) = outcome {
                    over = take_out(locked, key);
                    let replaced = usize::from(over.is_some());
                    if reserved.is_none() && replaced == 0 {
                        return None;
                    }
                    self.settle(reserved.take(), replaced);
                    let mut record = record.take().expect("it is stored once");
                    record.version = version;
                    insert(locked, *key, Facts::apart(record), now);
                }
                Some(outcome)
            });
            match outcome {
                Some(outcome) => return Ok(outcome),
                // It was there when asked, and went before it was locked.
                None => reserved = Some(self.reserve()?),
            }
        }
    }

    pub(super) fn destroy(&self, key: &SessionKey) -> bool {
        let now = self.now();
        let record = self
            .locks
            .with([key, key], None, |locked| self.remove(locked, key));
        record.is_some_and(|(facts, _)| !facts.is_over(now))
    }

    fn touch(&self, key: &SessionKey, last_seen_at: Timestamp) -> bool {
        let now = self.now();
        let mut shard = self.locks.shard(key);
        shard.change(key, now, |facts| facts.times.last_seen_at = last_seen_at)
    }

    /// Moves a session. What is given with `trail_ends_at` leaves a trail.
    pub(super) fn rotate(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        times: Times,
        trail_ends_at: Option<Timestamp>,
    ) -> RotateOutcome {
        let now = self.now();
        let mut over = None;
        self.locks.with([from, to], None, |locked| {
            let Some(version) = locked
                .shard(from)
                .live(from, now)
                .map(|facts| facts.version)
            else {
                return RotateOutcome::Gone;
            };
            if locked.shard(to).live(to, now).is_some() {
                return RotateOutcome::Exists;
            }
            over = take_out(locked, to);
            let old = locked.shard(from).take(from);
            let mut record = old.expect("it is live");
            record.0.times = times;
            locked.relist(from, record.0.owner.as_ref(), to, record.0.owner.as_ref());
            let shard = locked.shard(to);
            shard.add(shard.vacant(to), *to, record, now);
            self.release(usize::from(over.is_some()));
            if let Some(ends_at) = trail_ends_at.filter(|ends_at| *ends_at > now) {
                let trail = Trail::new(*to, times.renewed_at);
                let most = self.most_trails_of_a_shard();
                locked
                    .shard(from)
                    .leave_trail(*from, (trail, ends_at), most, now);
            }
            RotateOutcome::Moved {
                found: version,
                version,
            }
        })
    }

    fn replace(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        mut record: Record<T>,
    ) -> Result<SetOutcome, StoreError> {
        let now = self.now();
        record.version = 1;
        let owner = record.owner.clone();
        let mut record = Some(record);
        // One ends and one begins, so a full store is no obstacle, unless the old one is not there.
        let mut reserved = None;
        let (mut ended, mut over) = (None, None);
        loop {
            let outcome = self.locks.with([from, to], owner.as_ref(), |locked| {
                ended = locked.shard(from).take(from);
                let old_owner = ended.as_ref().and_then(|(facts, _)| facts.owner.as_ref());
                let vacant = match locked.shard(to).find(to) {
                    Err(vacant) => vacant,
                    Ok(found) if !locked.shard(to).facts_at(found).is_over(now) => {
                        locked.relist(from, old_owner, to, None);
                        self.release(usize::from(ended.is_some()));
                        return Some(SetOutcome::Exists);
                    }
                    Ok(_) => {
                        over = take_out(locked, to);
                        locked.shard(to).vacant(to)
                    }
                };
                let given_up = usize::from(ended.is_some()) + usize::from(over.is_some());
                if reserved.is_none() && given_up == 0 {
                    return None;
                }
                self.settle(reserved.take(), given_up);
                let record = record.take().expect("it is stored once");
                locked.relist(from, old_owner, to, record.owner.as_ref());
                let record = Facts::apart(record);
                locked.shard(to).add(vacant, *to, record, now);
                Some(SetOutcome::Stored(1))
            });
            match outcome {
                Some(outcome) => return Ok(outcome),
                // Only now, since a full store may end another session for it.
                None => reserved = Some(self.reserve()?),
            }
        }
    }

    /// Takes a record out, expired or not, with its index entry.
    pub(super) fn remove(
        &self,
        locked: &mut Locked<'_, '_, T>,
        key: &SessionKey,
    ) -> Option<Kept<T>> {
        let record = take_out(locked, key)?;
        self.release(1);
        Some(record)
    }
}

/// Takes a record out, with its index entry. Its place stays taken: whoever stores another in the same step
/// passes it on, so that nobody else gets it in between. To be dropped when nothing is locked: the data is the
/// application's, which may take its time, or use the store.
#[inline]
pub(super) fn take_out<T>(locked: &mut Locked<'_, '_, T>, key: &SessionKey) -> Option<Kept<T>> {
    let record = locked.shard(key).take(key)?;
    if let Some(owner) = &record.0.owner {
        locked.unlist(owner, key);
    }
    Some(record)
}

/// Puts a record in under a key that is not there yet.
#[inline]
pub(super) fn insert<T>(
    locked: &mut Locked<'_, '_, T>,
    key: SessionKey,
    record: Kept<T>,
    now: Timestamp,
) {
    if let Some(owner) = &record.0.owner {
        locked.list(owner, key);
    }
    let shard = locked.shard(&key);
    shard.add(shard.vacant(&key), key, record, now);
}

impl<T: Send + Sync + 'static> Store<T> for MemoryStore<T> {
    fn get(&self, key: &SessionKey) -> StoreFuture<'_, Option<Record<T>>> {
        let now = self.inner.now();
        let record = self.inner.locks.shard(key).live_record(key, now);
        StoreFuture::ready(Ok(record))
    }

    fn set(
        &self,
        key: &SessionKey,
        record: Record<T>,
        expect: Expect,
    ) -> StoreFuture<'_, SetOutcome> {
        StoreFuture::ready(self.inner.set(key, record, expect))
    }

    fn destroy(&self, key: &SessionKey) -> StoreFuture<'_, bool> {
        StoreFuture::ready(Ok(self.inner.destroy(key)))
    }

    fn touch(&self, key: &SessionKey, last_seen_at: Timestamp) -> StoreFuture<'_, bool> {
        StoreFuture::ready(Ok(self.inner.touch(key, last_seen_at)))
    }

    fn rotate(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        times: Times,
    ) -> StoreFuture<'_, RotateOutcome> {
        StoreFuture::ready(Ok(self.inner.rotate(from, to, times, None)))
    }

    fn replace(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        record: Record<T>,
    ) -> StoreFuture<'_, SetOutcome> {
        StoreFuture::ready(self.inner.replace(from, to, record))
    }

    fn enumerate(&self) -> Option<&dyn Enumerate<T>> {
        Some(&*self.inner)
    }

    fn owner_limits(&self) -> Option<&dyn OwnerLimits<T>> {
        Some(&*self.inner)
    }

    fn renewal(&self) -> Option<&dyn Renewal> {
        Some(&*self.inner)
    }
}

#[cfg(test)]
impl<T: Send + Sync + 'static> MemoryStore<T> {
    #[cfg(not(cloakroom_shuttle))]
    pub(super) fn inner(&self) -> &Arc<Inner<T>> {
        &self.inner
    }

    /// How many trails there are, and how many places for them.
    pub(super) fn trails_held(&self) -> (usize, usize) {
        let held = self.inner.locks.shards().map(|shard| shard.trails_held());
        held.fold((0, 0), |sum, shard| (sum.0 + shard.0, sum.1 + shard.1))
    }

    /// How many places the tables have, how many sessions are scheduled, how many owners are known.
    pub(super) fn memory_in_use(&self) -> (usize, usize, usize) {
        let (mut places, mut scheduled) = (0, 0);
        for shard in self.inner.locks.shards() {
            let in_use = shard.memory_in_use();
            places += in_use.0;
            scheduled += in_use.1;
        }
        let owners = self.inner.locks.index_parts().map(|part| part.len()).sum();
        (places, scheduled, owners)
    }
}

impl<T: Send + Sync + 'static> Default for MemoryStore<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Clone for MemoryStore<T> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl<T> fmt::Debug for MemoryStore<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("held", &self.inner.held)
            .field("settings", &self.inner.settings)
            .finish_non_exhaustive()
    }
}
