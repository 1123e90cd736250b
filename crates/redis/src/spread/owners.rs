//! Listing and ending all sessions of an owner.

use std::collections::HashSet;

use cloakroom_store::{Entry, Owner, SessionKey};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::admit::Life;
use super::index::{self, bury, name, remove, split, sweep};
use crate::enumerate::decoded;
use crate::error::RedisStoreError;
use crate::layout::{from_member, member};
use crate::reply;
use crate::script::Request;
use crate::session::RedisStoreSession;
use crate::store::Inner;

/// What was live at one moment.
///
/// The sessions are in many slots and are read one after the other. One that moves meanwhile may have been read before
/// under its old key, and afterwards under the new one. So whatever was found is looked at once more in the end, and all
/// that is still live then was live when that began.
pub(crate) async fn list_by_owner<T: DeserializeOwned>(
    inner: &Inner,
    owner: &Owner,
    deadline: Instant,
) -> Result<Vec<Entry<T>>, RedisStoreError> {
    let mut found: Vec<Found> = Vec::new();
    let mut seen = HashSet::new();
    loop {
        let fresh = unseen(inner, owner, &mut seen, deadline).await?;
        let requests = fresh
            .iter()
            .map(|(member, _)| Request::session(inner.layout.session(member)));
        let answers = inner.server.run_all(requests.collect(), deadline).await?;
        let mut dead = Vec::new();
        for (entry, answer) in fresh.into_iter().zip(answers) {
            let Some(key) = from_member(entry.0.as_bytes()) else {
                continue;
            };
            match RedisStoreSession::from_answer(key, answer) {
                Ok(Some(session)) if is_under(&session, owner, &entry) => {
                    if session.is_live(&*inner.clock) {
                        found.push((entry, session));
                    }
                }
                Ok(_) => dead.push(entry),
                // The log is told.
                error => drop(decoded::<T>(error, &inner.at_rest)),
            }
        }
        // A session that is not where it was may have been rotated; then its new entry is there by now.
        if !dead.is_empty() {
            match sweep(inner, owner, dead, deadline).await {
                // Written since they were read.
                Ok(live) => live.iter().for_each(|entry| {
                    seen.remove(&name(entry));
                }),
                // Only tidiness. The next listing tries again.
                Err(error) => tracing::debug!(%error, "dead index entries stay for now"),
            }
            continue;
        }
        // A single one was live when it was read.
        if found.len() < 2 || are_live(inner, owner, &mut found, deadline).await? {
            break;
        }
    }
    let sessions = found.into_iter().map(|(_, session)| Ok(Some(session)));
    Ok(sessions
        .filter_map(|session| decoded(session, &inner.at_rest))
        .collect())
}

type Found = (index::Entry, RedisStoreSession);

fn is_under(session: &RedisStoreSession, owner: &Owner, (_, nonce): &index::Entry) -> bool {
    session.entry.as_deref() == Some(nonce) && session.owner.as_deref() == Some(owner.as_str())
}

/// Leaves out those that are not live any more. Whether there were none.
async fn are_live(
    inner: &Inner,
    owner: &Owner,
    found: &mut Vec<Found>,
    deadline: Instant,
) -> Result<bool, RedisStoreError> {
    let before = found.len();
    let requests = found
        .iter()
        .map(|((member, _), _)| Request::head(inner.layout.session(member)));
    let heads = inner.server.run_all(requests.collect(), deadline).await?;
    let now = inner.clock.now();
    let mut heads = heads.into_iter();
    found.retain(|((_, nonce), _)| {
        let head = reply::text(heads.next().unwrap_or_default()).unwrap_or_default();
        matches!(Life::of(&head, owner, nonce, now), Life::Live { .. })
    });
    Ok(found.len() == before)
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
