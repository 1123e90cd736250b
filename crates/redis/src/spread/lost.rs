//! Index entries that a failover lost: found out now and then, and made again.

use cloakroom_store::{Owner, SessionKey};
use redis::Value;
use tokio::time::{Instant, timeout};

use super::admit::WAIT;
use super::index::prolong;
use crate::error::RedisStoreError;
use crate::head::Head;
use crate::layout::member;
use crate::script::Request;
use crate::store::Inner;

/// Looks for the entry of a session that was just written, and makes it again if it is lost.
///
/// What was asked for is done: neither a failure nor a server that is silent spoils it. The next look tries again.
pub(super) async fn look_for(
    inner: &Inner,
    owner: &Owner,
    member: &str,
    entry: (&[u8], &[u8]),
    deadline: Instant,
) {
    let patience = WAIT.min(inner.patience.operation / 4);
    // A connection is not given up for having no answer after so short a time.
    let looking = timeout(patience, prolong(inner, owner, member, entry, deadline));
    match looking.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "an index entry was not looked for"),
        Err(_) => tracing::debug!("an index entry was not looked for in time"),
    }
}

/// Looks for the entries of many sessions, each with what stands before its data, and makes those again that are lost.
pub(crate) async fn find_lost(
    inner: &Inner,
    sessions: impl Iterator<Item = (&SessionKey, &Value)>,
    deadline: Instant,
) -> Result<(), RedisStoreError> {
    let listed = sessions.filter_map(|(key, head)| Listed::of(key, head));
    let listed: Vec<_> = listed.collect();
    let requests = listed.iter().map(|session| {
        let name = format!("{}:{}", session.member, session.nonce);
        Request::read("ZSCORE", inner.layout.index(&session.owner)).arg(name)
    });
    let scores = inner.server.run_all(requests.collect(), deadline).await?;
    for (session, score) in listed.iter().zip(scores) {
        if score == Value::Nil {
            let entry = (session.nonce.as_bytes(), session.until.as_bytes());
            prolong(inner, &session.owner, &session.member, entry, deadline).await?;
        }
    }
    Ok(())
}

/// What a session says of its entry.
struct Listed {
    owner: Owner,
    member: String,
    nonce: String,
    until: String,
}

impl Listed {
    /// `None` if it has none.
    fn of(key: &SessionKey, head: &Value) -> Option<Self> {
        let Value::BulkString(head) = head else {
            return None;
        };
        let head = Head::of(head).ok()?;
        Some(Self {
            owner: Owner::new(head.owner().ok()??).ok()?,
            member: member(key),
            nonce: head.entry().ok()??.to_owned(),
            until: head.entry_lasts().ok()??.to_owned(),
        })
    }
}
