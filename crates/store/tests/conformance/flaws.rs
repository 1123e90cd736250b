//! Stores as they are found in the wild, each with the one mistake that its name says.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::Mutex;
use std::task::Poll;
use std::time::Duration;

use cloakroom_store::conformance::Payload;
use cloakroom_store::{
    Clock, Entry, Enumerate, Expect, Owner, Record, RotateOutcome, SessionKey, SetOutcome, Store,
    StoreError, StoreErrorKind, StoreFuture, Times, Timestamp,
};

use crate::bent::Flaw;
use crate::shelf::{Shelf, decide, too_large};

/// As a round trip to a server: others go first.
async fn round_trip() {
    let mut asked = false;
    poll_fn(|context| {
        if asked {
            return Poll::Ready(());
        }
        asked = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Law 4: every write succeeds, so a slow request revives what was destroyed.
#[derive(Debug, Default)]
pub struct Upsert;

impl Flaw for Upsert {
    fn set<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
        mut record: Record<Payload>,
        _: Expect,
    ) -> StoreFuture<'a, SetOutcome> {
        record.version = shelf.raw(&key).map_or(1, |old| old.version + 1);
        let outcome = SetOutcome::Stored(record.version);
        shelf.put(key, record);
        StoreFuture::ready(Ok(outcome))
    }
}

/// Law 3: looks, and then writes, in two round trips.
#[derive(Debug, Default)]
pub struct CheckThenAct;

impl Flaw for CheckThenAct {
    fn set<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
        mut record: Record<Payload>,
        expect: Expect,
    ) -> StoreFuture<'a, SetOutcome> {
        StoreFuture::new(async move {
            let live = shelf.get(&key).await?.map(|record| record.version);
            let outcome = decide(live, expect);
            if let SetOutcome::Stored(version) = outcome {
                round_trip().await;
                record.version = version;
                shelf.put(key, record);
            }
            Ok(outcome)
        })
    }
}

/// Law 4: looks whether there is a session, then overwrites it whatever became of it.
#[derive(Debug, Default)]
pub struct PresentThenUpsert;

impl Flaw for PresentThenUpsert {
    fn set<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
        mut record: Record<Payload>,
        expect: Expect,
    ) -> StoreFuture<'a, SetOutcome> {
        if expect != Expect::Present {
            return shelf.set(&key, record, expect);
        }
        StoreFuture::new(async move {
            let Some(found) = shelf.get(&key).await? else {
                return Ok(SetOutcome::Gone);
            };
            round_trip().await;
            record.version = found.version + 1;
            let outcome = SetOutcome::Stored(record.version);
            shelf.put(key, record);
            Ok(outcome)
        })
    }
}

/// Law 1: remembers what it read; writes through, but another instance's writes go unnoticed.
#[derive(Debug, Default)]
pub struct StaleCache(Mutex<HashMap<SessionKey, Record<Payload>>>);

impl Flaw for StaleCache {
    fn get<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
    ) -> StoreFuture<'a, Option<Record<Payload>>> {
        let now = shelf.clock.now();
        if let Some(record) = self
            .0
            .lock()
            .unwrap()
            .get(&key)
            .filter(|record| !record.times.expired_at(now))
        {
            return StoreFuture::ready(Ok(Some(record.clone())));
        }
        StoreFuture::new(async move {
            let found = shelf.get(&key).await?;
            if let Some(record) = &found {
                self.0.lock().unwrap().insert(key, record.clone());
            }
            Ok(found)
        })
    }

    fn set<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
        record: Record<Payload>,
        expect: Expect,
    ) -> StoreFuture<'a, SetOutcome> {
        self.0.lock().unwrap().remove(&key);
        shelf.set(&key, record, expect)
    }

    fn destroy<'a>(&'a self, shelf: &'a Shelf, key: SessionKey) -> StoreFuture<'a, bool> {
        self.0.lock().unwrap().remove(&key);
        shelf.destroy(&key)
    }

    fn touch<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
        seen: Timestamp,
    ) -> StoreFuture<'a, bool> {
        self.0.lock().unwrap().remove(&key);
        shelf.touch(&key, seen, None)
    }

    fn rotate<'a>(
        &'a self,
        shelf: &'a Shelf,
        from: SessionKey,
        to: SessionKey,
        times: Times,
    ) -> StoreFuture<'a, RotateOutcome> {
        self.0.lock().unwrap().remove(&from);
        shelf.rotate(&from, &to, times)
    }
}

/// Law 6: copies, and then deletes.
#[derive(Debug, Default)]
pub struct CopyThenDelete;

impl Flaw for CopyThenDelete {
    fn rotate<'a>(
        &'a self,
        shelf: &'a Shelf,
        from: SessionKey,
        to: SessionKey,
        times: Times,
    ) -> StoreFuture<'a, RotateOutcome> {
        StoreFuture::new(async move {
            let Some(mut record) = shelf.get(&from).await? else {
                return Ok(RotateOutcome::Gone);
            };
            let found = record.version;
            record.times = times;
            match shelf.set(&to, record, Expect::Absent).await? {
                SetOutcome::Stored(version) => {
                    round_trip().await;
                    shelf.destroy(&from).await?;
                    Ok(RotateOutcome::Moved { found, version })
                }
                _ => Ok(RotateOutcome::Exists),
            }
        })
    }
}

/// Law 5: deletes and writes anew what it read before, so an update in between is lost.
#[derive(Debug, Default)]
pub struct RotateLosesUpdates;

impl Flaw for RotateLosesUpdates {
    fn rotate<'a>(
        &'a self,
        shelf: &'a Shelf,
        from: SessionKey,
        to: SessionKey,
        times: Times,
    ) -> StoreFuture<'a, RotateOutcome> {
        StoreFuture::new(async move {
            if shelf.get(&to).await?.is_some() {
                return Ok(RotateOutcome::Exists);
            }
            let Some(mut record) = shelf.get(&from).await? else {
                return Ok(RotateOutcome::Gone);
            };
            round_trip().await;
            if !shelf.destroy(&from).await? {
                return Ok(RotateOutcome::Gone);
            }
            record.times = times;
            let found = record.version;
            shelf.put(to, record);
            Ok(RotateOutcome::Moved {
                found,
                version: found,
            })
        })
    }
}

/// Law 5: touching what is not there makes it.
#[derive(Debug, Default)]
pub struct TouchCreates;

impl Flaw for TouchCreates {
    fn touch<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
        seen: Timestamp,
    ) -> StoreFuture<'a, bool> {
        if shelf.raw(&key).is_none() {
            let mut record = Record::new(Payload::new().into(), Times::starting(seen));
            record.version = 1;
            shelf.put(key, record);
        }
        shelf.touch(&key, seen, None)
    }
}

/// Law 5: touching writes back the whole record as it was read.
#[derive(Debug, Default)]
pub struct TouchWritesBack;

impl Flaw for TouchWritesBack {
    fn touch<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
        seen: Timestamp,
    ) -> StoreFuture<'a, bool> {
        StoreFuture::new(async move {
            let Some(mut record) = shelf.get(&key).await? else {
                return Ok(false);
            };
            round_trip().await;
            record.times.last_seen_at = seen;
            if shelf.raw(&key).is_some() {
                shelf.put(key, record);
            }
            Ok(true)
        })
    }
}

/// Law 13: compares the end, in UTC, with the time in a zone two hours ahead.
#[derive(Debug, Default)]
pub struct LocalTime;

impl Flaw for LocalTime {
    fn get<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
    ) -> StoreFuture<'a, Option<Record<Payload>>> {
        let local = shelf.clock.now().plus(Duration::from_secs(2 * 3_600));
        let record = shelf
            .raw(&key)
            .filter(|record| !record.times.expired_at(local));
        StoreFuture::ready(Ok(record))
    }
}

/// Law 13: keeps the end in seconds of 32 bits.
#[derive(Debug, Default)]
pub struct ThirtyTwoBits;

impl Flaw for ThirtyTwoBits {
    fn set<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
        mut record: Record<Payload>,
        expect: Expect,
    ) -> StoreFuture<'a, SetOutcome> {
        let latest = i64::from(i32::MAX) * 1_000;
        record.times.ends_at = record
            .times
            .ends_at
            .map(|end| end.min(Timestamp::from_millis(latest)));
        shelf.set(&key, record, expect)
    }
}

/// Law 10: says that there is nothing when it cannot tell.
#[derive(Debug, Default)]
pub struct NoneForTrouble;

impl Flaw for NoneForTrouble {
    fn get<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
    ) -> StoreFuture<'a, Option<Record<Payload>>> {
        StoreFuture::new(async move { Ok(shelf.get(&key).await.unwrap_or(None)) })
    }
}

/// Law 10: waits for a server that does not answer.
#[derive(Debug, Default)]
pub struct WaitsForever;

impl Flaw for WaitsForever {
    fn destroy<'a>(&'a self, shelf: &'a Shelf, key: SessionKey) -> StoreFuture<'a, bool> {
        if shelf.is_down() {
            return StoreFuture::new(std::future::pending());
        }
        shelf.destroy(&key)
    }
}

/// Law 1: has no column for something.
macro_rules! forgets {
    ($name:ident, $record:ident => $forget:expr) => {
        #[derive(Debug, Default)]
        pub struct $name;

        impl Flaw for $name {
            fn set<'a>(
                &'a self,
                shelf: &'a Shelf,
                key: SessionKey,
                mut $record: Record<Payload>,
                expect: Expect,
            ) -> StoreFuture<'a, SetOutcome> {
                $forget;
                shelf.set(&key, $record, expect)
            }
        }
    };
}

forgets!(ForgetsEnd, record => record.times.ends_at = None);
forgets!(ForgetsIdle, record => record.times.idle_timeout = None);
forgets!(ForgetsOwner, record => record.owner = None);
forgets!(ForgetsClient, record => record.client = None);
forgets!(ForgetsBrowserSession, record => record.browser_session = false);
forgets!(ForgetsSignIn, record => record.times.authenticated_at = None);
forgets!(CutsAt64Kib, record => {
    let mut data = Payload::clone(&record.data);
    data.values_mut().for_each(|bytes| bytes.truncate(65_535));
    record.data = data.into();
});
forgets!(CutsStringsAtNul, record => {
    let data = Payload::clone(&record.data).into_iter();
    record.data = std::sync::Arc::new(data.map(|(text, bytes)| (text.replace('\0', ""), bytes)).collect());
});
forgets!(KeepsSeconds, record => {
    let seconds = |at: Timestamp| Timestamp::from_millis(at.as_millis() / 1_000 * 1_000);
    record.times.ends_at = record.times.ends_at.map(seconds);
    record.times.last_seen_at = seconds(record.times.last_seen_at);
});

/// Law 1: compares keys as text in a case-insensitive collation.
#[derive(Debug, Default)]
pub struct FoldsKeys;

impl FoldsKeys {
    fn fold(key: SessionKey) -> SessionKey {
        SessionKey::from_bytes(key.as_bytes().map(|byte| byte.to_ascii_lowercase()))
    }
}

impl Flaw for FoldsKeys {
    fn get<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
    ) -> StoreFuture<'a, Option<Record<Payload>>> {
        shelf.get(&Self::fold(key))
    }

    fn set<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
        record: Record<Payload>,
        expect: Expect,
    ) -> StoreFuture<'a, SetOutcome> {
        shelf.set(&Self::fold(key), record, expect)
    }

    fn destroy<'a>(&'a self, shelf: &'a Shelf, key: SessionKey) -> StoreFuture<'a, bool> {
        shelf.destroy(&Self::fold(key))
    }

    fn rotate<'a>(
        &'a self,
        shelf: &'a Shelf,
        from: SessionKey,
        to: SessionKey,
        times: Times,
    ) -> StoreFuture<'a, RotateOutcome> {
        shelf.rotate(&Self::fold(from), &Self::fold(to), times)
    }
}

/// Law 9: finds owners in a case-insensitive collation.
#[derive(Debug, Default)]
pub struct FoldsOwners;

impl Flaw for FoldsOwners {
    fn list_by_owner<'a>(
        &'a self,
        shelf: &'a Shelf,
        owner: Owner,
    ) -> StoreFuture<'a, Vec<Entry<Payload>>> {
        StoreFuture::new(async move {
            let mut entries = shelf.all().await?;
            let name = owner.as_str().to_lowercase();
            entries.retain(|entry| {
                entry
                    .record
                    .owner
                    .as_ref()
                    .is_some_and(|owner| owner.as_str().to_lowercase() == name)
            });
            entries.sort_by_key(|entry| entry.record.times.created_at);
            Ok(entries)
        })
    }
}

/// Law 9: the index knows sessions from their creation on; what a rotation or a later sign-in changes it misses.
#[derive(Debug, Default)]
pub struct IndexMisses(Mutex<HashMap<SessionKey, Owner>>);

impl Flaw for IndexMisses {
    fn set<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
        record: Record<Payload>,
        expect: Expect,
    ) -> StoreFuture<'a, SetOutcome> {
        if let (Expect::Absent, Some(owner)) = (expect, &record.owner) {
            self.0.lock().unwrap().insert(key, owner.clone());
        }
        shelf.set(&key, record, expect)
    }

    fn list_by_owner<'a>(
        &'a self,
        shelf: &'a Shelf,
        owner: Owner,
    ) -> StoreFuture<'a, Vec<Entry<Payload>>> {
        StoreFuture::new(async move {
            let mut entries = shelf.list_by_owner(&owner).await?;
            entries.retain(|entry| self.0.lock().unwrap().get(&entry.key) == Some(&owner));
            Ok(entries)
        })
    }
}

/// Law 9: the index keeps sessions until a purge; expired ones are listed.
#[derive(Debug, Default)]
pub struct IndexKeepsDead;

impl Flaw for IndexKeepsDead {
    fn list_by_owner<'a>(
        &'a self,
        shelf: &'a Shelf,
        owner: Owner,
    ) -> StoreFuture<'a, Vec<Entry<Payload>>> {
        let mut entries: Vec<_> = shelf
            .raw_all()
            .into_iter()
            .map(|(key, record)| Entry::new(key, record))
            .filter(|entry| entry.record.owner.as_ref() == Some(&owner))
            .collect();
        entries.sort_by_key(|entry| entry.record.times.created_at);
        StoreFuture::ready(Ok(entries))
    }
}

/// Law 9: signing out everywhere reads a list, and then writes dead records over what it read.
#[derive(Debug, Default)]
pub struct SignsOutSlowly;

impl Flaw for SignsOutSlowly {
    fn destroy_by_owner<'a>(
        &'a self,
        shelf: &'a Shelf,
        owner: Owner,
        except: Option<SessionKey>,
    ) -> StoreFuture<'a, u64> {
        StoreFuture::new(async move {
            let mut ended = 0;
            for entry in shelf.list_by_owner(&owner).await? {
                if Some(entry.key) == except {
                    continue;
                }
                let mut dead = entry.record;
                dead.times.ends_at = Some(Timestamp::MIN);
                round_trip().await;
                // A conflict is taken for "somebody else ended it".
                let expect = Expect::Version(dead.version);
                if let SetOutcome::Stored(_) = shelf.set(&entry.key, dead, expect).await? {
                    ended += 1;
                }
            }
            Ok(ended)
        })
    }
}

/// Law 8: purges by the expiry that a session had when it began.
#[derive(Debug, Default)]
pub struct PurgesRefreshed(Mutex<HashMap<SessionKey, Option<Timestamp>>>);

impl Flaw for PurgesRefreshed {
    fn set<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
        record: Record<Payload>,
        expect: Expect,
    ) -> StoreFuture<'a, SetOutcome> {
        self.0
            .lock()
            .unwrap()
            .insert(key, record.times.expires_at());
        shelf.set(&key, record, expect)
    }

    fn purge_expired<'a>(&'a self, shelf: &'a Shelf) -> StoreFuture<'a, u64> {
        let now = shelf.clock.now();
        let mut purged = 0;
        self.0.lock().unwrap().retain(|key, end| {
            let is_over = end.is_some_and(|end| end <= now);
            purged += u64::from(is_over && shelf.take(key).is_some());
            !is_over
        });
        StoreFuture::ready(Ok(purged))
    }
}

/// Law 8: reads what has expired, and then deletes it, whatever it is by then.
#[derive(Debug, Default)]
pub struct PurgesBlindly;

impl Flaw for PurgesBlindly {
    fn purge_expired<'a>(&'a self, shelf: &'a Shelf) -> StoreFuture<'a, u64> {
        StoreFuture::new(async move {
            let now = shelf.clock.now();
            let mut expired = shelf.raw_all();
            expired.retain(|(_, record)| record.times.expired_at(now));
            round_trip().await;
            let removed = expired.iter().filter(|(key, _)| shelf.take(key).is_some());
            Ok(removed.count() as u64)
        })
    }
}

/// Law 12: notices only after writing that it was too much.
#[derive(Debug, Default)]
pub struct LimitAfterWriting;

impl Flaw for LimitAfterWriting {
    fn set<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
        mut record: Record<Payload>,
        expect: Expect,
    ) -> StoreFuture<'a, SetOutcome> {
        let Some(error) = too_large(&record) else {
            return shelf.set(&key, record, expect);
        };
        let live = shelf.raw(&key).map(|record| record.version);
        if let SetOutcome::Stored(version) = decide(live, expect) {
            record.version = version;
            shelf.put(key, record);
        }
        StoreFuture::ready(Err(error))
    }
}

/// Law 11: one bad record, and no listing.
#[derive(Debug, Default)]
pub struct OneBadFailsAll;

impl Flaw for OneBadFailsAll {
    fn all<'a>(&'a self, shelf: &'a Shelf) -> StoreFuture<'a, Vec<Entry<Payload>>> {
        if shelf.raw_all().iter().any(|(key, _)| shelf.is_spoiled(key)) {
            return StoreFuture::ready(Err(StoreError::new(
                StoreErrorKind::Undecodable,
                "spoiled",
            )));
        }
        shelf.all()
    }
}

/// Law 2: an expired session is an error.
#[derive(Debug, Default)]
pub struct ExpiredIsAnError;

impl Flaw for ExpiredIsAnError {
    fn get<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
    ) -> StoreFuture<'a, Option<Record<Payload>>> {
        let now = shelf.clock.now();
        if shelf
            .raw(&key)
            .is_some_and(|record| record.times.expired_at(now))
        {
            return StoreFuture::ready(Err(StoreError::new(StoreErrorKind::Internal, "expired")));
        }
        shelf.get(&key)
    }
}

/// Law 2: a session lives a millisecond too long.
#[derive(Debug, Default)]
pub struct OffByOne;

impl Flaw for OffByOne {
    fn get<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
    ) -> StoreFuture<'a, Option<Record<Payload>>> {
        let before = shelf.clock.now().minus(Duration::from_millis(1));
        let record = shelf
            .raw(&key)
            .filter(|record| !record.times.expired_at(before));
        StoreFuture::ready(Ok(record))
    }
}

/// Law 7: writes after it said so; what is not written yet is lost. One write behind.
#[derive(Debug, Default)]
pub struct WritesBehind(Mutex<Option<(SessionKey, Record<Payload>)>>);

impl Flaw for WritesBehind {
    fn get<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
    ) -> StoreFuture<'a, Option<Record<Payload>>> {
        self.flush(shelf);
        shelf.get(&key)
    }

    fn set<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
        mut record: Record<Payload>,
        expect: Expect,
    ) -> StoreFuture<'a, SetOutcome> {
        self.flush(shelf);
        let outcome = decide(shelf.raw(&key).map(|record| record.version), expect);
        if let SetOutcome::Stored(version) = outcome {
            record.version = version;
            *self.0.lock().unwrap() = Some((key, record));
        }
        StoreFuture::ready(Ok(outcome))
    }

    /// It does not touch the shelf, so what is pending stays so.
    fn touch<'a>(
        &'a self,
        _: &'a Shelf,
        key: SessionKey,
        seen: Timestamp,
    ) -> StoreFuture<'a, bool> {
        let mut pending = self.0.lock().unwrap();
        let pending = pending.as_mut().filter(|(pending, _)| *pending == key);
        let live = pending.map(|(_, record)| record.times.last_seen_at = seen);
        StoreFuture::ready(Ok(live.is_some()))
    }
}

impl WritesBehind {
    fn flush(&self, shelf: &Shelf) {
        if let Some((key, record)) = self.0.lock().unwrap().take() {
            shelf.put(key, record);
        }
    }
}
