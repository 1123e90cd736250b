use cloakroom_store::Handle;

use crate::Error;

/// Something that happened to a session, for audit logs, alarms and figures.
///
/// Sessions are named by their [`Handle`]: no event carries an id, a key or the application's data. The same
/// events go to `tracing` under the target `cloakroom`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A session was stored for the first time.
    Created {
        /// The session.
        handle: Handle,
    },
    /// A cookie with a good signature named a session that is not there: signed out, expired, never saved.
    NotFound {
        /// The name that it would have.
        handle: Handle,
    },
    /// A session was found to have expired.
    Expired {
        /// The session.
        handle: Handle,
    },
    /// A cookie of the session's name, or the [header](crate::IdHeader) that carries the id, had nothing that one of
    /// the keys signed. Many of these are somebody guessing, or a secret that was changed without keeping the old one.
    InvalidCookie,
    /// A request carried valid ids of two live sessions, more cookies of the name than are looked at (4), or more bytes
    /// of cookies than are looked through (16 KiB); the same goes for the lines of the [header](crate::IdHeader) that
    /// carries the id. It was treated as having no session; signing in or out ends those that were valid. Somebody may be
    /// planting cookies.
    AmbiguousCookies,
    /// A session moved to a fresh id.
    Rotated {
        /// Its name before.
        from: Handle,
        /// Its name now.
        to: Handle,
    },
    /// A session's idle time-out began anew.
    Touched {
        /// The session.
        handle: Handle,
    },
    /// A session was ended.
    Destroyed {
        /// The session.
        handle: Handle,
    },
    /// A session was ended to make room for another one of its owner, who may have only so many.
    Evicted {
        /// The session that ended.
        handle: Handle,
    },
    /// A sign-in was refused: its user has as many sessions as allowed.
    TooManySessions,
    /// An id that was renewed long ago was presented, after its successor had been used: somebody has a copy of one
    /// of the two. The session was ended.
    ReuseDetected {
        /// The name that the session had with the old id.
        handle: Handle,
    },
    /// All sessions of an owner were ended, or all but one.
    OwnerDestroyed {
        /// How many were live.
        count: u64,
    },
    /// All sessions were ended.
    Cleared {
        /// How many were live.
        count: u64,
    },
    /// Expired sessions were removed by [`Sessions::purge_expired`](crate::Sessions::purge_expired). What stores
    /// remove by themselves is not counted.
    Purged {
        /// How many.
        count: u64,
    },
    /// A write found that the session had ended meanwhile. Nothing was written.
    Gone {
        /// The session.
        handle: Handle,
    },
    /// A write found that another request had been faster. Nothing was written.
    Conflict {
        /// The session.
        handle: Handle,
    },
    /// A stored session does not decode: it counts as absent and is left as it is.
    Undecodable {
        /// The session.
        handle: Handle,
        /// Why, for the log.
        error: &'a Error,
    },
    /// The store failed.
    StoreFailed {
        /// Why, for the log.
        error: &'a Error,
    },
}

impl Event<'_> {
    /// A short name for figures and filters: `created`, `not_found` and so on.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Created { .. } => "created",
            Self::NotFound { .. } => "not_found",
            Self::Expired { .. } => "expired",
            Self::InvalidCookie => "invalid_cookie",
            Self::AmbiguousCookies => "ambiguous_cookies",
            Self::Rotated { .. } => "rotated",
            Self::Touched { .. } => "touched",
            Self::Destroyed { .. } => "destroyed",
            Self::Evicted { .. } => "evicted",
            Self::TooManySessions => "too_many_sessions",
            Self::ReuseDetected { .. } => "reuse_detected",
            Self::OwnerDestroyed { .. } => "owner_destroyed",
            Self::Cleared { .. } => "cleared",
            Self::Purged { .. } => "purged",
            Self::Gone { .. } => "gone",
            Self::Conflict { .. } => "conflict",
            Self::Undecodable { .. } => "undecodable",
            Self::StoreFailed { .. } => "store_failed",
        }
    }
}
