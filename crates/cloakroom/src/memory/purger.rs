use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Weak;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use super::store::Inner;

/// The thread that frees what has expired. It ends when the store does.
///
/// A thread and not a task: the store then works without any runtime, and with each of them.
#[derive(Debug)]
pub(super) struct Purger {
    /// Never sent on: dropping it wakes the thread, which ends.
    _end: Option<Sender<()>>,
}

impl Purger {
    pub(super) fn start<T: Send + Sync + 'static>(
        store: Weak<Inner<T>>,
        interval: Option<Duration>,
    ) -> Self {
        let Some(interval) = interval else {
            return Self { _end: None };
        };
        let (end, ended) = mpsc::channel::<()>();
        let run = move || {
            while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(interval) {
                let Some(store) = store.upgrade() else {
                    return;
                };
                // What an application does when its data is dropped is its own, and may panic; the store is whole then.
                // If several do so in one batch, though, the process ends: they would unwind at once.
                let purged = catch_unwind(AssertUnwindSafe(|| store.purge()));
                if purged.is_err() {
                    tracing::warn!(target: "cloakroom", "a panic, such as of what was dropped, ended a purge; the next one goes on");
                }
            }
        };
        let name = "cloakroom-purge".to_owned();
        // Without a thread the store still never shows what has expired, and purges when it is full.
        if let Err(error) = thread::Builder::new().name(name).spawn(run) {
            tracing::warn!(target: "cloakroom", %error, "expired sessions will not be purged in the background");
        }
        Self { _end: Some(end) }
    }
}
