use crate::{RotateOutcome, SessionKey, StoreFuture, Times, Timestamp};

/// Where a session went that got a fresh id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trail {
    /// The key that it moved to. It may have moved on since, or have ended.
    pub to: SessionKey,
    /// When it moved.
    pub moved_at: Timestamp,
}

impl Trail {
    /// Puts the two together.
    #[must_use]
    pub const fn new(to: SessionKey, moved_at: Timestamp) -> Self {
        Self { to, moved_at }
    }
}

/// What a store does that can tell where a session moved: see [`Store::renewal`](crate::Store::renewal).
///
/// With it ids can be renewed while requests are in flight: those that still bring the old id find the session,
/// for a moment; and an old id that turns up long after shows that somebody kept a copy.
pub trait Renewal: Send + Sync {
    /// A [`rotate`](crate::Store::rotate) that leaves a trail under the old key until `trail_ends_at`. The trail
    /// appears in the same step in which the old key dies, with [`Times::renewed_at`] as the moment of the move.
    /// Unless the outcome is [`Moved`](RotateOutcome::Moved), no trail is left.
    ///
    /// A trail makes nothing live: for every other operation the old key is dead. It stays when the session ends,
    /// goes when `trail_ends_at` is over, and with [`clear`](crate::Enumerate::clear).
    ///
    /// # Errors
    /// As for [`rotate`](crate::Store::rotate).
    fn renew(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        times: Times,
        trail_ends_at: Timestamp,
    ) -> StoreFuture<'_, RotateOutcome>;

    /// The trail under this key. `None` if no session moved from there, or if that is too long ago.
    ///
    /// # Errors
    /// `Unavailable` if the store cannot tell.
    fn follow(&self, key: &SessionKey) -> StoreFuture<'_, Option<Trail>>;
}
