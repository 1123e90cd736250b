//! `touch`, `rotate` and `replace` written with the three required methods, for stores that have no better way.

use crate::{
    Expect, Record, RotateOutcome, SessionKey, SetOutcome, Store, StoreError, StoreErrorKind,
    StoreFuture, Times, Timestamp,
};

/// How often a compare-and-set is tried again when others write in between. Each failure means that somebody
/// else's write succeeded, so only a crowd larger than this on one session can exhaust it.
const ATTEMPTS: u32 = 256;

pub(crate) fn touch<T, S>(
    store: &S,
    key: SessionKey,
    last_seen_at: Timestamp,
) -> StoreFuture<'_, bool>
where
    T: Send + Sync + 'static,
    S: Store<T> + ?Sized,
{
    StoreFuture::new(async move {
        for _ in 0..ATTEMPTS {
            let Some(mut record) = store.get(&key).await? else {
                return Ok(false);
            };
            let version = record.version;
            record.times.last_seen_at = last_seen_at;
            match store.set(&key, record, Expect::Version(version)).await? {
                SetOutcome::Stored(_) => return Ok(true),
                SetOutcome::Conflict(_) => continue,
                SetOutcome::Gone | SetOutcome::Exists => return Ok(false),
            }
        }
        Err(crowded())
    })
}

pub(crate) fn rotate<T, S>(
    store: &S,
    from: SessionKey,
    to: SessionKey,
    times: Times,
) -> StoreFuture<'_, RotateOutcome>
where
    T: Send + Sync + 'static,
    S: Store<T> + ?Sized,
{
    StoreFuture::new(async move {
        // Asked first: once the old record is expired there is no way back.
        if store.get(&to).await?.is_some() {
            return Ok(RotateOutcome::Exists);
        }
        for _ in 0..ATTEMPTS {
            let Some(mut record) = store.get(&from).await? else {
                return Ok(RotateOutcome::Gone);
            };
            let found = record.version;
            // Expiring by compare-and-set is a conditional destroy: a write that came between the `get` and
            // this is not lost, and of two rotations one wins.
            let mut dead = record.clone();
            dead.times.ends_at = Some(Timestamp::MIN);
            match store.set(&from, dead, Expect::Version(found)).await? {
                SetOutcome::Stored(_) => {}
                SetOutcome::Conflict(_) => continue,
                SetOutcome::Gone | SetOutcome::Exists => return Ok(RotateOutcome::Gone),
            }
            store.destroy(&from).await?;
            record.times = times;
            return match store.set(&to, record, Expect::Absent).await? {
                SetOutcome::Stored(version) => Ok(RotateOutcome::Moved { found, version }),
                _ => Ok(RotateOutcome::Exists),
            };
        }
        Err(crowded())
    })
}

pub(crate) fn replace<T, S>(
    store: &S,
    from: SessionKey,
    to: SessionKey,
    record: Record<T>,
) -> StoreFuture<'_, SetOutcome>
where
    T: Send + Sync + 'static,
    S: Store<T> + ?Sized,
{
    StoreFuture::new(async move {
        store.destroy(&from).await?;
        store.set(&to, record, Expect::Absent).await
    })
}

fn crowded() -> StoreError {
    StoreError::new(
        StoreErrorKind::Unavailable,
        "too many concurrent writes to one session",
    )
}
