use cloakroom_store::{Entry, Enumerate, Owner, SessionKey, StoreFuture};

use super::locked::Locks;
use super::slots::Ends;
use super::store::Inner;

impl<T: Send + Sync + 'static> Enumerate<T> for Inner<T> {
    fn visit<'a>(&'a self, visitor: &'a mut (dyn FnMut(Entry<T>) + Send)) -> StoreFuture<'a, ()> {
        for shard in 0..Locks::<T>::shard_count() {
            let now = self.now();
            // Copied out first: the visitor may take its time, and may use the store.
            let entries: Vec<_> = self
                .locks
                .nth_shard(shard)
                .live_records(now)
                .map(|(key, record)| Entry::new(*key, record))
                .collect();
            entries.into_iter().for_each(&mut *visitor);
        }
        StoreFuture::ready(Ok(()))
    }

    fn clear(&self) -> StoreFuture<'_, u64> {
        let now = self.now();
        // Taken out while everything is locked; counted and freed when nothing is.
        let mut owners = Vec::with_capacity(Locks::<T>::shard_count());
        let mut cleared = Vec::with_capacity(Locks::<T>::shard_count());
        let mut index: Vec<_> = self.locks.index_parts().collect();
        let mut shards: Vec<_> = self.locks.shards().collect();
        for shard in &mut shards {
            self.release(shard.len());
            cleared.push(shard.clear());
        }
        owners.extend(index.iter_mut().map(|part| part.clear()));
        drop((shards, index));
        let live = cleared.iter().map(|shard| shard.count_live(now));
        StoreFuture::ready(Ok(live.sum()))
    }

    fn count(&self) -> StoreFuture<'_, u64> {
        let now = self.now();
        let live = self.locks.shards().map(|shard| shard.count_live(now));
        StoreFuture::ready(Ok(live.sum()))
    }

    fn purge_expired(&self) -> StoreFuture<'_, u64> {
        StoreFuture::ready(Ok(self.purge()))
    }

    fn list_by_owner(&self, owner: &Owner) -> StoreFuture<'_, Vec<Entry<T>>> {
        let now = self.now();
        // Held throughout: while it is, none of this owner's sessions begins, moves or ends.
        let hashed = self.locks.hashed(owner);
        let index = self.locks.index(&hashed);
        let mut entries: Vec<Entry<T>> = index
            .keys(&hashed)
            .filter_map(|key| {
                let record = self.locks.shard(key).live_record(key, now)?;
                // Another's may have begun under a key that was purged a moment ago.
                let is_theirs = record.owner.as_ref() == Some(owner);
                is_theirs.then(|| Entry::new(*key, record))
            })
            .collect();
        drop(index);
        entries.sort_by_key(|entry| entry.record.times.created_at);
        StoreFuture::ready(Ok(entries))
    }

    fn destroy_by_owner(&self, owner: &Owner, except: &[SessionKey]) -> StoreFuture<'_, u64> {
        let now = self.now();
        let mut ended = Vec::new();
        let hashed = self.locks.hashed(owner);
        let mut index = self.locks.index(&hashed);
        let unlisted = index.retain(&hashed, |key| {
            if except.contains(key) {
                return true;
            }
            let mut shard = self.locks.shard(key);
            // As above.
            if shard.owner(key) == Some(owner) {
                ended.extend(shard.take(key));
                self.release(1);
            }
            false
        });
        drop(index);
        drop(unlisted);
        let live = ended.iter().filter(|(facts, _)| !facts.is_over(now));
        StoreFuture::ready(Ok(live.count() as u64))
    }
}
