use std::slice::from_ref;

use cloakroom_store::{Record, SessionKey};

use crate::SessionId;

/// What is known of one request's session, and what its cookie needs. Where a header carries the id, all that is said of
/// the cookie here is said of the header.
#[derive(Debug)]
pub(crate) struct State<T> {
    pub(crate) phase: Phase<T>,
    pub(crate) cookie: CookieChange,
    /// The request carried a cookie of the session's name, good or bad.
    pub(crate) presented: bool,
    /// This request wrote the session, which notes its use.
    pub(crate) written: bool,
    /// The response's headers were handed over, or there will be none; its cookie cannot change any more.
    pub(crate) responded: bool,
    /// A CSRF token was given out for the id as it is: it is not renewed with this response, though that may become due
    /// while the request is served.
    pub(crate) keeps_id: bool,
    /// The id that the session was given by a renewal whose response was lost, to be sent once more.
    pub(crate) resend: Option<Box<SessionId>>,
}

/// Where the session of this request stands.
#[derive(Debug)]
pub(crate) enum Phase<T> {
    /// Nothing has asked yet; the cookies were not read.
    Unread,
    /// A cookie with a good signature; what is under it was not asked yet.
    Presented(SessionId),
    /// No session: nothing presented, nothing valid, or an id under which nothing lives.
    Absent(PreSession),
    /// Several ids with good signatures; what is under them was not asked yet.
    Several(Vec<SessionId>),
    /// Which of the ids that were presented is the user's cannot be told: no session. Not the same as none: the browser
    /// may have a good cookie, which no pre-session is to replace. Signing in or out ends them all.
    Ambiguous(Vec<SessionId>),
    /// Under the presented id is something that does not decode. It counts as absent, but signing in or out
    /// ends it.
    Undecodable(SessionId),
    /// A session, as it was when this request last spoke to the store. In place: the memory serves request after
    /// request.
    Live(Live<T>),
    /// Live when this request read it under this id, ended by somebody else since; or renewed so long ago that this
    /// request may not follow any more. Signing in or out ends what became of it.
    Gone(SessionId),
    /// Ended by this request.
    Ended,
}

/// An id with nothing stored, for visitors who have not signed in.
#[derive(Clone, Debug)]
pub(crate) enum PreSession {
    /// None yet, or pre-sessions are off.
    None,
    /// The id that the cookie carries or will carry.
    Id(SessionId),
}

#[derive(Debug)]
pub(crate) struct Live<T> {
    pub(crate) id: SessionId,
    pub(crate) key: SessionKey,
    pub(crate) record: Record<T>,
    /// This request gave it its id.
    pub(crate) is_new: bool,
    /// The request came with an id that the session had before, and that was renewed: `key` is not that of `id`.
    pub(crate) by_old_id: bool,
}

// By hand: deriving would ask for `T: Clone`.
impl<T> Clone for Live<T> {
    fn clone(&self) -> Self {
        Self {
            id: self.id.clone(),
            key: self.key,
            record: self.record.clone(),
            is_new: self.is_new,
            by_old_id: self.by_old_id,
        }
    }
}

/// What the response does to the cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CookieChange {
    /// Nothing: this request neither created nor rotated nor ended a session.
    Keep,
    /// Sends the id of the session, or of the pre-session.
    Send,
    /// Removes it.
    Remove,
}

impl<T> State<T> {
    pub(crate) fn unread() -> Self {
        Self {
            phase: Phase::Unread,
            cookie: CookieChange::Keep,
            presented: false,
            written: false,
            responded: false,
            keeps_id: false,
            resend: None,
        }
    }

    /// Whether [`load`](crate::LazySession::load) has anything to do: ask the store, or mint a pre-session.
    pub(crate) fn needs_loading(&self) -> bool {
        matches!(
            self.phase,
            Phase::Unread
                | Phase::Presented(_)
                | Phase::Several(_)
                | Phase::Absent(PreSession::None)
        )
    }

    /// The id that came, if what is under it was not asked yet.
    pub(crate) fn presented_id(&self) -> Option<&SessionId> {
        match &self.phase {
            Phase::Presented(id) => Some(id),
            _ => None,
        }
    }

    pub(crate) fn live(&self) -> Option<&Live<T>> {
        match &self.phase {
            Phase::Live(live) => Some(live),
            _ => None,
        }
    }

    /// The id that this request's cookie has or will have: of the session, or of the pre-session.
    pub(crate) fn id(&self) -> Option<&SessionId> {
        match &self.phase {
            Phase::Live(live) => Some(&live.id),
            Phase::Absent(PreSession::Id(id)) => Some(id),
            _ => None,
        }
    }

    /// The key under which the presented cookie may have something alive, so that ending it matters.
    pub(crate) fn key_to_end(&self) -> Option<SessionKey> {
        match &self.phase {
            Phase::Presented(id) | Phase::Undecodable(id) | Phase::Gone(id) => Some(id.key()),
            Phase::Live(live) => Some(live.key),
            Phase::Unread
            | Phase::Absent(_)
            | Phase::Several(_)
            | Phase::Ambiguous(_)
            | Phase::Ended => None,
        }
    }

    /// The presented id that has this key.
    pub(crate) fn id_under(&self, key: &SessionKey) -> Option<SessionId> {
        let ids: &[SessionId] = match &self.phase {
            Phase::Presented(id) | Phase::Undecodable(id) | Phase::Gone(id) => from_ref(id),
            Phase::Live(live) => from_ref(&live.id),
            Phase::Several(ids) | Phase::Ambiguous(ids) => ids,
            _ => &[],
        };
        ids.iter().find(|id| id.key() == *key).cloned()
    }

    /// The ids that came, if they are several and what is under them was not asked yet.
    pub(crate) fn several(&self) -> Option<&[SessionId]> {
        match &self.phase {
            Phase::Several(ids) => Some(ids),
            _ => None,
        }
    }

    pub(crate) fn has_several(&self) -> bool {
        matches!(self.phase, Phase::Several(_) | Phase::Ambiguous(_))
    }

    /// The same where several cookies were presented: which one is the user's cannot be told, but whoever
    /// brings them all may end them all. Else nobody could sign out beside a planted cookie.
    pub(crate) fn several_to_end(&self) -> Vec<SessionKey> {
        match &self.phase {
            Phase::Several(ids) | Phase::Ambiguous(ids) => ids.iter().map(SessionId::key).collect(),
            _ => Vec::new(),
        }
    }

    /// The session of the presented id.
    pub(crate) fn found(&mut self, key: SessionKey, record: Record<T>) {
        if let Some(id) = self.presented_id().cloned() {
            self.phase = Phase::Live(Live {
                id,
                key,
                record,
                is_new: false,
                by_old_id: false,
            });
        }
    }

    pub(crate) fn created(&mut self, live: Live<T>) {
        match &mut self.phase {
            // Straight to its place: as a part of a phase it would be copied twice.
            Phase::Live(there) => *there = live,
            other => *other = Phase::Live(live),
        }
        self.resend = None;
        self.cookie = CookieChange::Send;
        self.written = true;
    }

    /// This request wrote the live session, or noted that it was used.
    pub(crate) fn wrote(&mut self, version: u64, change: impl FnOnce(&mut Live<T>)) {
        if let Phase::Live(live) = &mut self.phase {
            change(live);
            live.record.version = version;
        }
        self.written = true;
    }

    /// Somebody else ended it.
    pub(crate) fn gone(&mut self, id: SessionId) {
        self.phase = Phase::Gone(id);
        self.forget_unsent();
    }

    /// This request ended it, and the cookie stays.
    pub(crate) fn ended(&mut self) {
        self.phase = Phase::Ended;
        self.forget_unsent();
    }

    /// This request ended it, and the cookie goes, if the browser has one.
    pub(crate) fn logged_out(&mut self) {
        self.phase = Phase::Ended;
        self.resend = None;
        self.cookie = if self.presented {
            CookieChange::Remove
        } else {
            CookieChange::Keep
        };
    }

    /// An id that was to be sent is dead before it left.
    fn forget_unsent(&mut self) {
        self.resend = None;
        if self.cookie == CookieChange::Send {
            self.cookie = CookieChange::Keep;
        }
    }
}
