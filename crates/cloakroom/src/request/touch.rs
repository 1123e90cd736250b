//! What remains to be done when the handler has answered: noting that the session was used, renewing its id.

use std::time::Duration;

use cloakroom_store::{RotateOutcome, Times, Timestamp};

use crate::lifetimes::touch_due;
use crate::renew_ids::{is_unconfirmed, seen};
use crate::request::state::{Live, Phase, State};
use crate::request::{Exchange, ResponseEffect};
use crate::{RenewIds, SessionId};

/// What is due.
pub(super) enum Due {
    Nothing,
    Touch,
    Renewal(RenewIds),
}

impl<T: Send + Sync + 'static> Exchange<T> {
    pub(super) fn touch_due(&self) -> bool {
        !matches!(self.due(&self.state()), Due::Nothing)
    }

    /// What the response needs, unless the store is to be told something first.
    #[inline]
    pub(super) fn respond_now(&self) -> Option<ResponseEffect> {
        let mut state = self.state();
        if matches!(state.phase, Phase::Unread) {
            // Nothing asked for the session: what most requests of most applications come to.
            state.responded = true;
            return Some(ResponseEffect::NOTHING);
        }
        match self.due(&state) {
            Due::Nothing => Some(self.respond(&mut state)),
            Due::Touch | Due::Renewal(_) => None,
        }
    }

    pub(super) fn due(&self, state: &State<T>) -> Due {
        let Some(live) = state.live() else {
            return Due::Nothing;
        };
        let (inner, times) = (self.inner(), &live.record.times);
        if live.is_new || live.by_old_id {
            // Touching it by an old id would say that somebody uses the new one.
            return Due::Nothing;
        }
        if let Some(renewal) = inner.renew_ids {
            let may_renew = !state.responded && !state.keeps_id;
            if may_renew && renewal.due(times, inner.storage.lately()) {
                return Due::Renewal(renewal);
            }
            if !state.written && is_unconfirmed(times) {
                return Due::Touch;
            }
        }
        let tracked = inner.track_last_seen || times.idle_timeout.is_some();
        if !state.written && tracked && touch_due(times, inner.storage.lately()) {
            return Due::Touch;
        }
        Due::Nothing
    }

    /// When the session of these times was used: now.
    pub(super) fn seen(&self, times: &Times) -> Timestamp {
        let inner = self.inner();
        let now = inner.storage.now();
        match inner.renew_ids {
            Some(_) => seen(times, now),
            // Nothing waits for being confirmed, so not even a millisecond is added.
            None => now,
        }
    }

    /// Trouble here is not the request's: the session keeps the end and the id that it has.
    pub(super) async fn touch(&self) {
        // Whoever has it speaks to the store for this session, and may outlive the request: the response does not wait.
        // What is due will be so with the next request.
        let Some(_turn) = self.try_turn() else {
            return;
        };
        let (due, live) = {
            let state = self.state();
            (self.due(&state), state.live().cloned())
        };
        let Some(mut live) = live.map(Box::new) else {
            return;
        };
        match due {
            Due::Nothing => {}
            Due::Renewal(renewal) => self.renew(live, renewal).await,
            Due::Touch => {
                let storage = &self.inner().storage;
                let times = &mut live.record.times;
                times.last_seen_at = self.seen(times);
                // An error has been reported as an event; a session that ended meanwhile stays ended.
                if let Ok(true) = storage.touch(&live.key, times.last_seen_at).await {
                    let (version, seen_at) = (live.record.version, times.last_seen_at);
                    self.state().wrote(version, |live| {
                        live.record.times.last_seen_at = seen_at;
                    });
                }
            }
        }
    }

    async fn renew(&self, mut live: Box<Live<T>>, renewal: RenewIds) {
        let inner = self.inner();
        let id: SessionId = inner.successors.successor(&live.id);
        let (from, to) = (live.key, id.key());
        let now = inner.storage.now();
        let mut times = live.record.times;
        // The same moment for both: nobody has used the new id yet.
        times.renewed_at = now.max(times.created_at.plus(Duration::from_millis(1)));
        times.last_seen_at = times.renewed_at;
        let trail_ends_at = now.plus(renewal.remember.max(renewal.grace));
        let renewed = inner.storage.renew(&from, &to, times, trail_ends_at).await;
        // If it is gone, it ended or another request was faster, whose response carries the same id.
        if let Ok(RotateOutcome::Moved { version, found }) = renewed {
            live.id = id;
            live.key = to;
            if found == live.record.version {
                live.record.version = version;
            }
            live.record.times = times;
            live.is_new = true;
            // The response was handed over meanwhile: the next request gets the id.
            if !self.state().responded {
                self.state().created(*live);
            }
        }
    }
}
