use std::sync::Arc;

use cloakroom_store::{
    AtRest, Clock, Entry, Enumerate, Owner, SessionKey, StoreError, StoreFuture,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::SqliteStore;
use crate::engine::Db;
use crate::error::DbError;
use crate::operations::Inner;
use crate::session::{DbStoreSession, View, key_at};
use crate::statement::{Bindings, Param, Statement, Value};
use crate::statements::Statements;

/// Rows in memory at once when all are visited.
const PAGE: i64 = 64;
/// Rows that one transaction of `clear` removes.
const CLEAR_BATCH: i64 = 500;
/// How often `clear` looks again after it found less than a batch: sessions may be moving to other keys.
const LAST_LOOKS: u32 = 8;

impl<T> Enumerate<T> for SqliteStore<T>
where
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    fn visit<'a>(&'a self, visitor: &'a mut (dyn FnMut(Entry<T>) + Send)) -> StoreFuture<'a, ()> {
        let inner = &*self.inner;
        StoreFuture::new(async move {
            let mut after = None;
            loop {
                let mut bindings = inner.now();
                bindings
                    .bind(Param::After, after.map_or(Value::NoKey, Value::Key))
                    .int(Param::Limit, PAGE);
                let page = inner.page(bindings, |all| &all.page).await?;
                entries(&page, &self.inner.at_rest).for_each(&mut *visitor);
                match page.rows.len() < PAGE as usize {
                    true => return Ok(()),
                    false => after = page.last,
                }
            }
        })
    }

    fn clear(&self) -> StoreFuture<'_, u64> {
        let inner = &*self.inner;
        StoreFuture::new(async move {
            let mut ended = 0;
            let mut looks = 0;
            while looks <= LAST_LOOKS {
                let mut bindings = inner.now();
                bindings.int(Param::Limit, CLEAR_BATCH);
                let removed = inner.remove(bindings, |all| &all.clear).await?;
                ended += removed;
                match removed {
                    0 => break,
                    some if some < CLEAR_BATCH as u64 => looks += 1,
                    _ => {}
                }
            }
            inner.clear_trails().await?;
            inner.purge_all().await?;
            Ok(ended)
        })
    }

    fn count(&self) -> StoreFuture<'_, u64> {
        let inner = &*self.inner;
        StoreFuture::new(async move {
            let (statements, bindings) = (Arc::clone(&inner.statements), inner.now());
            let count = inner
                .engine
                .read(move |db| db.int(&statements.count, &bindings))
                .await;
            let count = count.map_err(DbError::into_store_error)?;
            let count = count.and_then(|count| u64::try_from(count).ok());
            count.ok_or_else(|| DbError::malformed().into_store_error())
        })
    }

    fn purge_expired(&self) -> StoreFuture<'_, u64> {
        let inner = &*self.inner;
        StoreFuture::new(inner.purge_all())
    }

    fn list_by_owner(&self, owner: &Owner) -> StoreFuture<'_, Vec<Entry<T>>> {
        let inner = &*self.inner;
        let mut bindings = inner.now();
        bindings.text(Param::Owner, Some(owner.as_str()));
        StoreFuture::new(async move {
            let page = inner.page(bindings, |all| &all.list_by_owner).await?;
            Ok(entries(&page, &self.inner.at_rest).collect())
        })
    }

    fn destroy_by_owner(&self, owner: &Owner, except: &[SessionKey]) -> StoreFuture<'_, u64> {
        let mut bindings = self.inner.now();
        let except = except.iter().flat_map(SessionKey::as_bytes).copied();
        bindings
            .text(Param::Owner, Some(owner.as_str()))
            .bind(Param::Except, Value::Keys(except.collect()));
        StoreFuture::new(self.inner.remove(bindings, |all| &all.destroy_by_owner))
    }
}

impl Inner {
    async fn remove(
        &self,
        bindings: Bindings,
        statement: fn(&Statements) -> &Statement,
    ) -> Result<u64, StoreError> {
        self.write(bindings, move |all, db, bindings| {
            db.execute(statement(all), bindings)
        })
        .await
    }

    /// Batch after batch, until one comes back empty.
    async fn purge_all(&self) -> Result<u64, StoreError> {
        let mut removed = 0;
        // The same moment for all: what expires meanwhile is left to the next purge, or this one might never end.
        let now = self.clock.now().as_millis();
        loop {
            let mut bindings = Bindings::new();
            bindings.int(Param::Now, now);
            bindings.int(Param::Limit, i64::from(self.purge_batch));
            let purge = move |all: &Statements, db: &Db| all.purge(db, &bindings);
            let purged = self.write_as_bound(purge).await?;
            if purged.most() == 0 {
                return Ok(removed);
            }
            removed += purged.sessions;
        }
    }

    async fn clear_trails(&self) -> Result<(), StoreError> {
        loop {
            let mut bindings = Bindings::new();
            bindings.int(Param::Limit, CLEAR_BATCH);
            if self.remove(bindings, |all| &all.clear_trails).await? == 0 {
                return Ok(());
            }
        }
    }

    async fn page(
        &self,
        bindings: Bindings,
        statement: fn(&Statements) -> &Statement,
    ) -> Result<Page, StoreError> {
        let statements = Arc::clone(&self.statements);
        let read = move |db: &Db| {
            let mut page = Page::default();
            db.rows(statement(&statements), &bindings, |row| {
                page.last = Some(key_at(row, 0)?);
                // Kept, not returned: a row that is not as it should be harms itself only.
                page.rows
                    .push(View::from_row(row).map(|view| view.to_session()));
                Ok(())
            })?;
            Ok(page)
        };
        self.engine
            .read(read)
            .await
            .map_err(DbError::into_store_error)
    }
}

/// Some rows.
#[derive(Default)]
struct Page {
    rows: Vec<Result<DbStoreSession, DbError>>,
    /// The key of the last one.
    last: Option<SessionKey>,
}

/// The entries that decode. The others are noted in the log and left out.
fn entries<T: DeserializeOwned>(page: &Page, at_rest: &AtRest) -> impl Iterator<Item = Entry<T>> {
    page.rows.iter().filter_map(|row| {
        let row = row
            .as_ref()
            .map_err(|error| error.clone().into_store_error());
        row.and_then(|row| Ok(Entry::new(row.key, row.decode(at_rest)?)))
            .inspect_err(|error| {
                let reason = std::error::Error::source(error).map(tracing::field::display);
                tracing::warn!(reason, "an undecodable session is left out of a listing");
            })
            .ok()
    })
}
