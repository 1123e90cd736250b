use std::any::Any;
use std::fmt;

use crate::SessionKey;

/// What a listener is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// The session under this key ended or moved to another.
    Of(SessionKey),
    /// Some sessions ended, or the connection was lost for a while and nobody knows: ask for all that matter.
    Unknown,
}

/// What a store does that tells all its users, in other processes too, that a session ended: see
/// [`Store::announcements`](crate::Store::announcements).
///
/// An announcement is a hint that makes things faster: it may be lost, come late, come twice, or be wrong. Whoever
/// hears it asks the store, and asks now and then without having heard anything.
pub trait Announcements: Send + Sync {
    /// Calls `listener` from now on, until the answer is dropped. After each connection, the first one included,
    /// with [`Ending::Unknown`]. Trouble is dealt with inside: it connects again.
    fn listen(&self, listener: Box<dyn Fn(Ending) + Send + Sync>) -> Listening;
}

/// Keeps a listener connected for as long as it lives.
#[must_use = "dropping it ends the listening"]
pub struct Listening {
    _until_dropped: Box<dyn Any + Send + Sync>,
}

impl Listening {
    /// The store puts in whatever ends the listening when it is dropped.
    pub fn until_dropped(guard: impl Any + Send + Sync) -> Self {
        Self {
            _until_dropped: Box::new(guard),
        }
    }
}

impl fmt::Debug for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listening").finish_non_exhaustive()
    }
}
