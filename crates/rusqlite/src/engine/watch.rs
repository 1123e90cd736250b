//! The thread that looks after the time-out, so that none is needed from a runtime.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Sleeps while nobody waits for anything, and otherwise until the one who has waited longest has waited too long.
pub(crate) struct Watch {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nobody waits.
    Asleep,
    /// Somebody may.
    OnGuard,
    Ended,
}

impl Watch {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State::Asleep),
            changed: Condvar::new(),
        })
    }

    /// Somebody waits where nobody did.
    pub(crate) fn rouse(&self) {
        let mut state = self.lock();
        if *state == State::Asleep {
            *state = State::OnGuard;
            self.changed.notify_one();
        }
    }

    pub(crate) fn end(&self) {
        *self.lock() = State::Ended;
        self.changed.notify_one();
    }

    /// Runs on its own thread. `look` gives up what is overdue and answers when to look again.
    pub(crate) fn keep(&self, look: impl Fn(Instant) -> Option<Instant>) {
        let mut state = self.lock();
        loop {
            state = match *state {
                State::Ended => return,
                State::Asleep => self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
                State::OnGuard => {
                    // Before it looks: whoever comes while it does rouses it again.
                    *state = State::Asleep;
                    drop(state);
                    let again = look(Instant::now());
                    let mut state = self.lock();
                    if let Some(again) = again {
                        if *state == State::Asleep {
                            *state = State::OnGuard;
                        }
                        state = self.sleep_until(again, state);
                    }
                    state
                }
            };
        }
    }

    fn sleep_until<'a>(
        &'a self,
        moment: Instant,
        mut state: MutexGuard<'a, State>,
    ) -> MutexGuard<'a, State> {
        while *state != State::Ended {
            let left = moment.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let slept = self.changed.wait_timeout(state, left);
            (state, _) = slept.unwrap_or_else(PoisonError::into_inner);
        }
        state
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
