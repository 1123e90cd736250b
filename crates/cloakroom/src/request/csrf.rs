//! CSRF tokens of a request.

use crate::request::Exchange;
use crate::request::touch::Due;
use crate::{CsrfToken, Error, SessionId};

impl<T: Send + Sync + 'static> Exchange<T> {
    pub(super) fn csrf_token(&self) -> Result<Option<CsrfToken>, Error> {
        let id = self.id_after_response();
        id.map(|id| self.inner().csrf.token(&id)).transpose()
    }

    pub(super) fn verify_csrf_token(&self, token: &str) -> bool {
        let inner = self.inner();
        let Some(id) = self.state().id().cloned() else {
            return false;
        };
        if inner.csrf.accept(&id, token) {
            return true;
        }
        // It was given out for an id that the store then did not take.
        let mut next = inner
            .renew_ids
            .iter()
            .flat_map(|_| inner.successors.candidates(&id));
        next.any(|next| inner.csrf.accept(&next, token))
    }

    /// The id that the browser will have when it sends a form back: that of the response to come, where this response
    /// renews it or another one did.
    fn id_after_response(&self) -> Option<SessionId> {
        let mut state = self.state();
        if let Some(id) = &state.resend {
            return Some(SessionId::clone(id));
        }
        let live = match state.live() {
            Some(live) if self.inner().renew_ids.is_some() => live,
            _ => return state.id().cloned(),
        };
        if live.by_old_id {
            return Some(self.id_of(live));
        }
        let id = live.id.clone();
        if let Due::Renewal(_) = self.due(&state) {
            return Some(self.inner().successors.successor(&id));
        }
        state.keeps_id = true;
        Some(id)
    }
}
