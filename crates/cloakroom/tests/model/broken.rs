//! Stores that break a promise each.

use std::fmt;

use cloakroom::{
    Enumerate, Expect, ManualClock, MemoryStore, Record, RotateOutcome, SessionKey, SetOutcome,
    Store, StoreFuture, Times, Timestamp,
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Flaw {
    Upsert,
    LastOneWins,
    CopiesAtRotation,
    TouchRevives,
    DeafToTouch,
}

pub(crate) struct Broken(MemoryStore<u32>, Flaw);

/// Writes whether or not there is a session.
pub(crate) fn upsert(clock: ManualClock) -> Broken {
    broken(clock, Flaw::Upsert)
}

/// Writes over whatever is there.
pub(crate) fn last_one_wins(clock: ManualClock) -> Broken {
    broken(clock, Flaw::LastOneWins)
}

/// Leaves the session alive under its old id too.
pub(crate) fn copies_at_rotation(clock: ManualClock) -> Broken {
    broken(clock, Flaw::CopiesAtRotation)
}

/// Brings a session back that was idle for too long.
pub(crate) fn touch_revives(clock: ManualClock) -> Broken {
    broken(clock, Flaw::TouchRevives)
}

/// Says that it has noted a use, and has not.
pub(crate) fn deaf_to_touch(clock: ManualClock) -> Broken {
    broken(clock, Flaw::DeafToTouch)
}

fn broken(clock: ManualClock, flaw: Flaw) -> Broken {
    Broken(crate::memory(clock), flaw)
}

impl Store<u32> for Broken {
    fn get(&self, key: &SessionKey) -> StoreFuture<'_, Option<Record<u32>>> {
        self.0.get(key)
    }

    fn set(
        &self,
        key: &SessionKey,
        record: Record<u32>,
        expect: Expect,
    ) -> StoreFuture<'_, SetOutcome> {
        let key = *key;
        StoreFuture::new(async move {
            let expect = match expect {
                Expect::Version(_) if self.1 == Flaw::LastOneWins => Expect::Present,
                other => other,
            };
            match self.0.set(&key, record.clone(), expect).await? {
                SetOutcome::Gone if self.1 == Flaw::Upsert => {
                    self.0.set(&key, record, Expect::Absent).await
                }
                outcome => Ok(outcome),
            }
        })
    }

    fn destroy(&self, key: &SessionKey) -> StoreFuture<'_, bool> {
        self.0.destroy(key)
    }

    fn touch(&self, key: &SessionKey, last_seen_at: Timestamp) -> StoreFuture<'_, bool> {
        let key = *key;
        StoreFuture::new(async move {
            match self.1 {
                Flaw::DeafToTouch => Ok(true),
                // A touch is an upsert in many a library. This one has no data to bring back, so it makes some.
                Flaw::TouchRevives if self.0.get(&key).await?.is_none() => {
                    let record = Record::new(0.into(), Times::starting(last_seen_at));
                    self.0.set(&key, record, Expect::Absent).await.map(|_| true)
                }
                _ => self.0.touch(&key, last_seen_at).await,
            }
        })
    }

    fn rotate(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        times: Times,
    ) -> StoreFuture<'_, RotateOutcome> {
        let (from, to) = (*from, *to);
        StoreFuture::new(async move {
            let found = self.0.get(&from).await?;
            let outcome = self.0.rotate(&from, &to, times).await?;
            if let (Flaw::CopiesAtRotation, Some(record)) = (self.1, found) {
                let _ = self.0.set(&from, record, Expect::Absent).await?;
            }
            Ok(outcome)
        })
    }

    fn enumerate(&self) -> Option<&dyn Enumerate<u32>> {
        self.0.enumerate()
    }
}

impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Broken")
    }
}
