use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Sessions;
use crate::event::Event;
use crate::presented::Presented;
use crate::request::RequestHead;
use crate::request::state::{Phase, PreSession, State};
use crate::request::turns::{Turn, Turns};
use crate::sessions::Inner;

/// One request's session, shared by all that ask for it during the request. One allocation, the adapter's
/// part of the request included, and that one may have [served another request](super::spare) before.
pub(crate) struct Exchange<T, H: ?Sized = dyn Slot> {
    session: Session<T>,
    head: H,
}

/// All of an exchange but the request's head. It is replaced whole.
struct Session<T> {
    /// `None` while the exchange is spare.
    sessions: Option<Sessions<T>>,
    /// Taken while a verb speaks to the store: two verbs of one request, run at once, take turns.
    turns: Turns,
    /// Never held across an `await`.
    state: Mutex<State<T>>,
}

/// A place for a request's head, of whatever type.
pub(crate) trait Slot: Any + Send + Sync {
    fn head(&self) -> &dyn RequestHead;

    fn clear(&mut self);
}

impl<H: RequestHead> Slot for Option<H> {
    fn head(&self) -> &dyn RequestHead {
        self.as_ref().expect("an exchange in use has a head")
    }

    fn clear(&mut self) {
        *self = None;
    }
}

impl<T> Session<T> {
    fn new(sessions: Option<Sessions<T>>) -> Self {
        Self {
            sessions,
            turns: Turns::new(),
            state: Mutex::new(State::unread()),
        }
    }
}

impl<T> Exchange<T> {
    #[inline]
    pub(super) fn state(&self) -> MutexGuard<'_, State<T>> {
        // A state is replaced whole, so a panic elsewhere leaves a good one behind.
        let state = self.session.state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Send + Sync + 'static> Exchange<T> {
    pub(crate) fn new(sessions: Sessions<T>, head: impl RequestHead) -> Arc<Self> {
        Arc::new(Exchange {
            session: Session::new(Some(sessions)),
            head: Some(head),
        })
    }

    /// Nothing of the request that it was for is left.
    #[inline]
    pub(super) fn clear(&mut self) {
        let session = &mut self.session;
        let state = session.state.get_mut();
        match state.unwrap_or_else(PoisonError::into_inner) {
            // Nothing asked for the session, as is usual: then nothing else was written.
            State {
                phase: Phase::Unread,
                responded,
                ..
            } => {
                *responded = false;
                session.sessions = None;
            }
            _ => *session = Session::new(None),
        }
        self.head.clear();
    }

    /// As new, for another request. Both come back if the place was made for one of another type.
    #[inline]
    pub(super) fn use_for<H: RequestHead>(
        &mut self,
        sessions: Sessions<T>,
        head: H,
    ) -> Result<(), (Sessions<T>, H)> {
        let slot: &mut dyn Any = &mut self.head;
        let Some(slot) = slot.downcast_mut::<Option<H>>() else {
            return Err((sessions, head));
        };
        *slot = Some(head);
        self.session.sessions = Some(sessions);
        Ok(())
    }

    pub(super) fn turn(&self) -> impl Future<Output = Turn<'_>> + Send {
        self.session.turns.take()
    }

    /// If nobody has it.
    pub(super) fn try_turn(&self) -> Option<Turn<'_>> {
        self.session.turns.try_take()
    }

    pub(super) fn sessions(&self) -> &Sessions<T> {
        let sessions = self.session.sessions.as_ref();
        sessions.expect("an exchange in use has its sessions")
    }

    pub(super) fn inner(&self) -> &Inner<T> {
        &self.sessions().inner
    }

    pub(super) fn head(&self) -> &dyn RequestHead {
        self.head.head()
    }

    /// Reads what carries the id, if that has not been done: no store is asked.
    pub(super) fn consult(&self) -> MutexGuard<'_, State<T>> {
        let mut state = self.state();
        if matches!(state.phase, Phase::Unread) {
            let inner = self.inner();
            let presented = inner.carrier.read(self.head(), &inner.keys);
            state.presented = presented != Presented::Nothing;
            state.phase = match presented {
                Presented::Id(id) => Phase::Presented(id),
                Presented::Nothing => Phase::Absent(PreSession::None),
                Presented::Invalid => {
                    self.sessions().emit(|| Event::InvalidCookie);
                    Phase::Absent(PreSession::None)
                }
                Presented::Several(ids) => Phase::Several(ids),
                Presented::TooMuch(ids) => {
                    self.sessions().emit(|| Event::AmbiguousCookies);
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
