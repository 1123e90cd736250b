use std::fmt;
use std::sync::Arc;

use cloakroom_store::{ClientInfo, Entry, Handle, Owner, Record, SessionKey, Timestamp};

/// What may be shown of a session in a list of devices or to an administrator: never the id, nor its hash.
///
/// `Debug` prints neither data nor owner nor client.
pub struct SessionInfo<T> {
    entry: Entry<T>,
    handle: Handle,
    is_current: bool,
}

impl<T> SessionInfo<T> {
    pub(crate) fn new(entry: Entry<T>, current: &[SessionKey]) -> Self {
        Self {
            handle: entry.handle(),
            is_current: current.contains(&entry.key),
            entry,
        }
    }

    /// The session's public name, to end it by:
    /// [`destroy_by_handle`](crate::Sessions::destroy_by_handle). A rotation changes it.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle
    }

    /// Whether it is the session of the request that asks.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.is_current
    }

    /// The application's data.
    #[must_use]
    pub fn data(&self) -> &Arc<T> {
        &self.entry.record.data
    }

    /// Everything that is stored of it.
    #[must_use]
    pub fn record(&self) -> &Record<T> {
        &self.entry.record
    }

    /// Whose session it is.
    #[must_use]
    pub fn owner(&self) -> Option<&Owner> {
        self.entry.record.owner.as_ref()
    }

    /// What the client said of itself at sign-in, if that is
    /// [recorded](crate::SessionsBuilder::record_clients).
    #[must_use]
    pub fn client(&self) -> Option<&ClientInfo> {
        self.entry.record.client.as_deref()
    }

    /// When the session began.
    #[must_use]
    pub fn created_at(&self) -> Timestamp {
        self.entry.record.times.created_at
    }

    /// When its user last proved who they are.
    #[must_use]
    pub fn authenticated_at(&self) -> Option<Timestamp> {
        self.entry.record.times.authenticated_at
    }

    /// When a request last wrote it; with an idle time-out, or
    /// [`track_last_seen`](crate::SessionsBuilder::track_last_seen), when one last used it, to the minute.
    #[must_use]
    pub fn last_seen_at(&self) -> Timestamp {
        self.entry.record.times.last_seen_at
    }

    /// When it ends if it is not used again; `None` for a session without limits.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.entry.record.times.expires_at()
    }

    pub(crate) fn key(&self) -> &SessionKey {
        &self.entry.key
    }
}

// By hand: deriving would ask for `T: Clone`.
impl<T> Clone for SessionInfo<T> {
    fn clone(&self) -> Self {
        Self {
            entry: self.entry.clone(),
            handle: self.handle,
            is_current: self.is_current,
        }
    }
}

impl<T> fmt::Debug for SessionInfo<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionInfo")
            .field("handle", &self.handle)
            .field("created_at", &self.created_at())
            .field("last_seen_at", &self.last_seen_at())
            .finish_non_exhaustive()
    }
}
