use cloakroom_store::{Entry, Enumerate, Owner, SessionKey, StoreFuture};

use super::locked::Locks;
use super::store::Inner;

impl<T: Send + Sync + 'static> Enumerate<T> for Inner<T> {
    fn visit<'a>(&'a self, visitor: &'a mut (dyn FnMut(Entry<T>) + Send)) -> StoreFuture<'a, ()> {
        for shard in 0..Locks::<T>::shard_count() {
            let now = self.now();
            // Copied out first: the visitor may take its time, and may use the store.
            let entries: Vec<_> = self
                .locks
                .nth_shard(shard)
                .records()
                .filter(|(_, record)| !record.times.expired_at(now))
                .map(|(key, record)| Entry::new(*key, record.clone()))
                .collect();
            entries.into_iter().for_each(&mut *visitor);
        }
        StoreFuture::ready(Ok(()))
    }

    fn clear(&self) -> StoreFuture<'_, u64> {
        let now = self.now();
        let mut live = 0;
        let mut index: Vec<_> = self.locks.index_parts().collect();
        let mut shards: Vec<_> = self.locks.shards().collect();
        for shard in &mut shards {
            let records = shard.records();
            live += records
                .filter(|(_, record)| !record.times.expired_at(now))
                .count() as u64;
            self.release(shard.len());
            shard.clear();
        }
        index.iter_mut().for_each(|part| part.clear());
        StoreFuture::ready(Ok(live))
    }

    fn count(&self) -> StoreFuture<'_, u64> {
        let now = self.now();
        let live = |shard: &super::shard::Shard<T>| {
            let records = shard.records();
            records
                .filter(|(_, record)| !record.times.expired_at(now))
                .count() as u64
        };
        StoreFuture::ready(Ok(self.locks.shards().map(|shard| live(&shard)).sum()))
    }

    fn purge_expired(&self) -> StoreFuture<'_, u64> {
        StoreFuture::ready(Ok(self.purge()))
    }

    fn list_by_owner(&self, owner: &Owner) -> StoreFuture<'_, Vec<Entry<T>>> {
        let now = self.now();
        // Held throughout: while it is, none of this owner's sessions begins, moves or ends.
        let index = self.locks.index(owner);
        let mut entries: Vec<Entry<T>> = index
            .keys(owner)
            .iter()
            .filter_map(|key| {
                let record = self.locks.shard(key).live(key, now)?.clone();
                Some(Entry::new(*key, record))
            })
            .collect();
        drop(index);
        entries.sort_by_key(|entry| entry.record.times.created_at);
        StoreFuture::ready(Ok(entries))
    }

    fn destroy_by_owner(&self, owner: &Owner, except: &[SessionKey]) -> StoreFuture<'_, u64> {
        let now = self.now();
        let mut ended = 0;
        let mut index = self.locks.index(owner);
        for key in index.keys(owner).to_vec() {
            if except.contains(&key) {
                continue;
            }
            index.remove(owner, &key);
            let record = self.locks.shard(&key).take(&key);
            self.release(usize::from(record.is_some()));
            ended += u64::from(record.is_some_and(|record| !record.times.expired_at(now)));
        }
        StoreFuture::ready(Ok(ended))
    }
}
