//! The operations on one server: each is one script, which changes the index of the owner in the same step.

use cloakroom_store::{
    AdmitOutcome, Entry, Expect, Owner, OwnerLimit, RotateOutcome, SessionKey, SetOutcome,
    Timestamp, WhenReached,
};
use redis::Value;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::error::RedisStoreError;
use crate::head::time_digits;
use crate::layout::{from_member, member};
use crate::moment::padded;
use crate::renewal::Route;
use crate::reply;
use crate::script::{self, ROOM, Request};
use crate::session::{Draft, RedisStoreSession, version_after};
use crate::store::Inner;

pub(crate) async fn set(
    inner: &Inner,
    key: &SessionKey,
    mut draft: Draft,
    expect: Expect,
    deadline: Instant,
) -> Result<SetOutcome, RedisStoreError> {
    let session = inner.layout.session(&member(key));
    let version = version_after(expect);
    draft.set_version(version);
    let room = ROOM + draft.written().len();
    let mut request = Request::script_of(&script::SET, &[session], room)
        .moment(Some(inner.clock.now()))
        .arg(expectation(expect))
        .number(inner.time_to_live(&draft))
        .arg(draft.written());
    if let Some(owner) = &draft.owner {
        request = request.arg(owner.as_str());
    }
    match inner.run(&request, deadline).await? {
        Value::Int(0) => Ok(SetOutcome::Stored(version)),
        Value::Int(version) => u64::try_from(version)
            .map(SetOutcome::Stored)
            .map_err(|_| RedisStoreError::unexpected()),
        Value::BulkString(outcome) if outcome == b"exists" => Ok(SetOutcome::Exists),
        Value::BulkString(outcome) if outcome == b"gone" => Ok(SetOutcome::Gone),
        answer => match reply::outcome(answer)? {
            (outcome, rest) if outcome == b"conflict" => {
                Ok(SetOutcome::Conflict(self::version(rest)?))
            }
            _ => Err(RedisStoreError::unexpected()),
        },
    }
}

pub(crate) async fn destroy(
    inner: &Inner,
    key: &SessionKey,
    deadline: Instant,
) -> Result<bool, RedisStoreError> {
    let member = member(key);
    let request = inner
        .call(&script::DESTROY, &[inner.layout.session(&member)])
        .arg(member);
    let (was_live, _) = reply::outcome(inner.run(&request, deadline).await?)?;
    Ok(was_live == b"1")
}

pub(crate) async fn touch(
    inner: &Inner,
    key: &SessionKey,
    last_seen_at: Timestamp,
    deadline: Instant,
) -> Result<bool, RedisStoreError> {
    let member = member(key);
    let request = inner
        .call(&script::TOUCH, &[inner.layout.session(&member)])
        .arg(member)
        .moment(Some(last_seen_at));
    let (outcome, _) = reply::outcome(inner.run(&request, deadline).await?)?;
    Ok(outcome == b"touched")
}

pub(crate) async fn rotate(
    inner: &Inner,
    route: &Route,
    deadline: Instant,
) -> Result<RotateOutcome, RedisStoreError> {
    let (old, new) = (route.from(), route.to());
    let mut keys = vec![inner.layout.session(old), inner.layout.session(new)];
    let trail = route.trail();
    if trail.is_some() {
        keys.push(inner.layout.trail(old));
    }
    let request = inner
        .call(&script::ROTATE, &keys)
        .arg(old)
        .arg(new)
        .arg(time_digits(&route.times))
        .arg(trail.unwrap_or_default())
        .moment(route.trail_ends_at());
    let (outcome, rest) = reply::outcome(inner.run(&request, deadline).await?)?;
    match outcome.as_slice() {
        b"moved" => {
            let version = version(rest)?;
            Ok(RotateOutcome::Moved {
                found: version,
                version,
            })
        }
        b"exists" => Ok(RotateOutcome::Exists),
        b"gone" => Ok(RotateOutcome::Gone),
        _ => Err(RedisStoreError::unexpected()),
    }
}

pub(crate) async fn replace(
    inner: &Inner,
    from: &SessionKey,
    to: &SessionKey,
    draft: &Draft,
    deadline: Instant,
) -> Result<SetOutcome, RedisStoreError> {
    let admitted = admit(inner, Some(from), to, draft, None, deadline);
    match admitted.await? {
        AdmitOutcome::Stored { version, .. } => Ok(SetOutcome::Stored(version)),
        AdmitOutcome::Exists => Ok(SetOutcome::Exists),
        _ => Err(RedisStoreError::unexpected()),
    }
}

/// A sign-in, with a limit or without one.
pub(crate) async fn admit(
    inner: &Inner,
    ending: Option<&SessionKey>,
    key: &SessionKey,
    draft: &Draft,
    limit: Option<OwnerLimit>,
    deadline: Instant,
) -> Result<AdmitOutcome, RedisStoreError> {
    let new = member(key);
    let mut keys = vec![inner.layout.session(&new)];
    let old = ending.map(member).unwrap_or_default();
    if ending.is_some() {
        keys.push(inner.layout.session(&old));
    }
    let most = limit.map(|limit| limit.max.get().into());
    let how = match limit.map(|limit| limit.when_reached) {
        Some(WhenReached::Refuse) => "refuse",
        _ => "oldest",
    };
    let request = inner
        .call(&script::ADMIT, &keys)
        .arg(new)
        .arg(old)
        .number(most)
        .arg(how)
        .number(inner.time_to_live(draft))
        .arg(draft.written());
    let (outcome, rest) = reply::outcome(inner.run(&request, deadline).await?)?;
    let mut rest = rest.into_iter();
    match outcome.as_slice() {
        b"stored" => {
            let version = reply::number(rest.next().unwrap_or_default())?;
            let ended = rest.filter_map(|name| from_member(&reply::text(name).ok()?));
            let ended = ended.collect();
            Ok(AdmitOutcome::Stored { version, ended })
        }
        b"exists" => Ok(AdmitOutcome::Exists),
        b"refused" => Ok(AdmitOutcome::Refused),
        _ => Err(RedisStoreError::unexpected()),
    }
}

/// All of them in one step, so that a session that is just being rotated is in it once.
pub(crate) async fn list_by_owner<T: DeserializeOwned>(
    inner: &Inner,
    owner: &Owner,
    deadline: Instant,
) -> Result<Vec<Entry<T>>, RedisStoreError> {
    let request = inner
        .call(&script::LIST_OWNER, &[inner.layout.index(owner)])
        .arg(owner.as_str());
    let answer = reply::list(inner.run(&request, deadline).await?)?;
    let mut entries = Vec::with_capacity(answer.len());
    for pair in answer {
        let mut pair = reply::list(pair)?.into_iter();
        let member = reply::text(pair.next().unwrap_or_default())?;
        let stored = pair.next().unwrap_or_default();
        if let Some(key) = from_member(&member) {
            let session = RedisStoreSession::from_answer(key, stored);
            entries.extend(crate::enumerate::decoded(session, &inner.at_rest));
        }
    }
    Ok(entries)
}

pub(crate) async fn destroy_by_owner(
    inner: &Inner,
    owner: &Owner,
    except: &[SessionKey],
    deadline: Instant,
) -> Result<u64, RedisStoreError> {
    let request = inner
        .call(&script::DESTROY_OWNER, &[inner.layout.index(owner)])
        .arg(owner.as_str());
    let request = except.iter().map(member).fold(request, Request::arg);
    reply::number(inner.run(&request, deadline).await?)
}

pub(crate) fn expectation(expect: Expect) -> Vec<u8> {
    match expect {
        Expect::Absent => b"absent".to_vec(),
        Expect::Present => b"present".to_vec(),
        Expect::Version(version) => padded::<20>(version).to_vec(),
    }
}

fn version(rest: Vec<Value>) -> Result<u64, RedisStoreError> {
    reply::number(rest.into_iter().next().unwrap_or_default())
}
