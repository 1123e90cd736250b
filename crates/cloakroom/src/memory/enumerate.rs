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
        let mut live = 0;
        let mut cleared = Vec::new();
        let mut index: Vec<_> = self.locks.index_parts().collect();
        let mut shards: Vec<_> = self.locks.shards().collect();
        for shard in &mut shards {
            live += shard.count_live(now);
            self.release(shard.len());
            cleared.push(shard.clear());
        }
        index.iter_mut().for_each(|part| part.clear());
        StoreFuture::ready(Ok(live))
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
        let owner = self.locks.hashed(owner);
        let index = self.locks.index(&owner);
        let mut entries: Vec<Entry<T>> = index
            .keys(&owner)
            .iter()
            .filter_map(|key| {
                let record = self.locks.shard(key).live_record(key, now)?;
                Some(Entry::new(*key, record))
            })
            .collect();
        drop(index);
        entries.sort_by_key(|entry| entry.record.times.created_at);
        StoreFuture::ready(Ok(entries))
    }

    fn destroy_by_owner(&self, owner: &Owner, except: &[SessionKey]) -> StoreFuture<'_, u64> {
        let now = self.now();
        let mut ended = Vec::new();
        let owner = self.locks.hashed(owner);
        let mut index = self.locks.index(&owner);
        for key in index.keys(&owner).to_vec() {
            if except.contains(&key) {
                continue;
            }
            index.remove(&owner, &key);
            ended.extend(self.locks.shard(&key).take(&key));
        }
        self.release(ended.len());
        drop(index);
        let live = ended.iter().filter(|(facts, _)| !facts.is_over(now));
        StoreFuture::ready(Ok(live.count() as u64))
    }
}
