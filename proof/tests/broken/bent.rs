use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use cloakroom::{
    Clock, Entry, Enumerate, Expect, Owner, Record, Renewal, RotateOutcome, SessionKey, SetOutcome,
    Store, StoreFuture, SystemClock, Times, Timestamp, Trail,
};
use cloakroom_proof::Note;

/// The promise that is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bend {
    Nothing,
    /// Every write stores, whatever is there.
    Upsert,
    /// Looks, lets others go first, and writes.
    CheckThenAct,
    /// One write in a hundred is acknowledged and not made.
    DropsWrites,
    /// Reads see what was there some writes ago.
    LaggingReads,
    /// A rotation copies.
    RotateCopies,
    /// A renewal copies.
    RenewalCopies,
    /// A renewed session is not found by its old key.
    ForgetsTrails,
    /// Everything since the last save to disk goes with a crash.
    NotDurable,
    /// One read in a hundred fails, and says that nothing is there.
    TroubleIsNone,
}

type Shelf = HashMap<SessionKey, Record<Note>>;
/// What is under a key now.
type News = (SessionKey, Option<Record<Note>>);

#[derive(Debug)]
pub(crate) struct Bent {
    bend: Bend,
    shelf: Mutex<Shelf>,
    /// What a replica still has to hear of.
    replica: Mutex<(Shelf, VecDeque<News>)>,
    disk: Mutex<Shelf>,
    trails: Mutex<HashMap<SessionKey, Trail>>,
    operations: AtomicU64,
}

impl Bent {
    pub(crate) fn new(bend: Bend) -> Self {
        Self {
            bend,
            shelf: Mutex::default(),
            replica: Mutex::default(),
            disk: Mutex::default(),
            trails: Mutex::default(),
            operations: AtomicU64::new(0),
        }
    }

    pub(crate) fn crash(&self) {
        if self.bend == Bend::NotDurable {
            *lock(&self.shelf) = lock(&self.disk).clone();
        }
    }

    fn every(&self, count: u64) -> bool {
        self.operations.fetch_add(1, Ordering::Relaxed) % count == count - 1
    }

    fn note(&self, shelf: &Shelf, key: &SessionKey) {
        let mut replica = lock(&self.replica);
        replica.1.push_back((*key, shelf.get(key).cloned()));
        while replica.1.len() > 20 {
            match replica.1.pop_front() {
                Some((key, Some(record))) => replica.0.insert(key, record),
                Some((key, None)) => replica.0.remove(&key),
                None => None,
            };
        }
        drop(replica);
        if self.every(500) {
            *lock(&self.disk) = shelf.clone();
        }
    }

    fn write(&self, key: &SessionKey, mut record: Record<Note>, expect: Expect) -> SetOutcome {
        let mut shelf = lock(&self.shelf);
        let found = live(&shelf, key).map(|record| record.version);
        let outcome = match self.bend {
            Bend::Upsert => SetOutcome::Stored(found.unwrap_or(record.version) + 1),
            _ => expect.judge(found),
        };
        if let SetOutcome::Stored(version) = outcome {
            let dropped = self.bend == Bend::DropsWrites && self.every(100);
            record.version = version;
            if !dropped {
                shelf.insert(*key, record);
            }
            self.note(&shelf, key);
        }
        outcome
    }
}

impl Bent {
    /// To another key; copied, if the store is bent like that.
    fn shift(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        times: Times,
        copies: Bend,
    ) -> RotateOutcome {
        let mut shelf = lock(&self.shelf);
        let Some(mut record) = live(&shelf, from) else {
            return RotateOutcome::Gone;
        };
        let version = record.version;
        record.times = times;
        shelf.insert(*to, record);
        if self.bend != copies {
            shelf.remove(from);
        }
        self.note(&shelf, from);
        self.note(&shelf, to);
        let found = version;
        RotateOutcome::Moved { found, version }
    }
}

impl Store<Note> for Bent {
    fn get(&self, key: &SessionKey) -> StoreFuture<'_, Option<Record<Note>>> {
        let trouble = self.bend == Bend::TroubleIsNone && self.every(100);
        // Writers lock the shelf before the replica, so not both at once here.
        let heard = match self.bend {
            Bend::LaggingReads => live(&lock(&self.replica).0, key),
            _ => None,
        };
        let found = heard.or_else(|| live(&lock(&self.shelf), key));
        StoreFuture::ready(Ok(found.filter(|_| !trouble)))
    }

    fn set(
        &self,
        key: &SessionKey,
        record: Record<Note>,
        expect: Expect,
    ) -> StoreFuture<'_, SetOutcome> {
        if self.bend != Bend::CheckThenAct {
            return StoreFuture::ready(Ok(self.write(key, record, expect)));
        }
        let key = *key;
        StoreFuture::new(async move {
            let found = live(&lock(&self.shelf), &key).map(|record| record.version);
            let outcome = expect.judge(found);
            tokio::task::yield_now().await;
            if let SetOutcome::Stored(version) = outcome {
                let mut shelf = lock(&self.shelf);
                let mut record = record;
                record.version = version;
                shelf.insert(key, record);
            }
            Ok(outcome)
        })
    }

    fn destroy(&self, key: &SessionKey) -> StoreFuture<'_, bool> {
        let mut shelf = lock(&self.shelf);
        let was = live(&shelf, key).is_some();
        shelf.remove(key);
        self.note(&shelf, key);
        StoreFuture::ready(Ok(was))
    }

    fn touch(&self, key: &SessionKey, at: Timestamp) -> StoreFuture<'_, bool> {
        let mut shelf = lock(&self.shelf);
        let live = live(&shelf, key);
        let was = live.is_some();
        if let Some(mut record) = live {
            record.times.last_seen_at = at;
            shelf.insert(*key, record);
            self.note(&shelf, key);
        }
        StoreFuture::ready(Ok(was))
    }

    fn rotate(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        times: Times,
    ) -> StoreFuture<'_, RotateOutcome> {
        StoreFuture::ready(Ok(self.shift(from, to, times, Bend::RotateCopies)))
    }

    fn renewal(&self) -> Option<&dyn Renewal> {
        Some(self)
    }

    fn enumerate(&self) -> Option<&dyn Enumerate<Note>> {
        Some(self)
    }
}

impl Renewal for Bent {
    fn renew(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        times: Times,
        _trail_ends_at: Timestamp,
    ) -> StoreFuture<'_, RotateOutcome> {
        let mut trails = lock(&self.trails);
        let outcome = self.shift(from, to, times, Bend::RenewalCopies);
        if matches!(outcome, RotateOutcome::Moved { .. }) && self.bend != Bend::ForgetsTrails {
            trails.insert(*from, Trail::new(*to, times.renewed_at));
        }
        StoreFuture::ready(Ok(outcome))
    }

    fn follow(&self, key: &SessionKey) -> StoreFuture<'_, Option<Trail>> {
        StoreFuture::ready(Ok(lock(&self.trails).get(key).cloned()))
    }
}

impl Enumerate<Note> for Bent {
    fn visit<'a>(
        &'a self,
        visitor: &'a mut (dyn FnMut(Entry<Note>) + Send),
    ) -> StoreFuture<'a, ()> {
        let shelf = lock(&self.shelf).clone();
        for key in shelf.keys() {
            if let Some(record) = live(&shelf, key) {
                visitor(Entry::new(*key, record));
            }
        }
        StoreFuture::ready(Ok(()))
    }

    fn clear(&self) -> StoreFuture<'_, u64> {
        lock(&self.shelf).clear();
        StoreFuture::ready(Ok(0))
    }

    fn count(&self) -> StoreFuture<'_, u64> {
        StoreFuture::ready(Ok(lock(&self.shelf).len() as u64))
    }

    fn purge_expired(&self) -> StoreFuture<'_, u64> {
        let now = SystemClock.now();
        lock(&self.shelf).retain(|_, record| !record.times.expired_at(now));
        StoreFuture::ready(Ok(0))
    }

    fn list_by_owner(&self, owner: &Owner) -> StoreFuture<'_, Vec<Entry<Note>>> {
        let shelf = lock(&self.shelf);
        let live = shelf
            .keys()
            .filter_map(|key| Some((key, live(&shelf, key)?)));
        let of_owner = live.filter(|(_, record)| record.owner.as_ref() == Some(owner));
        let entries = of_owner
            .map(|(key, record)| Entry::new(*key, record))
            .collect();
        StoreFuture::ready(Ok(entries))
    }

    fn destroy_by_owner(&self, owner: &Owner, except: &[SessionKey]) -> StoreFuture<'_, u64> {
        let mut shelf = lock(&self.shelf);
        let before: Vec<SessionKey> = shelf.keys().copied().collect();
        shelf.retain(|key, record| record.owner.as_ref() != Some(owner) || except.contains(key));
        for key in &before {
            if !shelf.contains_key(key) {
                self.note(&shelf, key);
            }
        }
        StoreFuture::ready(Ok((before.len() - shelf.len()) as u64))
    }
}

fn live(shelf: &Shelf, key: &SessionKey) -> Option<Record<Note>> {
    let record = shelf.get(key)?;
    (!record.times.expired_at(SystemClock.now())).then(|| record.clone())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
