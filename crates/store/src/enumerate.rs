use crate::{Handle, Owner, Record, SessionKey, StoreFuture};

/// A session with the key under which it is kept.
#[derive(Debug)]
#[non_exhaustive]
pub struct Entry<T> {
    /// Its key.
    pub key: SessionKey,
    /// The record, live when it was read.
    pub record: Record<T>,
}

impl<T> Entry<T> {
    /// Puts the two together.
    #[must_use]
    pub fn new(key: SessionKey, record: Record<T>) -> Self {
        Self { key, record }
    }

    /// The public name of this session.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.key.handle()
    }
}

impl<T> Clone for Entry<T> {
    fn clone(&self) -> Self {
        Self::new(self.key, self.record.clone())
    }
}

/// What a store can do with all its sessions, if it can: see [`Store::enumerate`](crate::Store::enumerate).
///
/// Expired records are never shown nor counted. An undecodable record is left out of every listing, but
/// [`clear`](Enumerate::clear) and [`destroy_by_owner`](Enumerate::destroy_by_owner) end it all the same.
pub trait Enumerate<T: Send + Sync + 'static>: Send + Sync {
    /// Shows every live session once to `visitor`, in no order. Sessions that begin or end meanwhile may or
    /// may not be among them. The store's memory need does not grow with the number of sessions.
    fn visit<'a>(&'a self, visitor: &'a mut (dyn FnMut(Entry<T>) + Send)) -> StoreFuture<'a, ()>;

    /// All live sessions. For millions of them use [`visit`](Enumerate::visit).
    fn all(&self) -> StoreFuture<'_, Vec<Entry<T>>> {
        StoreFuture::new(async {
            let mut entries = Vec::new();
            self.visit(&mut |entry| entries.push(entry)).await?;
            Ok(entries)
        })
    }

    /// Ends every session. How many were live.
    fn clear(&self) -> StoreFuture<'_, u64>;

    /// How many sessions are live.
    fn count(&self) -> StoreFuture<'_, u64>;

    /// Removes what has expired, and its index entries, in small batches, until nothing expired is left. How
    /// many were removed. Never removes a session that was refreshed meanwhile. Stores that purge by
    /// themselves do so without this being called.
    fn purge_expired(&self) -> StoreFuture<'_, u64>;

    /// The live sessions of one owner, the oldest first. Never misses one, never shows a dead one.
    fn list_by_owner(&self, owner: &Owner) -> StoreFuture<'_, Vec<Entry<T>>>;

    /// Ends the live sessions of one owner, but not what is under the keys of `except`. How many were ended.
    ///
    /// One session may have several of these keys: that which it had when it was asked for, and that to which it may
    /// be moving meanwhile. They are few.
    fn destroy_by_owner(&self, owner: &Owner, except: &[SessionKey]) -> StoreFuture<'_, u64>;
}
