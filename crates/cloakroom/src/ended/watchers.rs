use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cloakroom_store::{Announcements, Ending, Listening, SessionKey};
use tokio::sync::Notify;

/// Those in this process who wait for the end of a session.
#[derive(Default)]
pub(crate) struct Watchers {
    /// As a rule nobody waits, and asking costs one atomic read.
    count: AtomicUsize,
    bells: Mutex<HashMap<SessionKey, Arc<Bell>>>,
    /// Announcements of other processes, listened to from the first watcher on.
    listening: Mutex<Option<Listening>>,
}

/// Rung when a session may have ended. All who watch that session share one.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    rung: Notify,
    /// Everybody was rung for, so there is no hurry, and many would ask the store at once.
    for_all: AtomicBool,
}

impl Watchers {
    pub(crate) fn watch(
        self: &Arc<Self>,
        key: SessionKey,
        announcements: Option<&dyn Announcements>,
    ) -> Watcher {
        let bell = {
            let mut bells = self.bells();
            let bell = Arc::clone(bells.entry(key).or_default());
            self.count.store(bells.len(), Ordering::Release);
            bell
        };
        // Watching before listening: what is announced from here on is heard.
        self.listen(announcements);
        Watcher {
            watchers: Arc::clone(self),
            key,
            bell,
        }
    }

    /// The session under this key may have ended.
    pub(crate) fn wake(&self, key: &SessionKey) {
        if self.count.load(Ordering::Acquire) == 0 {
            return;
        }
        if let Some(bell) = self.bells().get(key) {
            bell.for_all.store(false, Ordering::Relaxed);
            bell.rung.notify_waiters();
        }
    }

    /// Any session may have ended.
    pub(crate) fn wake_all(&self) {
        if self.count.load(Ordering::Acquire) == 0 {
            return;
        }
        for bell in self.bells().values() {
            bell.for_all.store(true, Ordering::Relaxed);
            bell.rung.notify_waiters();
        }
    }

    fn listen(self: &Arc<Self>, announcements: Option<&dyn Announcements>) {
        let Some(announcements) = announcements else {
            return;
        };
        let mut listening = lock(&self.listening);
        if listening.is_some() {
            return;
        }
        // Weak: whoever listens must not keep alive what ends the listening.
        let watchers = Arc::downgrade(self);
        *listening = Some(announcements.listen(Box::new(move |ending| {
            let Some(watchers) = watchers.upgrade() else {
                return;
            };
            match ending {
                Ending::Of(key) => watchers.wake(&key),
                _ => watchers.wake_all(),
            }
        })));
    }

    fn bells(&self) -> MutexGuard<'_, HashMap<SessionKey, Arc<Bell>>> {
        lock(&self.bells)
    }
}

fn lock<R>(mutex: &Mutex<R>) -> MutexGuard<'_, R> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Watchers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watchers")
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

/// One who waits.
#[derive(Debug)]
pub(crate) struct Watcher {
    watchers: Arc<Watchers>,
    key: SessionKey,
    bell: Arc<Bell>,
}

impl Watcher {
    pub(crate) fn key(&self) -> &SessionKey {
        &self.key
    }

    /// Hears every ring from the moment at which this is called, polled or not.
    pub(crate) fn rung(&self) -> tokio::sync::futures::Notified<'_> {
        self.bell.rung.notified()
    }

    /// Whether the last ring was for everybody.
    pub(crate) fn for_all(&self) -> bool {
        self.bell.for_all.load(Ordering::Relaxed)
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let mut bells = self.watchers.bells();
        // Clones are made under this lock only, so two mean: the map's and this one.
        if Arc::strong_count(&self.bell) == 2 {
            bells.remove(&self.key);
            if bells.capacity() > 4 * bells.len() + 64 {
                bells.shrink_to_fit();
            }
        }
        self.watchers.count.store(bells.len(), Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_lite::future::{block_on, poll_once};

    #[test]
    fn whoever_stops_watching_leaves_nothing_behind() {
        let watchers = Arc::new(Watchers::default());
        let key = SessionKey::from_bytes([1; 32]);
        let (first, second) = (watchers.watch(key, None), watchers.watch(key, None));
        assert_eq!(watchers.bells().len(), 1);
        drop(first);
        assert_eq!(watchers.bells().len(), 1);
        drop(second);
        assert_eq!(watchers.bells().len(), 0);
        assert_eq!(watchers.count.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_ring_between_listening_and_waiting_is_heard() {
        let watchers = Arc::new(Watchers::default());
        let watcher = watchers.watch(SessionKey::from_bytes([1; 32]), None);
        let rung = watcher.rung();
        watchers.wake(watcher.key());
        assert!(block_on(poll_once(rung)).is_some());

        let rung = watcher.rung();
        watchers.wake(&SessionKey::from_bytes([2; 32]));
        assert!(
            block_on(poll_once(rung)).is_none(),
            "it was another's session"
        );
    }
}
