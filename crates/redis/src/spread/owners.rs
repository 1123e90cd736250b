//! Listing and ending all sessions of an owner.

use std::collections::HashSet;

use cloakroom_store::{Entry, Owner, SessionKey};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::index::{self, bury, remove, split, sweep};
use crate::error::RedisStoreError;
use crate::layout::{from_member, member};
use crate::reply;
use crate::script::Request;
use crate::session::RedisStoreSession;
use crate::store::Inner;

pub(crate) async fn list_by_owner<T: DeserializeOwned>(
    inner: &Inner,
    owner: &Owner,
    deadline: Instant,
) -> Result<Vec<Entry<T>>, RedisStoreError> {
    let mut entries = Vec::new();
    let mut seen = HashSet::new();
    let mut dead = Vec::new();
    loop {
        let fresh = unseen(inner, owner, &mut seen, deadline).await?;
        if fresh.is_empty() {
            break;
        }
        let requests = fresh
            .iter()
            .map(|(member, _)| Request::session(inner.layout.session(member)));
        let answers = inner.server.run_all(requests.collect(), deadline).await?;
        let mut vanished = false;
        for ((member, nonce), answer) in fresh.into_iter().zip(answers) {
            let Some(key) = from_member(member.as_bytes()) else {
                continue;
            };
            let session = RedisStoreSession::from_answer(key, answer);
            if let Ok(found) = &session {
                let of_entry = found.as_ref().filter(|session| {
                    session.entry.as_deref() == Some(&nonce)
                        && session.owner.as_deref() == Some(owner.as_str())
                });
                match of_entry {
                    None => {
                        vanished = true;
                        dead.push((member, nonce));
                        continue;
                    }
                    Some(session) if !session.is_live(&*inner.clock) => continue,
                    Some(_) => {}
                }
            }
            entries.extend(crate::enumerate::decoded(session, &inner.at_rest));
        }
        // A session that is not where it was may have been rotated; then its new entry is there by now.
        if !vanished {
            break;
        }
    }
    if let Err(error) = sweep(inner, owner, dead, deadline).await {
        // Only tidiness: what was asked for is complete. The next listing tries again.
        tracing::debug!(%error, "dead index entries stay for now");
    }
    Ok(entries)
}

pub(crate) async fn destroy_by_owner(
    inner: &Inner,
    owner: &Owner,
    except: &[SessionKey],
    deadline: Instant,
) -> Result<u64, RedisStoreError> {
    let except: Vec<_> = except.iter().map(member).collect();
    let mut seen = HashSet::new();
    let mut ended = 0;
    loop {
        let mut fresh = unseen(inner, owner, &mut seen, deadline).await?;
        fresh.retain(|(member, _)| !except.contains(member));
        if fresh.is_empty() {
            return Ok(ended);
        }
        let outcomes = bury(inner, owner, &fresh, "ended", deadline).await?;
        ended += outcomes.iter().filter(|how| *how == b"ended").count() as u64;
        remove(inner, owner, &fresh, deadline).await?;
        // Also after all were found where they were: one of them may have been rotated twice.
    }
}

/// The entries of an index that were not seen before.
async fn unseen(
    inner: &Inner,
    owner: &Owner,
    seen: &mut HashSet<Vec<u8>>,
    deadline: Instant,
) -> Result<Vec<index::Entry>, RedisStoreError> {
    let request = Request::read("ZRANGE", inner.layout.index(owner))
        .arg("0")
        .arg("-1");
    let entries = reply::texts(inner.run(&request, deadline).await?)?;
    let fresh = entries
        .into_iter()
        .filter(|entry| seen.insert(entry.clone()));
    Ok(fresh.filter_map(|entry| split(&entry)).collect())
}
