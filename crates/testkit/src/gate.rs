use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;

use crate::http1::in_time;

/// A place where a scenario can hold requests up, to let others overtake them. Open unless told otherwise.
///
/// Nothing sleeps: who waits at a gate waits for a permit, who waits for somebody to arrive does too.
#[derive(Clone, Debug)]
pub struct Gate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    to_hold: AtomicUsize,
    arrived: Semaphore,
    released: Semaphore,
}

impl Gate {
    /// An open gate.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Inner {
            to_hold: AtomicUsize::new(0),
            arrived: Semaphore::new(0),
            released: Semaphore::new(0),
        }))
    }

    /// Holds up the next `count` that come.
    pub fn hold(&self, count: usize) {
        self.0.to_hold.fetch_add(count, Ordering::SeqCst);
    }

    /// Waits until `count` are being held up that nobody has waited for yet.
    pub async fn arrived(&self, count: u32) {
        let permits = in_time(self.0.arrived.acquire_many(count)).await;
        permits.expect("a gate is never closed").forget();
    }

    /// Lets `count` go on.
    pub fn release(&self, count: usize) {
        self.0.released.add_permits(count);
    }

    /// Goes through, when the gate lets it.
    pub async fn pass(&self) {
        let one_less = |to_hold: usize| to_hold.checked_sub(1);
        let held = &self.0.to_hold;
        if held
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less)
            .is_ok()
        {
            self.0.arrived.add_permits(1);
            let permit = self.0.released.acquire().await;
            permit.expect("a gate is never closed").forget();
        }
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}
