use cloakroom_store::{
    AtRest, Entry, Enumerate, Owner, SessionKey, StoreError, StoreErrorKind, StoreFuture,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::DbStore;
use crate::dialect::{Answer, Dialect, Engine, first_int};
use crate::error::{DbError, DbErrorKind};
use crate::operations::Inner;
use crate::statement::{Bindings, Param};

/// Rows in memory at once when all are visited.
const PAGE: i64 = 64;
/// Rows that one statement of `clear` removes.
const CLEAR_BATCH: i64 = 500;
/// Before every key, and in the place of none: no key is as short. It is not empty, as MariaDB takes what is empty for
/// null if its `sql_mode` has EMPTY_STRING_IS_NULL, and nothing compares with null.
const BEFORE_ALL: &[u8] = &[0];

impl<T, DB> Enumerate<T> for DbStore<T, DB>
where
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
    DB: Dialect,
{
    fn visit<'a>(&'a self, visitor: &'a mut (dyn FnMut(Entry<T>) + Send)) -> StoreFuture<'a, ()> {
        let inner = &*self.inner;
        StoreFuture::new(async move {
            let mut after = BEFORE_ALL.to_vec();
            loop {
                let bindings = inner
                    .now()
                    .bytes(Param::After, &after)
                    .int(Param::Limit, PAGE);
                let answer = inner
                    .within(inner.io.run(&inner.statements.page, &bindings))
                    .await?;
                let Some(last) = answer.rows.last() else {
                    return Ok(());
                };
                after = match DB::bytes(last, 0) {
                    Ok(Some(key)) => key,
                    _ => return Err(unreadable_key()),
                };
                entries(&answer, &self.inner.at_rest).for_each(&mut *visitor);
                if answer.rows.len() < PAGE as usize {
                    return Ok(());
                }
            }
        })
    }

    fn clear(&self) -> StoreFuture<'_, u64> {
        let inner = &*self.inner;
        StoreFuture::new(async move {
            let mut ended = 0;
            loop {
                let bindings = inner.now().int(Param::Limit, CLEAR_BATCH);
                let answer = inner
                    .within(inner.io.run(&inner.statements.clear, &bindings))
                    .await?;
                ended += answer.affected;
                // Half, as PostgreSQL lets some of a batch get away: see `clear_rest`.
                if answer.affected < CLEAR_BATCH as u64 / 2 {
                    break;
                }
            }
            let now = inner.now();
            let rest = inner.io.run(&inner.statements.clear_rest, &now);
            ended += inner.within(rest).await?.affected;
            inner.clear_trails().await?;
            inner.purge_all().await?;
            Ok(ended)
        })
    }

    fn count(&self) -> StoreFuture<'_, u64> {
        let inner = &*self.inner;
        StoreFuture::new(inner.within(async move {
            let answer = inner.io.run(&inner.statements.count, &inner.now()).await?;
            let count = first_int(&answer).and_then(|count| u64::try_from(count).ok());
            count.ok_or_else(|| DbError::new(DbErrorKind::Other, "the count is not a number"))
        }))
    }

    fn purge_expired(&self) -> StoreFuture<'_, u64> {
        let inner = &*self.inner;
        StoreFuture::new(inner.purge_all())
    }

    fn list_by_owner(&self, owner: &Owner) -> StoreFuture<'_, Vec<Entry<T>>> {
        let inner = &*self.inner;
        let bindings = inner.now().text(Param::Owner, Some(owner.as_str()));
        StoreFuture::new(async move {
            let statement = &inner.statements.list_by_owner;
            let answer = inner.within(inner.io.run(statement, &bindings)).await?;
            Ok(entries(&answer, &self.inner.at_rest).collect())
        })
    }

    fn destroy_by_owner(&self, owner: &Owner, except: &[SessionKey]) -> StoreFuture<'_, u64> {
        let inner = &*self.inner;
        // In one piece. That a key begins in the middle of another one is as likely as two equal ones.
        let mut spared: Vec<u8> = except
            .iter()
            .flat_map(SessionKey::as_bytes)
            .copied()
            .collect();
        if spared.is_empty() {
            spared.extend(BEFORE_ALL);
        }
        let bindings = inner
            .now()
            .text(Param::Owner, Some(owner.as_str()))
            .bytes(Param::Except, &spared);
        StoreFuture::new(inner.within(async move {
            let statement = &inner.statements.destroy_by_owner;
            Ok(inner.io.run(statement, &bindings).await?.affected)
        }))
    }
}

impl<DB: Engine> Inner<DB> {
    /// One batch.
    pub(crate) async fn purge_batch(&self, size: u32) -> Result<Purged, StoreError> {
        // One moment for all three: what is postponed is what the purge then passes over.
        let bindings = Bindings::new()
            .int(Param::Now, self.clock.now().as_millis())
            .int(Param::Limit, i64::from(size));
        let postponed = match &self.statements.postpone {
            Some(postpone) => {
                let postponed = self.io.run(postpone, &bindings);
                self.within(postponed).await?.affected
            }
            None => 0,
        };
        let sessions = self.io.run(&self.statements.purge, &bindings);
        let (sessions, seen) = DB::purged(&self.within(sessions).await?);
        let trails = self.io.run(&self.statements.purge_trails, &bindings);
        let trails = self.within(trails).await?.affected;
        Ok(Purged {
            sessions,
            most: (postponed + seen).max(trails),
        })
    }

    /// Batch after batch, until one comes back empty: another instance may be holding rows of this one.
    async fn purge_all(&self) -> Result<u64, StoreError> {
        let size = self.purger.batch();
        let mut removed = 0;
        loop {
            let purged = self.purge_batch(size).await?;
            if purged.most == 0 {
                return Ok(removed);
            }
            removed += purged.sessions;
        }
    }

    async fn clear_trails(&self) -> Result<(), StoreError> {
        let bindings = Bindings::new().int(Param::Limit, CLEAR_BATCH);
        let statement = &self.statements.clear_trails;
        while self
            .within(self.io.run(statement, &bindings))
            .await?
            .affected
            > 0
        {}
        Ok(())
    }
}

/// What came of one batch of purging.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Purged {
    /// How many were removed.
    pub(crate) sessions: u64,
    /// How many sessions or trails it looked at, whichever is more: if that is a batch, there may be more.
    pub(crate) most: u64,
}

/// The entries that decode. The others are noted in the log and left out.
fn entries<T: DeserializeOwned, DB: Engine>(
    answer: &Answer<DB>,
    at_rest: &AtRest,
) -> impl Iterator<Item = Entry<T>> {
    answer.rows.iter().filter_map(|row| {
        let row = DB::stored(row).map_err(DbError::into_store_error);
        row.and_then(|row| row.into_entry(at_rest))
            .inspect_err(|error| {
                let reason = std::error::Error::source(error).map(tracing::field::display);
                tracing::warn!(reason, "an undecodable session is left out of a listing");
            })
            .ok()
    })
}

fn unreadable_key() -> StoreError {
    StoreError::new(StoreErrorKind::Internal, "the key of a row cannot be read")
}
