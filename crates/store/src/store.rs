use std::fmt;
use std::sync::Arc;

use crate::{
    Announcements, Enumerate, Expect, OwnerLimits, Record, Renewal, RotateOutcome, SessionKey,
    SetOutcome, StoreFuture, Times, Timestamp, fallback,
};

/// Where sessions are kept. Anyone can write one: three methods, and the laws in the
/// [crate's documentation](crate).
///
/// A store asks its own [`Clock`](crate::Clock) what has expired, so that tests can move the time.
///
/// # Example
///
/// The smallest store that keeps the laws; `Mutex` makes each method one step.
///
/// ```
/// use cloakroom_store::*;
/// use std::collections::HashMap;
/// use std::sync::Mutex;
///
/// #[derive(Default)]
/// struct Shelf<T>(Mutex<HashMap<SessionKey, Record<T>>>);
///
/// impl<T> std::fmt::Debug for Shelf<T> {
///     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
///         f.debug_struct("Shelf").finish_non_exhaustive()
///     }
/// }
///
/// impl<T: Send + Sync + 'static> Store<T> for Shelf<T> {
///     fn get(&self, key: &SessionKey) -> StoreFuture<'_, Option<Record<T>>> {
///         let now = SystemClock.now();
///         let records = self.0.lock().expect("no panic while locked");
///         let live = records.get(key).filter(|record| !record.times.expired_at(now));
///         StoreFuture::ready(Ok(live.cloned()))
///     }
///
///     fn set(&self, key: &SessionKey, mut record: Record<T>, expect: Expect) -> StoreFuture<'_, SetOutcome> {
///         let now = SystemClock.now();
///         let mut records = self.0.lock().expect("no panic while locked");
///         let live = records.get(key).filter(|record| !record.times.expired_at(now));
///         let outcome = expect.judge(live.map(|record| record.version));
///         if let SetOutcome::Stored(version) = outcome {
///             record.version = version;
///             records.insert(*key, record);
///         }
///         StoreFuture::ready(Ok(outcome))
///     }
///
///     fn destroy(&self, key: &SessionKey) -> StoreFuture<'_, bool> {
///         let now = SystemClock.now();
///         let mut records = self.0.lock().expect("no panic while locked");
///         let removed = records.remove(key);
///         StoreFuture::ready(Ok(removed.is_some_and(|record| !record.times.expired_at(now))))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a session store for `{T}`",
    note = "a store implements `cloakroom_store::Store<{T}>`; `MemoryStore<{T}>` and `SqliteStore<{T}>` do"
)]
pub trait Store<T: Send + Sync + 'static>: fmt::Debug + Send + Sync + 'static {
    /// The live record under that key. `None` if it is absent, expired or destroyed.
    ///
    /// # Errors
    /// `Unavailable` if the store cannot tell; `Undecodable` if there is a record that does not decode.
    fn get(&self, key: &SessionKey) -> StoreFuture<'_, Option<Record<T>>>;

    /// Writes the whole record, if the expectation holds. The store gives the version: 1 for a new session,
    /// one more for each write. A record that has expired already is stored all the same, and is dead at once.
    ///
    /// # Errors
    /// `TooLarge`, `Full` or `Unencodable`: nothing was written. `Unavailable`: it may have been.
    fn set(
        &self,
        key: &SessionKey,
        record: Record<T>,
        expect: Expect,
    ) -> StoreFuture<'_, SetOutcome>;

    /// Ends the session. Whether there was a live one. Ends an undecodable one too, and may answer either.
    fn destroy(&self, key: &SessionKey) -> StoreFuture<'_, bool>;

    /// Notes that the session was used: a new last-seen time, and the expiry that follows from it (what
    /// [`Times::expires_at`] answers then). Changes neither data nor version, never creates. Whether the
    /// session was live.
    ///
    /// Provided: a `get` and a `set` with [`Expect::Version`] that leaves the data as it is, repeated while
    /// others write. Unlike a store's own `touch` it gives the record a new version. It relies on keys not being
    /// used again after a `destroy`, as the engine never does.
    fn touch(&self, key: &SessionKey, last_seen_at: Timestamp) -> StoreFuture<'_, bool> {
        fallback::touch(self, *key, last_seen_at)
    }

    /// Moves the record to another key and gives it these times. Data, owner and version stay. Never
    /// creates; never two live keys. The two keys differ.
    ///
    /// Provided: the old record is first expired by a compare-and-set, then written under the new key, so
    /// that no update is lost and a crash leaves none alive rather than two. For a moment neither key is live,
    /// so a store that can end all sessions of an owner brings a `rotate` of its own: in that moment one would
    /// be missed.
    fn rotate(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        times: Times,
    ) -> StoreFuture<'_, RotateOutcome> {
        fallback::rotate(self, *from, *to, times)
    }

    /// Ends whatever is under `from`, live or not, and stores a new session under `to`, which must be free:
    /// what a sign-in does. One step where the engine can. The two keys differ. Whatever the outcome, and on an
    /// error too, what was under `from` may have ended.
    ///
    /// Provided: a `destroy`, then a `set` with [`Expect::Absent`].
    fn replace(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        record: Record<T>,
    ) -> StoreFuture<'_, SetOutcome> {
        fallback::replace(self, *from, *to, record)
    }

    /// What this store can do with all its sessions; `None`, the default, if it cannot.
    fn enumerate(&self) -> Option<&dyn Enumerate<T>> {
        None
    }

    /// How this store limits the sessions of an owner; `None`, the default, if it cannot.
    fn owner_limits(&self) -> Option<&dyn OwnerLimits<T>> {
        None
    }

    /// How this store tells where a session moved; `None`, the default, if it cannot.
    fn renewal(&self) -> Option<&dyn Renewal> {
        None
    }

    /// How this store tells other processes that a session ended; `None`, the default, if it does not.
    fn announcements(&self) -> Option<&dyn Announcements> {
        None
    }
}

impl<T: Send + Sync + 'static, S: Store<T> + ?Sized> Store<T> for Arc<S> {
    fn get(&self, key: &SessionKey) -> StoreFuture<'_, Option<Record<T>>> {
        (**self).get(key)
    }

    fn set(
        &self,
        key: &SessionKey,
        record: Record<T>,
        expect: Expect,
    ) -> StoreFuture<'_, SetOutcome> {
        (**self).set(key, record, expect)
    }

    fn destroy(&self, key: &SessionKey) -> StoreFuture<'_, bool> {
        (**self).destroy(key)
    }

    fn touch(&self, key: &SessionKey, last_seen_at: Timestamp) -> StoreFuture<'_, bool> {
        (**self).touch(key, last_seen_at)
    }

    fn rotate(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        times: Times,
    ) -> StoreFuture<'_, RotateOutcome> {
        (**self).rotate(from, to, times)
    }

    fn replace(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        record: Record<T>,
    ) -> StoreFuture<'_, SetOutcome> {
        (**self).replace(from, to, record)
    }

    fn enumerate(&self) -> Option<&dyn Enumerate<T>> {
        (**self).enumerate()
    }

    fn owner_limits(&self) -> Option<&dyn OwnerLimits<T>> {
        (**self).owner_limits()
    }

    fn renewal(&self) -> Option<&dyn Renewal> {
        (**self).renewal()
    }

    fn announcements(&self) -> Option<&dyn Announcements> {
        (**self).announcements()
    }
}
