use cloakroom_store::{Renewal, RotateOutcome, SessionKey, StoreFuture, Times, Timestamp, Trail};

use super::store::Inner;

impl<T: Send + Sync + 'static> Renewal for Inner<T> {
    fn renew(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        times: Times,
        trail_ends_at: Timestamp,
    ) -> StoreFuture<'_, RotateOutcome> {
        StoreFuture::ready(Ok(self.rotate(from, to, times, Some(trail_ends_at))))
    }

    fn follow(&self, key: &SessionKey) -> StoreFuture<'_, Option<Trail>> {
        let now = self.now();
        StoreFuture::ready(Ok(self.locks.shard(key).trail(key, now)))
    }
}
