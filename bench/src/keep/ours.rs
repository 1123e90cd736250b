use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cloakroom::{
    Clock, Expect, Owner, Record, SessionKey, SetOutcome, Store, SystemClock, Times, Timestamp,
};
use sha2::{Digest, Sha256};

use super::Keep;
use crate::Failure;

const DAY: Duration = Duration::from_secs(86_400);

/// Any of Cloakroom's stores.
pub struct Ours<S, T> {
    pub store: S,
    data: T,
    /// As other libraries' ids are kept here: whoever asks a store knows the key.
    keys: Vec<SessionKey>,
    /// As a request has it from having read the session.
    versions: Vec<AtomicU64>,
    owner: Option<Owner>,
    began: Timestamp,
}

impl<T: Clone + Send + Sync + 'static, S: Store<T>> Ours<S, T> {
    pub fn new(store: S, data: T) -> Self {
        Self { store, data, keys: Vec::new(), versions: Vec::new(), owner: None, began: SystemClock.now() }
    }

    /// All sessions from now on are this owner's.
    pub fn owned_by(&mut self, owner: &Owner) {
        self.owner = Some(owner.clone());
    }

    /// With data of its own, as each session has.
    pub fn record(&self) -> Record<T> {
        let now = SystemClock.now();
        // A write leaves the beginning as it is and moves the end, as with a time-out for lying unused.
        let mut times = Times::starting(self.began);
        times.last_seen_at = now;
        times.ends_at = Some(now.plus(DAY));
        let mut record = Record::new(Arc::new(self.data.clone()), times);
        record.owner.clone_from(&self.owner);
        record
    }
}

/// Spread as those of real ids are.
pub fn key(session: u64) -> SessionKey {
    SessionKey::from_bytes(Sha256::digest(session.to_le_bytes()).into())
}

impl<T: Clone + Send + Sync + 'static, S: Store<T>> Keep for Ours<S, T> {
    async fn add(&mut self) -> Result<(), Failure> {
        let key = key(self.keys.len() as u64);
        let outcome = self.store.set(&key, self.record(), Expect::Absent).await?;
        self.keys.push(key);
        self.versions.push(AtomicU64::new(1));
        (outcome == SetOutcome::Stored(1)).then_some(()).ok_or_else(|| format!("{outcome:?}").into())
    }

    // All have their first version still.
    fn swap(&mut self, a: usize, b: usize) {
        self.keys.swap(a, b);
    }

    async fn get(&self, session: usize) -> Result<(), Failure> {
        let record = self.store.get(&self.keys[session]).await?;
        std::hint::black_box(record).map(drop).ok_or_else(|| "it is gone".into())
    }

    /// As `save` does it: if nobody else has written it since. If somebody has, once more, as `update` does.
    async fn set(&self, session: usize) -> Result<(), Failure> {
        let version = &self.versions[session];
        let mut expected = version.load(Ordering::Relaxed);
        loop {
            let expect = Expect::Version(expected);
            match self.store.set(&self.keys[session], self.record(), expect).await? {
                SetOutcome::Stored(stored) => break version.store(stored, Ordering::Relaxed),
                SetOutcome::Conflict(newer) => expected = newer,
                other => return Err(format!("{other:?}").into()),
            }
        }
        Ok(())
    }
}
