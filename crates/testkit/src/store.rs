use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex};

use cloakroom::{
    Clock, Enumerate, Expect, MemoryStore, Record, RotateOutcome, SessionKey, SetOutcome, Store,
    StoreError, StoreErrorKind, StoreFuture, Times, Timestamp,
};
use std::time::Duration;
use tokio::sync::RwLock;

use crate::Gate;

/// A store around another one that writes down what it is asked, can be made to fail, and can hold operations
/// up.
pub struct FaultyStore<T> {
    inner: Arc<dyn Store<T>>,
    probe: Arc<Probe>,
    kept: Arc<dyn Any + Send + Sync>,
}

/// What a store can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Op {
    Get,
    Set,
    Destroy,
    Touch,
    Rotate,
    Replace,
}

impl Op {
    /// Each of them.
    pub const ALL: [Self; 6] = [
        Self::Get,
        Self::Set,
        Self::Destroy,
        Self::Touch,
        Self::Rotate,
        Self::Replace,
    ];
}

#[derive(Default)]
struct Probe {
    asked: Mutex<Vec<Op>>,
    failing: Mutex<Vec<(Op, StoreErrorKind)>>,
    // Before the operation takes effect, and after it did but before it is acknowledged.
    before: [Gate; 6],
    after: [Gate; 6],
    // Written while counting: a count is of one moment, not of some before and some after a rotation.
    counting: RwLock<()>,
}

/// What the store says when it fails: nothing of it may ever reach a client.
pub const STORE_FAILURE: &str = "connection to store-17.internal:5432 refused (user cloak)";

impl<T: Send + Sync + 'static> FaultyStore<T> {
    /// Around an empty [`MemoryStore`] that goes by that clock.
    #[must_use]
    pub fn new(clock: impl Clock) -> Self {
        let builder = MemoryStore::builder().clock(clock);
        Self::around(Arc::new(builder.purge_interval(Duration::ZERO).build()))
    }

    /// Around that store, which has to be one that [enumerates](Enumerate).
    #[must_use]
    pub fn around(inner: Arc<dyn Store<T>>) -> Self {
        Self {
            inner,
            probe: Arc::default(),
            kept: Arc::new(()),
        }
    }

    /// Keeps something until the store is gone: the directory that it is in.
    #[must_use]
    pub fn keeping(mut self, kept: impl Any + Send + Sync) -> Self {
        self.kept = Arc::new(kept);
        self
    }

    /// What it was asked since this was last called, in order.
    #[must_use]
    pub fn take_asked(&self) -> Vec<Op> {
        std::mem::take(&mut *self.probe.asked.lock().expect("nothing panics under it"))
    }

    /// From now on these, and no others, do not answer; they have no effect either.
    pub fn fail(&self, ops: &[Op]) {
        self.fail_as(StoreErrorKind::Unavailable, ops);
    }

    /// From now on these, and no others, fail in that way, without any effect.
    pub fn fail_as(&self, kind: StoreErrorKind, ops: &[Op]) {
        let failing = ops.iter().map(|op| (*op, kind)).collect();
        *self.probe.failing.lock().expect("nothing panics under it") = failing;
    }

    /// Nothing fails any more.
    pub fn recover(&self) {
        self.fail(&[]);
    }

    /// Where operations of that sort can be held up before they take effect.
    #[must_use]
    pub fn before(&self, op: Op) -> &Gate {
        &self.probe.before[op as usize]
    }

    /// Where operations of that sort can be held up when they took effect, before they are acknowledged.
    #[must_use]
    pub fn after(&self, op: Op) -> &Gate {
        &self.probe.after[op as usize]
    }

    /// How many sessions live; not written down as asked.
    pub async fn live(&self) -> u64 {
        let everything = self.inner.enumerate().expect("this store can");
        let _alone = self.probe.counting.write().await;
        everything.count().await.expect("the store answers")
    }

    /// Ends every session, as an administrator does; not written down as asked.
    pub async fn clear(&self) {
        let everything = self.inner.enumerate().expect("this store can");
        everything.clear().await.expect("the store answers");
    }

    fn through<'a, R: Send + 'a>(
        &'a self,
        op: Op,
        ask: impl FnOnce(&'a dyn Store<T>) -> StoreFuture<'a, R> + Send + 'a,
    ) -> StoreFuture<'a, R> {
        StoreFuture::new(async move {
            let probe = &*self.probe;
            probe
                .asked
                .lock()
                .expect("nothing panics under it")
                .push(op);
            probe.before[op as usize].pass().await;
            let failing = {
                let failing = probe.failing.lock().expect("nothing panics under it");
                failing.iter().find(|(failing, _)| *failing == op).copied()
            };
            if let Some((_, kind)) = failing {
                return Err(StoreError::new(kind, STORE_FAILURE));
            }
            let answer = {
                let _among_others = probe.counting.read().await;
                ask(&*self.inner).await
            };
            probe.after[op as usize].pass().await;
            answer
        })
    }
}

impl<T: Send + Sync + 'static> Store<T> for FaultyStore<T> {
    fn get(&self, key: &SessionKey) -> StoreFuture<'_, Option<Record<T>>> {
        let key = *key;
        self.through(Op::Get, move |store| store.get(&key))
    }

    fn set(
        &self,
        key: &SessionKey,
        record: Record<T>,
        expect: Expect,
    ) -> StoreFuture<'_, SetOutcome> {
        let key = *key;
        self.through(Op::Set, move |store| store.set(&key, record, expect))
    }

    fn destroy(&self, key: &SessionKey) -> StoreFuture<'_, bool> {
        let key = *key;
        self.through(Op::Destroy, move |store| store.destroy(&key))
    }

    fn touch(&self, key: &SessionKey, last_seen_at: Timestamp) -> StoreFuture<'_, bool> {
        let key = *key;
        self.through(Op::Touch, move |store| store.touch(&key, last_seen_at))
    }

    fn rotate(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        times: Times,
    ) -> StoreFuture<'_, RotateOutcome> {
        let (from, to) = (*from, *to);
        self.through(Op::Rotate, move |store| store.rotate(&from, &to, times))
    }

    fn replace(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        record: Record<T>,
    ) -> StoreFuture<'_, SetOutcome> {
        let (from, to) = (*from, *to);
        self.through(Op::Replace, move |store| store.replace(&from, &to, record))
    }

    fn enumerate(&self) -> Option<&dyn Enumerate<T>> {
        self.inner.enumerate()
    }
}

impl<T> Clone for FaultyStore<T> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            probe: Arc::clone(&self.probe),
            kept: Arc::clone(&self.kept),
        }
    }
}

impl<T> fmt::Debug for FaultyStore<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyStore").finish_non_exhaustive()
    }
}
