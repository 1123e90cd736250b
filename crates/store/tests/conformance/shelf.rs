//! Correct stores: a shelf in memory with its own version of everything, and one that relies on what is
//! provided.

mod limits;
mod renewal;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};

use cloakroom_store::conformance::Payload;
use cloakroom_store::{
    Clock, Entry, Enumerate, Expect, ManualClock, Owner, OwnerLimits, Record, Renewal,
    RotateOutcome, SessionKey, SetOutcome, Store, StoreError, StoreErrorKind, StoreFuture, Times,
    Timestamp, Trail,
};

pub(crate) type Records = HashMap<SessionKey, Record<Payload>>;

/// Larger than this is refused, counted roughly.
pub(crate) const LIMIT: usize = 1 << 20;

/// Each method is one step under a lock. Clones share the records, as instances of a service do.
#[derive(Clone, Debug)]
pub(crate) struct Shelf {
    inner: Arc<Mutex<Inner>>,
    pub(crate) clock: ManualClock,
}

#[derive(Debug, Default)]
struct Inner {
    records: Records,
    spoiled: HashSet<SessionKey>,
    trails: HashMap<SessionKey, (Trail, Timestamp)>,
    is_down: bool,
}

impl Shelf {
    pub(crate) fn new(clock: ManualClock) -> Self {
        let inner = Arc::default();
        Self { inner, clock }
    }

    pub(crate) fn spoil(&self, key: SessionKey) {
        self.lock().spoiled.insert(key);
    }

    pub(crate) fn set_down(&self, is_down: bool) {
        self.lock().is_down = is_down;
    }

    pub(crate) fn is_down(&self) -> bool {
        self.lock().is_down
    }

    pub(crate) fn is_spoiled(&self, key: &SessionKey) -> bool {
        self.lock().spoiled.contains(key)
    }

    /// The record, expired or not.
    pub(crate) fn raw(&self, key: &SessionKey) -> Option<Record<Payload>> {
        self.lock().records.get(key).cloned()
    }

    /// Writes whatever is there, as a broken store does.
    pub(crate) fn put(&self, key: SessionKey, record: Record<Payload>) {
        self.lock().records.insert(key, record);
    }

    pub(crate) fn take(&self, key: &SessionKey) -> Option<Record<Payload>> {
        self.lock().records.remove(key)
    }

    /// All records, expired or not.
    pub(crate) fn raw_all(&self) -> Vec<(SessionKey, Record<Payload>)> {
        let inner = self.lock();
        let all = inner.records.iter();
        all.map(|(key, record)| (*key, record.clone())).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no panic while locked")
    }

    /// One step, unless the store is down.
    fn step<R>(&self, step: impl FnOnce(&mut Inner, Timestamp) -> R) -> Result<R, StoreError> {
        let mut inner = self.lock();
        if inner.is_down {
            return Err(StoreError::new(StoreErrorKind::Unavailable, "switched off"));
        }
        Ok(step(&mut inner, self.clock.now()))
    }

    fn answer<R>(&self, step: impl FnOnce(&mut Inner, Timestamp) -> R) -> StoreFuture<'_, R> {
        StoreFuture::ready(self.step(step))
    }
}

impl Inner {
    fn live(&self, key: &SessionKey, now: Timestamp) -> Option<&Record<Payload>> {
        let record = self.records.get(key);
        record.filter(|record| !record.times.expired_at(now))
    }

    fn live_entries(&self, now: Timestamp) -> Vec<Entry<Payload>> {
        let all = self.records.iter();
        let live = all
            .filter(|(key, record)| !record.times.expired_at(now) && !self.spoiled.contains(*key));
        live.map(|(key, record)| Entry::new(*key, record.clone()))
            .collect()
    }

    fn remove(&mut self, key: &SessionKey, now: Timestamp) -> bool {
        let was_live = self.live(key, now).is_some();
        self.spoiled.remove(key);
        self.records.remove(key);
        was_live
    }

    fn remove_all(
        &mut self,
        now: Timestamp,
        which: impl Fn(&SessionKey, &Record<Payload>) -> bool,
    ) -> u64 {
        let all = self.records.iter();
        let keys: Vec<_> = all
            .filter(|(key, record)| which(key, record))
            .map(|(key, _)| *key)
            .collect();
        let live = keys.iter().filter(|key| self.remove(key, now)).count();
        live as u64
    }

    fn set(
        &mut self,
        key: SessionKey,
        mut record: Record<Payload>,
        expect: Expect,
        now: Timestamp,
    ) -> SetOutcome {
        let outcome = decide(self.live(&key, now).map(|live| live.version), expect);
        if let SetOutcome::Stored(version) = outcome {
            record.version = version;
            self.records.insert(key, record);
            self.spoiled.remove(&key);
        }
        outcome
    }

    fn rotate(
        &mut self,
        from: &SessionKey,
        to: &SessionKey,
        times: Times,
        now: Timestamp,
    ) -> RotateOutcome {
        if self.live(to, now).is_some() {
            return RotateOutcome::Exists;
        }
        let Some(mut record) = self.live(from, now).cloned() else {
            return RotateOutcome::Gone;
        };
        let version = record.version;
        record.times = times;
        self.remove(from, now);
        self.records.insert(*to, record);
        RotateOutcome::Moved {
            found: version,
            version,
        }
    }
}

/// What a set comes to, given the version of the live record.
pub(crate) fn decide(live: Option<u64>, expect: Expect) -> SetOutcome {
    match (expect, live) {
        (Expect::Absent, Some(_)) => SetOutcome::Exists,
        (Expect::Absent, None) => SetOutcome::Stored(1),
        (_, None) => SetOutcome::Gone,
        (Expect::Version(wanted), Some(found)) if wanted != found => SetOutcome::Conflict(found),
        (_, Some(found)) => SetOutcome::Stored(found + 1),
    }
}

pub(crate) fn too_large(record: &Record<Payload>) -> Option<StoreError> {
    let bytes: usize = record.data.values().map(Vec::len).sum();
    (bytes > LIMIT).then(|| StoreError::new(StoreErrorKind::TooLarge, format!("{bytes} bytes")))
}

impl Store<Payload> for Shelf {
    fn get(&self, key: &SessionKey) -> StoreFuture<'_, Option<Record<Payload>>> {
        let found = self.step(|inner, now| {
            let live = inner.live(key, now).cloned();
            (live, inner.spoiled.contains(key))
        });
        StoreFuture::ready(match found {
            Ok((Some(_), true)) => Err(StoreError::new(StoreErrorKind::Undecodable, "spoiled")),
            Ok((live, _)) => Ok(live),
            Err(error) => Err(error),
        })
    }

    fn set(
        &self,
        key: &SessionKey,
        record: Record<Payload>,
        expect: Expect,
    ) -> StoreFuture<'_, SetOutcome> {
        if let Some(error) = too_large(&record) {
            return StoreFuture::ready(Err(error));
        }
        self.answer(|inner, now| inner.set(*key, record, expect, now))
    }

    fn destroy(&self, key: &SessionKey) -> StoreFuture<'_, bool> {
        self.answer(|inner, now| inner.remove(key, now))
    }

    fn touch(&self, key: &SessionKey, last_seen_at: Timestamp) -> StoreFuture<'_, bool> {
        self.answer(|inner, now| {
            let live = inner.live(key, now).is_some();
            if let Some(record) = inner.records.get_mut(key).filter(|_| live) {
                record.times.last_seen_at = last_seen_at;
            }
            live
        })
    }

    fn rotate(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        times: Times,
    ) -> StoreFuture<'_, RotateOutcome> {
        self.answer(|inner, now| inner.rotate(from, to, times, now))
    }

    fn replace(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        record: Record<Payload>,
    ) -> StoreFuture<'_, SetOutcome> {
        if let Some(error) = too_large(&record) {
            return StoreFuture::ready(Err(error));
        }
        self.answer(|inner, now| {
            if inner.live(to, now).is_some() {
                return SetOutcome::Exists;
            }
            inner.remove(from, now);
            inner.set(*to, record, Expect::Absent, now)
        })
    }

    fn enumerate(&self) -> Option<&dyn Enumerate<Payload>> {
        Some(self)
    }

    fn owner_limits(&self) -> Option<&dyn OwnerLimits<Payload>> {
        Some(self)
    }

    fn renewal(&self) -> Option<&dyn Renewal> {
        Some(self)
    }
}

impl Enumerate<Payload> for Shelf {
    fn visit<'a>(
        &'a self,
        visitor: &'a mut (dyn FnMut(Entry<Payload>) + Send),
    ) -> StoreFuture<'a, ()> {
        let entries = self.step(|inner, now| inner.live_entries(now));
        StoreFuture::ready(entries.map(|entries| entries.into_iter().for_each(visitor)))
    }

    fn clear(&self) -> StoreFuture<'_, u64> {
        self.answer(|inner, now| {
            inner.trails.clear();
            inner.remove_all(now, |_, _| true)
        })
    }

    fn count(&self) -> StoreFuture<'_, u64> {
        self.answer(|inner, now| inner.live_entries(now).len() as u64)
    }

    fn purge_expired(&self) -> StoreFuture<'_, u64> {
        self.answer(|inner, now| {
            let before = inner.records.len();
            inner.trails.retain(|_, (_, ends_at)| *ends_at > now);
            inner.remove_all(now, |_, record| record.times.expired_at(now));
            (before - inner.records.len()) as u64
        })
    }

    fn list_by_owner(&self, owner: &Owner) -> StoreFuture<'_, Vec<Entry<Payload>>> {
        self.answer(|inner, now| {
            let mut entries = inner.live_entries(now);
            entries.retain(|entry| entry.record.owner.as_ref() == Some(owner));
            entries.sort_by_key(|entry| entry.record.times.created_at);
            entries
        })
    }

    fn destroy_by_owner(&self, owner: &Owner, except: &[SessionKey]) -> StoreFuture<'_, u64> {
        self.answer(|inner, now| {
            inner.remove_all(now, |key, record| {
                record.owner.as_ref() == Some(owner) && !except.contains(key)
            })
        })
    }
}

/// Three methods and what is provided; it cannot even enumerate.
#[derive(Clone, Debug)]
pub(crate) struct Plain(pub(crate) Shelf);

impl Store<Payload> for Plain {
    fn get(&self, key: &SessionKey) -> StoreFuture<'_, Option<Record<Payload>>> {
        self.0.get(key)
    }

    fn set(
        &self,
        key: &SessionKey,
        record: Record<Payload>,
        expect: Expect,
    ) -> StoreFuture<'_, SetOutcome> {
        self.0.set(key, record, expect)
    }

    fn destroy(&self, key: &SessionKey) -> StoreFuture<'_, bool> {
        self.0.destroy(key)
    }
}
