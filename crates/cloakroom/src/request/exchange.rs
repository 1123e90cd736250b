use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::Sessions;
use crate::cookie::{Presented, read};
use crate::event::Event;
use crate::request::RequestHead;
use crate::request::state::{Phase, PreSession, State};
use crate::request::turns::{Turn, Turns};
use crate::sessions::Inner;

/// One request's session, shared by all that ask for it during the request. One allocation, the adapter's
/// part of the request included.
pub(crate) struct Exchange<T, H: ?Sized = dyn RequestHead> {
    pub(crate) sessions: Sessions<T>,
    /// Held while a verb speaks to the store: two verbs of one request, run at once, take turns.
    turns: Turns,
    /// Never held across an `await`.
    state: Mutex<State<T>>,
    head: H,
}

impl<T, H> Exchange<T, H> {
    pub(crate) fn new(sessions: Sessions<T>, head: H) -> Self {
        Self {
            sessions,
            turns: Turns::new(),
            state: Mutex::new(State::unread()),
            head,
        }
    }
}

impl<T: Send + Sync + 'static> Exchange<T> {
    pub(super) fn turn(&self) -> impl Future<Output = Turn<'_>> + Send {
        self.turns.take()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State<T>> {
        // A state is replaced whole, so a panic elsewhere leaves a good one behind.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn inner(&self) -> &Inner<T> {
        &self.sessions.inner
    }

    pub(super) fn head(&self) -> &dyn RequestHead {
        &self.head
    }

    /// Reads the cookies, if that has not been done: no store is asked.
    pub(super) fn consult(&self) -> MutexGuard<'_, State<T>> {
        let mut state = self.state();
        if matches!(state.phase, Phase::Unread) {
            let inner = self.inner();
            let presented = read(&self.head, inner.cookie.name().as_str(), &inner.keys);
            state.presented = presented != Presented::Nothing;
            state.phase = match presented {
                Presented::Id(id) => Phase::Presented(id),
                Presented::Nothing => Phase::Absent(PreSession::None),
                Presented::Invalid => {
                    self.sessions.emit(|| Event::InvalidCookie);
                    Phase::Absent(PreSession::None)
                }
                Presented::Ambiguous(ids) => {
                    self.sessions.emit(|| Event::AmbiguousCookies);
                    Phase::Ambiguous(ids)
                }
            };
        }
        state
    }
}

impl<T, H: ?Sized> fmt::Debug for Exchange<T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither cookies nor data.
        f.debug_struct("Exchange").finish_non_exhaustive()
    }
}
