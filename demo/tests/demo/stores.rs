//! Stores that do on purpose what others do by chance.

use std::sync::{Arc, Mutex};

use cloakroom::{
    Expect, Record, RotateOutcome, SessionKey, SetOutcome, Store, StoreError, StoreErrorKind,
    StoreFuture, Times, Timestamp,
};
use cloakroom_demo::Shopper;
use tokio::sync::oneshot;

/// Never answers anything but that it is unavailable.
#[derive(Debug)]
pub(crate) struct Broken;

/// What must be in the log only.
pub(crate) const CAUSE: &str = "the disk is in the garden";

impl Broken {
    fn fail<R>() -> StoreFuture<'static, R> {
        StoreFuture::ready(Err(StoreError::new(StoreErrorKind::Unavailable, CAUSE)))
    }
}

impl Store<Shopper> for Broken {
    fn get(&self, _: &SessionKey) -> StoreFuture<'_, Option<Record<Shopper>>> {
        Self::fail()
    }

    fn set(&self, _: &SessionKey, _: Record<Shopper>, _: Expect) -> StoreFuture<'_, SetOutcome> {
        Self::fail()
    }

    fn destroy(&self, _: &SessionKey) -> StoreFuture<'_, bool> {
        Self::fail()
    }
}

/// A store that can be told to keep the next write of a live session waiting.
#[derive(Clone, Debug)]
pub(crate) struct Gated {
    inner: Arc<dyn Store<Shopper>>,
    gate: Arc<Mutex<Option<Gate>>>,
}

#[derive(Debug)]
struct Gate {
    reached: oneshot::Sender<()>,
    opened: oneshot::Receiver<()>,
}

/// A write that waits, or will.
pub(crate) struct Held {
    reached: oneshot::Receiver<()>,
    open: oneshot::Sender<()>,
}

impl Gated {
    pub(crate) fn around(inner: Arc<dyn Store<Shopper>>) -> Self {
        Self {
            inner,
            gate: Arc::default(),
        }
    }

    pub(crate) fn hold_the_next_write(&self) -> Held {
        let (reached, held_reached) = oneshot::channel();
        let (open, opened) = oneshot::channel();
        *self.gate.lock().unwrap() = Some(Gate { reached, opened });
        Held {
            reached: held_reached,
            open,
        }
    }
}

impl Held {
    /// Waits until a request has read the session, done its work, and wants to write.
    pub(crate) async fn reached(&mut self) {
        (&mut self.reached).await.unwrap();
    }

    pub(crate) fn release(self) {
        self.open.send(()).unwrap();
    }
}

impl Store<Shopper> for Gated {
    fn get(&self, key: &SessionKey) -> StoreFuture<'_, Option<Record<Shopper>>> {
        self.inner.get(key)
    }

    fn set(
        &self,
        key: &SessionKey,
        record: Record<Shopper>,
        expect: Expect,
    ) -> StoreFuture<'_, SetOutcome> {
        let gate = match expect {
            Expect::Absent => None,
            _ => self.gate.lock().unwrap().take(),
        };
        let key = *key;
        StoreFuture::new(async move {
            if let Some(gate) = gate {
                gate.reached.send(()).unwrap();
                gate.opened.await.unwrap();
            }
            self.inner.set(&key, record, expect).await
        })
    }

    fn destroy(&self, key: &SessionKey) -> StoreFuture<'_, bool> {
        self.inner.destroy(key)
    }

    fn touch(&self, key: &SessionKey, last_seen_at: Timestamp) -> StoreFuture<'_, bool> {
        self.inner.touch(key, last_seen_at)
    }

    fn rotate(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        times: Times,
    ) -> StoreFuture<'_, RotateOutcome> {
        self.inner.rotate(from, to, times)
    }

    fn replace(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        record: Record<Shopper>,
    ) -> StoreFuture<'_, SetOutcome> {
        self.inner.replace(from, to, record)
    }
}
