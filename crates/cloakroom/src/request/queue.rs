use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cloakroom_store::SessionKey;
use tokio::sync::OwnedMutexGuard;

type Lock = Arc<tokio::sync::Mutex<()>>;

/// The sessions on which updates have collided, each with a queue for those that want to update it next.
///
/// Only for speed: that no update is lost is the store's compare-and-set. As a rule it is empty, and asking
/// costs one atomic read.
#[derive(Default)]
pub(crate) struct Queues {
    length: AtomicUsize,
    locks: Mutex<HashMap<SessionKey, Lock>>,
}

impl Queues {
    pub(crate) fn is_contended(&self, key: &SessionKey) -> bool {
        self.length.load(Ordering::Relaxed) > 0 && self.locks().contains_key(key)
    }

    /// Waits for its turn.
    pub(crate) async fn queue(&self, key: SessionKey) -> Place<'_> {
        let lock = {
            let mut locks = self.locks();
            let lock = Arc::clone(locks.entry(key).or_default());
            self.length.store(locks.len(), Ordering::Relaxed);
            lock
        };
        // Made before waiting: whoever gives up while waiting leaves nothing behind either.
        let mut place = Place {
            queues: self,
            key,
            lock,
            turn: None,
        };
        place.turn = Some(Arc::clone(&place.lock).lock_owned().await);
        place
    }

    fn locks(&self) -> MutexGuard<'_, HashMap<SessionKey, Lock>> {
        self.locks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Queues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queues").finish_non_exhaustive()
    }
}

/// A place in a queue: held while updating, given up when dropped.
pub(crate) struct Place<'a> {
    queues: &'a Queues,
    key: SessionKey,
    lock: Lock,
    turn: Option<OwnedMutexGuard<()>>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.turn = None;
        let mut locks = self.queues.locks();
        // Clones are made under this lock only, so two mean: the map's and this one, nobody waits.
        if Arc::strong_count(&self.lock) == 2 {
            locks.remove(&self.key);
            if locks.is_empty() {
                locks.shrink_to_fit();
            }
        }
        self.queues.length.store(locks.len(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::task::{Context, Poll, Waker};

    #[test]
    fn a_queue_lasts_as_long_as_somebody_stands_in_it() {
        let queues = Queues::default();
        let key = SessionKey::from_bytes([1; 32]);
        let mut context = Context::from_waker(Waker::noop());
        let mut first = Box::pin(queues.queue(key));
        let Poll::Ready(first) = first.as_mut().poll(&mut context) else {
            panic!("nobody else is there");
        };
        assert!(queues.is_contended(&key));
        assert!(!queues.is_contended(&SessionKey::from_bytes([2; 32])));

        let mut second = Box::pin(queues.queue(key));
        assert!(second.as_mut().poll(&mut context).is_pending());
        let mut gives_up = Box::pin(queues.queue(key));
        assert!(gives_up.as_mut().poll(&mut context).is_pending());
        drop(gives_up);

        drop(first);
        let Poll::Ready(second) = second.as_mut().poll(&mut context) else {
            panic!("it is the second one's turn");
        };
        assert!(queues.is_contended(&key));
        drop(second);
        assert!(!queues.is_contended(&key));
        assert_eq!(queues.locks().capacity(), 0);
    }
}
