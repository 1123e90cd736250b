use cloakroom_store::{
    AdmitOutcome, Owner, OwnerLimit, OwnerLimits, Record, SessionKey, StoreError, StoreFuture,
    Timestamp, WhenReached,
};

use super::facts::Facts;
use super::locked::Locked;
use super::store::{Inner, insert, take_out};

impl<T: Send + Sync + 'static> OwnerLimits<T> for Inner<T> {
    fn admit(
        &self,
        ending: Option<&SessionKey>,
        key: &SessionKey,
        record: Record<T>,
        limit: OwnerLimit,
    ) -> StoreFuture<'_, AdmitOutcome> {
        StoreFuture::ready(self.admit(ending, key, record, limit))
    }
}

impl<T: Send + Sync + 'static> Inner<T> {
    fn admit(
        &self,
        ending: Option<&SessionKey>,
        key: &SessionKey,
        mut record: Record<T>,
        limit: OwnerLimit,
    ) -> Result<AdmitOutcome, StoreError> {
        let now = self.now();
        record.version = 1;
        let owner = record.owner.clone();
        let mut record = Some(record);
        let keys = [ending.unwrap_or(key), key];
        let mut reserved = None;
        let mut given_up = Vec::new();
        loop {
            let outcome = self.locks.with_all_of(owner.as_ref(), keys, |locked| {
                if locked.shard(key).live(key, now).is_some() {
                    return Some(AdmitOutcome::Exists);
                }
                let ended = match &owner {
                    Some(owner) => making_room(locked, owner, ending, limit, now),
                    None => Some(Vec::new()),
                };
                let Some(ended) = ended else {
                    return Some(AdmitOutcome::Refused);
                };
                // Nothing ends before the new one has a place.
                let leaves = |key: &SessionKey| locked.shard(key).holds(key);
                let gives_place = !ended.is_empty() || ending.into_iter().chain([key]).any(leaves);
                if reserved.is_none() && !gives_place {
                    return None;
                }
                for key in ended.iter().chain(ending).chain([key]) {
                    given_up.extend(take_out(locked, key));
                }
                self.settle(reserved.take(), given_up.len());
                let record = record.take().expect("it is stored once");
                insert(locked, *key, Facts::apart(record), now);
                Some(AdmitOutcome::Stored { version: 1, ended })
            });
            match outcome {
                Some(outcome) => return Ok(outcome),
                // Only now, since a full store may end another session for it.
                None => reserved = Some(self.reserve()?),
            }
        }
    }
}

/// The owner's oldest sessions that have to end for one more, `ending` not counted. `None` if the limit refuses.
fn making_room<T>(
    locked: &mut Locked<'_, '_, T>,
    owner: &Owner,
    ending: Option<&SessionKey>,
    limit: OwnerLimit,
    now: Timestamp,
) -> Option<Vec<SessionKey>> {
    let keys: Vec<_> = locked.keys_of(owner).copied().collect();
    let mut live: Vec<_> = keys
        .into_iter()
        .filter(|key| Some(key) != ending)
        .filter_map(|key| {
            let record = locked.shard(&key).live(&key, now)?;
            // Another's may have begun under a key that was purged a moment ago.
            let is_theirs = record.owner.as_ref() == Some(owner);
            is_theirs.then_some((record.times.created_at, key))
        })
        .collect();
    let max = usize::try_from(limit.max.get()).unwrap_or(usize::MAX);
    let too_many = (live.len() + 1).saturating_sub(max);
    if too_many > 0 && limit.when_reached == WhenReached::Refuse {
        return None;
    }
    live.sort_unstable();
    live.truncate(too_many);
    Some(live.into_iter().map(|(_, key)| key).collect())
}
