use std::num::NonZeroU32;

use crate::{Record, SessionKey, StoreFuture};

/// How many sessions an owner may have at a time, and what happens to one more.
///
/// ```
/// use cloakroom_store::{OwnerLimit, WhenReached};
/// use std::num::NonZeroU32;
///
/// let limit = OwnerLimit::new(NonZeroU32::new(5).unwrap(), WhenReached::EndOldest);
/// assert_eq!(limit.max.get(), 5);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OwnerLimit {
    /// The most live sessions that one owner has.
    pub max: NonZeroU32,
    /// What a sign-in beyond that does.
    pub when_reached: WhenReached,
}

impl OwnerLimit {
    /// At most `max` sessions an owner.
    #[must_use]
    pub const fn new(max: NonZeroU32, when_reached: WhenReached) -> Self {
        Self { max, when_reached }
    }
}

/// What a new session of an owner who has as many as allowed does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenReached {
    /// It is stored, and the owner's oldest ones, by `created_at`, end.
    EndOldest,
    /// It is refused, and all others stay.
    Refuse,
}

/// How an [`admit`](OwnerLimits::admit) ended. Only [`Stored`](AdmitOutcome::Stored) stored anything.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "unless it is `Stored`, nothing was written"]
#[non_exhaustive]
pub enum AdmitOutcome {
    /// Written.
    Stored {
        /// The version that the record has now.
        version: u64,
        /// The owner's sessions that ended to make room, [`ending`](OwnerLimits::admit) not among them.
        ended: Vec<SessionKey>,
    },
    /// The key is taken.
    Exists,
    /// The owner has as many sessions as allowed. Nothing was changed; `ending` lives on.
    Refused,
}

/// What a store does that can limit how many sessions an owner has: see
/// [`Store::owner_limits`](crate::Store::owner_limits).
pub trait OwnerLimits<T: Send + Sync + 'static>: Send + Sync {
    /// Stores a new session under `key`, which must be free, whose `record.owner` may have as many live
    /// sessions as `limit` says, this one included. Ends what is under `ending`, live or not, with it, and does
    /// not count that. The two keys differ. Without an owner in the record nothing is limited.
    ///
    /// One step for the owner: of many at once, as many are stored as the limit allows, and after each
    /// of them no more than that are live. An owner who has more already, because the limit was lowered, is brought
    /// down to it by [`WhenReached::EndOldest`]. On an error what was under `ending` may have ended.
    ///
    /// # Errors
    /// As for [`set`](crate::Store::set).
    fn admit(
        &self,
        ending: Option<&SessionKey>,
        key: &SessionKey,
        record: Record<T>,
        limit: OwnerLimit,
    ) -> StoreFuture<'_, AdmitOutcome>;
}
