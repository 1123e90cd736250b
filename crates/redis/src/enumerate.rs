use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use cloakroom_store::{AtRest, Entry, Enumerate, Owner, SessionKey, StoreError, StoreFuture};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::error::{Failure, RedisStoreError, RedisStoreErrorKind};
use crate::head::Head;
use crate::layout::member;
use crate::link::Link;
use crate::script::{self, Request, Script};
use crate::server::Server;
use crate::session::RedisStoreSession;
use crate::store::{Inner, RedisStore};
use crate::{reply, single, spread};

/// About how many keys a server looks at in one go.
const BATCH: usize = 256;
/// How often `clear` looks again after it found something: sessions may be moving to other keys.
const LAST_LOOKS: u32 = 8;

impl<T> Enumerate<T> for RedisStore<T>
where
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    fn visit<'a>(&'a self, visitor: &'a mut (dyn FnMut(Entry<T>) + Send)) -> StoreFuture<'a, ()> {
        let inner = &*self.inner;
        StoreFuture::new(async move {
            let mut walk = Walk::over(inner, inner.layout.sessions()).await?;
            while let Some(keys) = walk.next().await? {
                let keys = sessions(inner, keys);
                let read = |deadline| inner.read_all(&keys, Request::session, deadline);
                let answers = inner.timed(read).await?;
                for (key, answer) in keys.iter().zip(answers) {
                    let found = RedisStoreSession::from_answer(*key, answer);
                    let live = found.map(|found| found.filter(|s| s.is_live(&*inner.clock)));
                    decoded(live, &self.inner.at_rest)
                        .into_iter()
                        .for_each(&mut *visitor);
                }
            }
            Ok(())
        })
    }

    fn clear(&self) -> StoreFuture<'_, u64> {
        let inner = &*self.inner;
        StoreFuture::new(async move {
            let mut ended = 0;
            for _ in 0..=LAST_LOOKS {
                let mut found = false;
                let mut walk = Walk::over(inner, inner.layout.sessions_and_traces()).await?;
                while let Some(names) = walk.next().await? {
                    let (keys, traces): (Vec<_>, Vec<_>) = names
                        .into_iter()
                        .partition(|name| inner.layout.key_of(name).is_some());
                    inner.timed(|d| inner.forget(traces, d)).await?;
                    let keys = sessions(inner, keys);
                    found |= !keys.is_empty();
                    ended += inner
                        .timed(|d| inner.end_all(&script::DESTROY, &keys, d))
                        .await?;
                }
                if !found {
                    break;
                }
            }
            inner.tidy_indexes().await?;
            Ok(ended)
        })
    }

    fn count(&self) -> StoreFuture<'_, u64> {
        let inner = &*self.inner;
        StoreFuture::new(async move {
            let mut count = 0;
            let mut walk = Walk::over(inner, inner.layout.sessions()).await?;
            while let Some(keys) = walk.next().await? {
                let keys = sessions(inner, keys);
                let live = inner.timed(|deadline| inner.lives(&keys, deadline)).await?;
                count += live.into_iter().filter(|life| *life == Life::Live).count() as u64;
            }
            Ok(count)
        })
    }

    fn purge_expired(&self) -> StoreFuture<'_, u64> {
        let inner = &*self.inner;
        StoreFuture::new(async move {
            let mut removed = 0;
            let mut walk = Walk::over(inner, inner.layout.sessions()).await?;
            while let Some(keys) = walk.next().await? {
                let keys = sessions(inner, keys);
                let read = |deadline| inner.read_all(&keys, Request::head, deadline);
                let heads = inner.timed(read).await?;
                let with = |life| {
                    let all = keys.iter().zip(&heads);
                    all.filter(move |(_, head)| inner.life(head) == life)
                };
                let expired: Vec<_> = with(Life::Expired).map(|(key, _)| *key).collect();
                // The script looks again: a session may have been used since.
                removed += inner
                    .timed(|d| inner.end_all(&script::PURGE, &expired, d))
                    .await?;
                if matches!(inner.server, Server::Cluster(_)) {
                    let looked = inner.timed(|d| spread::find_lost(inner, with(Life::Live), d));
                    // A server that is full takes no entries. What has expired leaves all the same.
                    if let Err(error) = looked.await {
                        tracing::warn!(%error, "index entries that may be lost were not looked for");
                    }
                }
            }
            inner.tidy_indexes().await?;
            Ok(removed)
        })
    }

    fn list_by_owner(&self, owner: &Owner) -> StoreFuture<'_, Vec<Entry<T>>> {
        let (owner, inner) = (owner.clone(), &*self.inner);
        StoreFuture::new(inner.timed(move |deadline| async move {
            let mut entries = match inner.server {
                Server::Single(_) => single::list_by_owner(inner, &owner, deadline).await?,
                Server::Cluster(_) => spread::list_by_owner(inner, &owner, deadline).await?,
            };
            entries.sort_by_key(|entry: &Entry<T>| (entry.record.times.created_at, entry.key));
            Ok(entries)
        }))
    }

    fn destroy_by_owner(&self, owner: &Owner, except: &[SessionKey]) -> StoreFuture<'_, u64> {
        let (owner, except, inner) = (owner.clone(), except.to_vec(), &self.inner);
        StoreFuture::new(inner.timed(move |deadline| async move {
            match inner.server {
                Server::Single(_) => {
                    single::destroy_by_owner(inner, &owner, &except, deadline).await
                }
                Server::Cluster(_) => {
                    let inner = Arc::clone(inner);
                    spread::uncut(async move {
                        spread::destroy_by_owner(&inner, &owner, &except, deadline).await
                    })
                    .await
                }
            }
        }))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Life {
    Absent,
    Live,
    Expired,
}

impl Inner {
    async fn read_all(
        &self,
        keys: &[SessionKey],
        request: fn(String) -> Request,
        deadline: Instant,
    ) -> Result<Vec<redis::Value>, RedisStoreError> {
        let requests = keys
            .iter()
            .map(|key| request(self.layout.session(&member(key))));
        self.server.run_all(requests.collect(), deadline).await
    }

    async fn lives(
        &self,
        keys: &[SessionKey],
        deadline: Instant,
    ) -> Result<Vec<Life>, RedisStoreError> {
        let heads = self.read_all(keys, Request::head, deadline).await?;
        Ok(heads.iter().map(|head| self.life(head)).collect())
    }

    fn life(&self, head: &redis::Value) -> Life {
        let redis::Value::BulkString(head) = head else {
            return Life::Absent;
        };
        match Head::of(head).and_then(|head| head.expires_at()) {
            Ok(Some(end)) if end <= self.clock.now() => Life::Expired,
            Ok(_) => Life::Live,
            // Nothing, or something else.
            Err(_) => Life::Absent,
        }
    }

    /// Runs one of the scripts that end sessions. How many it counted.
    async fn end_all(
        &self,
        script: &'static Script,
        keys: &[SessionKey],
        deadline: Instant,
    ) -> Result<u64, RedisStoreError> {
        let members: Vec<_> = keys.iter().map(member).collect();
        let requests = members.iter().map(|member| {
            let name = self.layout.session(member);
            self.call(script, &[name]).arg(member.as_str())
        });
        let answers = self.server.run_all(requests.collect(), deadline).await?;
        let mut ended = 0;
        for (member, answer) in members.iter().zip(answers) {
            let (counts, rest) = reply::outcome(answer)?;
            ended += u64::from(counts == b"1");
            if matches!(self.server, Server::Cluster(_)) {
                spread::leave_as_said(self, member, rest, deadline).await;
            }
        }
        Ok(ended)
    }

    /// Removes trails, and the passes of sessions that are moving at this moment.
    async fn forget(&self, names: Vec<Vec<u8>>, deadline: Instant) -> Result<(), RedisStoreError> {
        if names.is_empty() {
            return Ok(());
        }
        let requests = names
            .into_iter()
            .map(|name| self.call(&script::FORGET, &[name]));
        let answers = self.server.run_all(requests.collect(), deadline).await;
        answers.map(drop)
    }

    /// Removes from all indexes what is due and gone.
    async fn tidy_indexes(&self) -> Result<(), StoreError> {
        let mut walk = Walk::over(self, self.layout.indexes()).await?;
        while let Some(keys) = walk.next().await? {
            for owner in keys.iter().filter_map(|key| self.layout.owner_of(key)) {
                let tidy = |deadline| async move {
                    match self.server {
                        Server::Single(_) => {
                            let request = self
                                .call(&script::TIDY, &[self.layout.index(&owner)])
                                .arg(owner.as_str());
                            self.run(&request, deadline).await.map(drop)
                        }
                        Server::Cluster(_) => spread::tidy(self, &owner, deadline).await,
                    }
                };
                self.timed(tidy).await?;
            }
        }
        Ok(())
    }
}

/// A walk over all keys that fit a pattern, on every server that has some, each key once.
///
/// Redis may show a key twice while it resizes its table, so the walk remembers what it has seen: 8 bytes for
/// each key.
struct Walk<'a> {
    inner: &'a Inner,
    pattern: String,
    links: Vec<Arc<Link>>,
    cursor: Vec<u8>,
    seen: HashSet<u64>,
    hasher: RandomState,
}

impl<'a> Walk<'a> {
    async fn over(inner: &'a Inner, pattern: String) -> Result<Self, StoreError> {
        let links = inner.timed(|deadline| inner.server.links(deadline)).await?;
        Ok(Self {
            inner,
            pattern,
            links,
            cursor: b"0".to_vec(),
            seen: HashSet::new(),
            hasher: RandomState::new(),
        })
    }

    /// Some keys, maybe none; `None` when all have been shown.
    async fn next(&mut self) -> Result<Option<Vec<Vec<u8>>>, StoreError> {
        let Some(link) = self.links.last() else {
            return Ok(None);
        };
        let mut scan = redis::cmd("SCAN");
        scan.arg(self.cursor.as_slice());
        scan.arg("MATCH").arg(&self.pattern).arg("COUNT").arg(BATCH);
        let step = |deadline| async move {
            let answer = match link.send(&scan, false, deadline).await {
                // It only reads.
                Err(Failure::Unknown(error)) if error.kind() != RedisStoreErrorKind::TimedOut => {
                    link.send(&scan, false, deadline).await
                }
                answer => answer,
            };
            let mut answer = reply::list(answer.map_err(Failure::into_error)?)?.into_iter();
            let cursor = reply::text(answer.next().unwrap_or_default())?;
            let keys = reply::texts(answer.next().unwrap_or_default())?;
            Ok((cursor, keys))
        };
        let (cursor, mut keys) = self.inner.timed(step).await?;
        if cursor == b"0" {
            self.links.pop();
        }
        self.cursor = cursor;
        let (seen, hasher) = (&mut self.seen, &self.hasher);
        keys.retain(|key| seen.insert(hasher.hash_one(key)));
        Ok(Some(keys))
    }
}

fn sessions(inner: &Inner, keys: Vec<Vec<u8>>) -> Vec<SessionKey> {
    let keys = keys.iter().filter_map(|key| inner.layout.key_of(key));
    keys.collect()
}

/// The entry, if there is a session and it decodes. Otherwise it is noted in the log and left out.
pub(crate) fn decoded<T: DeserializeOwned>(
    found: Result<Option<RedisStoreSession>, RedisStoreError>,
    at_rest: &AtRest,
) -> Option<Entry<T>> {
    let found = found
        .map_err(RedisStoreError::into_store_error)
        .transpose()?;
    let entry = found.and_then(|session| session.into_entry(at_rest));
    entry
        .inspect_err(|error| {
            let reason = std::error::Error::source(error).map(tracing::field::display);
            tracing::warn!(reason, "an undecodable session is left out of a listing");
        })
        .ok()
}
