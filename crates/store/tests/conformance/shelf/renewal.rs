use cloakroom_store::{Renewal, RotateOutcome, SessionKey, StoreFuture, Times, Timestamp, Trail};

use super::Shelf;

impl Shelf {
    /// Leaves a trail whatever became of the session, as a broken store does.
    pub(crate) fn put_trail(&self, from: SessionKey, trail: Trail, ends_at: Timestamp) {
        self.lock().trails.insert(from, (trail, ends_at));
    }

    pub(crate) fn take_trail(&self, from: &SessionKey) -> Option<(Trail, Timestamp)> {
        self.lock().trails.remove(from)
    }

    /// The trail, over or not.
    pub(crate) fn raw_trail(&self, from: &SessionKey) -> Option<Trail> {
        self.lock().trails.get(from).map(|(trail, _)| *trail)
    }
}

impl Renewal for Shelf {
    fn renew(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        times: Times,
        trail_ends_at: Timestamp,
    ) -> StoreFuture<'_, RotateOutcome> {
        self.answer(|inner, now| {
            let outcome = inner.rotate(from, to, times, now);
            if let RotateOutcome::Moved { .. } = outcome {
                let trail = Trail::new(*to, times.renewed_at);
                inner.trails.insert(*from, (trail, trail_ends_at));
            }
            outcome
        })
    }

    fn follow(&self, key: &SessionKey) -> StoreFuture<'_, Option<Trail>> {
        self.answer(|inner, now| {
            let (trail, ends_at) = inner.trails.get(key)?;
            (*ends_at > now).then_some(*trail)
        })
    }
}
