//! The entries of the indexes, in steps of their own.

use std::hash::{BuildHasher, RandomState};

use cloakroom_store::{Owner, Timestamp};
use redis::Value;
use tokio::time::Instant;

use super::stored_owner;
use crate::error::RedisStoreError;
use crate::reply;
use crate::script::{self, Request};
use crate::store::Inner;

/// The halves of an entry's name: the session's, and a number drawn for this entry.
pub(super) type Entry = (String, String);

/// Ends what is due in the index of an owner and dead.
pub(crate) async fn tidy(
    inner: &Inner,
    owner: &Owner,
    deadline: Instant,
) -> Result<(), RedisStoreError> {
    let now = inner.clock.now().as_millis().to_string();
    let request = Request::read("ZRANGEBYSCORE", inner.layout.index(owner))
        .arg("-inf")
        .arg(now);
    let due = reply::texts(inner.run(&request, deadline).await?)?;
    let due = due.iter().filter_map(|entry| split(entry)).collect();
    sweep(inner, owner, due, deadline).await.map(drop)
}

/// Makes an index entry. Answers its number.
pub(super) async fn enter(
    inner: &Inner,
    member: &str,
    owner: &Owner,
    bound: Option<Timestamp>,
    deadline: Instant,
) -> Result<String, RedisStoreError> {
    let nonce = nonce(inner, member);
    let request = inner
        .call(&script::ENTER, &[inner.layout.index(owner)])
        .arg(format!("{member}:{nonce}"))
        .moment(bound);
    let due = reply::texts(inner.run(&request, deadline).await?)?;
    let due: Vec<_> = due.iter().filter_map(|entry| split(entry)).collect();
    if !due.is_empty()
        && let Err(error) = sweep(inner, owner, due, deadline).await
    {
        // Only tidiness, and somebody else's. The next one tries again.
        tracing::debug!(%error, "dead index entries stay for now");
    }
    Ok(nonce)
}

/// A number for a new entry that no other entry has; with it, when it was drawn.
pub(super) fn nonce(inner: &Inner, member: &str) -> String {
    let number = RandomState::new().hash_one(member);
    format!("{number:016x}.{}", inner.clock.now().as_millis())
}

/// When the number of an entry was drawn.
pub(super) fn drawn_at(nonce: &str) -> Option<Timestamp> {
    let (_, millis) = nonce.split_once('.')?;
    millis.parse().ok().map(Timestamp::from_millis)
}

/// Has the entry of a session last until then, or for ever.
///
/// If it is missing it is made again, under its name, which the session has noted. It was lost with a primary, or it was
/// removed because the session has ended since it was read; so the session is looked at once more afterwards.
pub(super) async fn prolong(
    inner: &Inner,
    owner: &Owner,
    member: &str,
    (nonce, until): (&[u8], &[u8]),
    deadline: Instant,
) -> Result<(), RedisStoreError> {
    let nonce = std::str::from_utf8(nonce).map_err(|_| RedisStoreError::unexpected())?;
    let request = inner
        .call(&script::ENTER, &[inner.layout.index(owner)])
        .arg(format!("{member}:{nonce}"))
        .arg(until)
        .arg("1");
    let (was_there, _) = reply::outcome(inner.run(&request, deadline).await?)?;
    if was_there == b"1" {
        return Ok(());
    }
    let entry = (member.to_owned(), nonce.to_owned());
    let swept = sweep(inner, owner, vec![entry], deadline).await;
    swept.map(drop)
}

/// Removes the entry of a session that ended, as a script said: its owner and the entry's number.
pub(crate) async fn leave_as_said(
    inner: &Inner,
    member: &str,
    rest: Vec<Value>,
    deadline: Instant,
) {
    let texts: Result<Vec<_>, _> = rest.into_iter().map(reply::text).collect();
    if let Ok([owner, nonce]) = texts.as_deref()
        && let (Ok(owner), Ok(nonce)) = (stored_owner(owner), std::str::from_utf8(nonce))
        && !nonce.is_empty()
    {
        leave(inner, &owner, member, nonce, deadline).await;
    }
}

/// Removes an entry under which nothing can live any more. It is only a name without a session; if it stays,
/// listing and purging remove it.
pub(super) async fn leave(
    inner: &Inner,
    owner: &Owner,
    member: &str,
    nonce: &str,
    deadline: Instant,
) {
    let entry = [(member.to_owned(), nonce.to_owned())];
    if let Err(error) = remove(inner, owner, &entry, deadline).await {
        tracing::debug!(%error, "a dead index entry stays for now");
    }
}

pub(super) async fn remove(
    inner: &Inner,
    owner: &Owner,
    entries: &[Entry],
    deadline: Instant,
) -> Result<(), RedisStoreError> {
    let names = entries
        .iter()
        .map(|(member, nonce)| format!("{member}:{nonce}"));
    let request = inner
        .call(&script::FIT, &[inner.layout.index(owner)])
        .args(names);
    inner.run(&request, deadline).await.map(drop)
}

/// Removes those of the entries under which no session lives. Answers the others.
pub(super) async fn sweep(
    inner: &Inner,
    owner: &Owner,
    entries: Vec<Entry>,
    deadline: Instant,
) -> Result<Vec<Entry>, RedisStoreError> {
    if entries.is_empty() {
        return Ok(entries);
    }
    let outcomes = bury(inner, owner, &entries, "tidied", deadline).await?;
    let mut live = Vec::new();
    let mut dead = Vec::new();
    for (entry, outcome) in entries.into_iter().zip(outcomes) {
        match outcome.as_slice() {
            b"live" => live.push(entry),
            _ => dead.push(entry),
        }
    }
    if !dead.is_empty() {
        remove(inner, owner, &dead, deadline).await?;
    }
    Ok(live)
}

pub(super) async fn bury(
    inner: &Inner,
    owner: &Owner,
    entries: &[Entry],
    how: &str,
    deadline: Instant,
) -> Result<Vec<Vec<u8>>, RedisStoreError> {
    let requests = entries.iter().map(|(member, nonce)| {
        let keys = [
            inner.layout.session(member),
            inner.layout.tombstone(member, nonce),
        ];
        inner
            .call(&script::BURY, &keys)
            .arg(owner.as_str())
            .arg(nonce.as_str())
            .arg(how)
            .arg(member.as_str())
    });
    let answers = inner.server.run_all(requests.collect(), deadline).await?;
    let outcomes = answers.into_iter().map(reply::outcome);
    outcomes.map(|outcome| Ok(outcome?.0)).collect()
}

/// What the index holds.
pub(super) fn name((member, nonce): &Entry) -> Vec<u8> {
    format!("{member}:{nonce}").into_bytes()
}

pub(super) fn split(entry: &[u8]) -> Option<Entry> {
    let (member, nonce) = std::str::from_utf8(entry).ok()?.split_once(':')?;
    Some((member.to_owned(), nonce.to_owned()))
}
