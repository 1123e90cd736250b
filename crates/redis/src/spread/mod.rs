//! The operations in a cluster, where a session, the session that it is rotated to, and the index of its owner
//! live in different slots, and no step reaches two of them.
//!
//! # Why an index never misses a live session
//!
//! An index entry is made before the session is written that it is for, and has a name that was never there
//! before: the session's and a number drawn for it. The session notes the entry's number. An entry is removed
//! only when no session can live under it, now or later: its session was seen to be written under another
//! entry or ended by whoever removes the entry, or a tombstone lies in the session's own slot, on which
//! its write will stumble should it still be on its way. Then it is done again under a fresh entry.
//! No clock is involved.
//!
//! # What happens to an entry that a failover lost
//!
//! A replica that becomes a primary may not have it, and the session, in another slot, lives on. Its next write finds
//! that out, and so does purging: see `lost`. The entry is made again under its old name, since that is what the session
//! has noted. That writes no session, so it brings none back; but an entry that is missing may also be one that was
//! removed because its session just ended. So the session is looked at afterwards, as before an entry is tidied away. Either
//! it is live then, and whoever ends it later removes the entry later; or the entry leaves again.
//!
//! # Why a listing shows no session twice
//!
//! The sessions of an owner are read at different moments, and one that moves may be found under its old key and then under
//! its new one. So what was found is looked at once more in the end. A key that died does not live again under its entry;
//! what is live both times was live in between, all of it at once.
//!
//! # Why a rotation does not escape the end of all sessions of an owner
//!
//! The entry of the new key is made before the old key dies. Whoever ends all sessions of an owner and finds the
//! old key dead looks at the index again, finds the new entry, and either ends the session there or leaves
//! a tombstone that says so; the rotation then answers `Gone`.
//!
//! # Why a session on the way to its new key can be ended there
//!
//! Whoever follows the trail that a renewal leaves knows the new key before the session is there. So before the old
//! key dies a pass is put into the slot of the new one, without which nothing lands. A `destroy` of the new key takes
//! the pass away with whatever else is there.
//!
//! # Why a session can be ended while its slot is being moved
//!
//! Each of the two servers has some keys of the slot, and neither does anything that concerns several. What ends a
//! session concerns two, its own and one that is not there as a rule: a pass, or the tombstone of an entry. So that one
//! is seen to first, and the session in a step after it. Nothing can land between them: without its pass, or with a
//! tombstone, a write is refused, and what landed before is ended by the second step.
//!
//! # Why a session survives a caller who goes away
//!
//! A client hangs up, and the web server drops the future of its request. Dropped between two steps, a sign-in would
//! leave neither the old session nor the new one. What must not be cut is handed to `uncut` as a whole; its
//! deadline is the same. What is not can leave no more than an entry without a session.
//!
//! # Why a limit holds
//!
//! The index has an entry for each live session and for each that is about to be, so whoever counts its entries and
//! adds one in the same step never admits too many. See `admit`.

mod admit;
mod index;
mod lost;
mod owners;
mod rotate;
mod uncut;

use cloakroom_store::{Expect, Owner, SessionKey, SetOutcome, Timestamp};
use tokio::time::Instant;

use crate::error::{RedisStoreError, RedisStoreErrorKind};
use crate::head;
use crate::layout::member;
use crate::reply;
use crate::script;
use crate::session::{Draft, version_after};
use crate::single::expectation;
use crate::store::Inner;

pub(crate) use admit::admit;
pub(crate) use index::{leave_as_said, tidy};
pub(crate) use lost::find_lost;
pub(crate) use owners::{destroy_by_owner, list_by_owner};
pub(crate) use rotate::rotate;
pub(crate) use uncut::uncut;

use index::{enter, leave, prolong};
use lost::look_for;

/// How often an operation begins anew because others changed the session or removed its entry.
const ATTEMPTS: u32 = 64;

/// What the script `set` answered.
enum Written {
    Done(SetOutcome),
    /// An index entry has to be made first.
    NeedsEntry,
    /// The entry is dead: all sessions of the owner were ended, or it was only tidied away.
    Buried {
        ended: bool,
    },
}

pub(crate) async fn set(
    inner: &Inner,
    key: &SessionKey,
    draft: &Draft,
    expect: Expect,
    deadline: Instant,
) -> Result<SetOutcome, RedisStoreError> {
    let member = &member(key);
    let Some(owner) = &draft.owner else {
        return match write(inner, member, draft, expect, None, None, deadline).await? {
            Written::Done(outcome) => Ok(outcome),
            _ => Err(RedisStoreError::unexpected()),
        };
    };
    // A session that is only written anew mostly has an entry that will do. A new one never has.
    if expect != Expect::Absent
        && let Written::Done(outcome) =
            write(inner, member, draft, expect, None, None, deadline).await?
    {
        return Ok(outcome);
    }
    for _ in 0..ATTEMPTS {
        let nonce = enter(inner, member, owner, draft.bound(), deadline).await?;
        let written = write(inner, member, draft, expect, Some(&nonce), None, deadline).await?;
        let Written::Done(outcome) = written else {
            continue;
        };
        if !matches!(outcome, SetOutcome::Stored(_)) {
            leave(inner, owner, member, &nonce, deadline).await;
        }
        return Ok(outcome);
    }
    Err(crowded())
}

pub(crate) async fn destroy(
    inner: &Inner,
    key: &SessionKey,
    deadline: Instant,
) -> Result<bool, RedisStoreError> {
    let member = member(key);
    let keys = [inner.layout.session(&member), inner.layout.pass(&member)];
    let request = inner.call(&script::DESTROY, &keys).arg(&member);
    let (was_live, rest) = reply::outcome(inner.run(&request, deadline).await?)?;
    leave_as_said(inner, &member, rest, deadline).await;
    Ok(was_live == b"1")
}

pub(crate) async fn touch(
    inner: &Inner,
    key: &SessionKey,
    last_seen_at: Timestamp,
    deadline: Instant,
) -> Result<bool, RedisStoreError> {
    let member = member(key);
    let mut longer = (Vec::new(), Vec::new());
    for _ in 0..ATTEMPTS {
        let request = inner
            .call(&script::TOUCH, &[inner.layout.session(&member)])
            .arg(&member)
            .moment(Some(last_seen_at))
            .arg(&longer.0)
            .arg(&longer.1);
        let (outcome, rest) = reply::outcome(inner.run(&request, deadline).await?)?;
        match outcome.as_slice() {
            b"touched" if rest.is_empty() => return Ok(true),
            b"touched" | b"index" => {}
            b"gone" => return Ok(false),
            _ => return Err(RedisStoreError::unexpected()),
        }
        let texts: Vec<_> = rest
            .into_iter()
            .map(reply::text)
            .collect::<Result<_, _>>()?;
        let Ok([owner, nonce, until]) = <[Vec<u8>; 3]>::try_from(texts) else {
            return Err(RedisStoreError::unexpected());
        };
        let owner = stored_owner(&owner)?;
        if outcome == b"touched" {
            look_for(inner, &owner, &member, (&nonce, &until), deadline).await;
            return Ok(true);
        }
        // A session without an absolute end: its entry has to last as long first.
        prolong(inner, &owner, &member, (&nonce, &until), deadline).await?;
        longer = (nonce, until);
    }
    Err(crowded())
}

pub(crate) async fn replace(
    inner: &Inner,
    from: &SessionKey,
    to: &SessionKey,
    draft: &Draft,
    deadline: Instant,
) -> Result<SetOutcome, RedisStoreError> {
    destroy(inner, from, deadline).await?;
    set(inner, to, draft, Expect::Absent, deadline).await
}

/// What a session brings along that moves.
#[derive(Clone, Copy)]
struct Moved<'a> {
    version: u64,
    /// What the pass says that was left under its new key.
    pass: &'a str,
}

async fn write(
    inner: &Inner,
    member: &str,
    draft: &Draft,
    expect: Expect,
    nonce: Option<&str>,
    moved: Option<Moved<'_>>,
    deadline: Instant,
) -> Result<Written, RedisStoreError> {
    let version = moved.map_or_else(|| version_after(expect), |moved| moved.version);
    let written = draft.with_version(version);
    let (start, end) = head::around_note(&written);
    let mut keys = vec![inner.layout.session(member)];
    if let Some(nonce) = nonce {
        keys.push(inner.layout.tombstone(member, nonce));
    }
    if moved.is_some() {
        keys.push(inner.layout.pass(member));
    }
    let request = inner
        .call(&script::SET_SPREAD, &keys)
        .arg(expectation(expect))
        .arg(nonce.unwrap_or_default())
        .moment(draft.bound())
        .arg(moved.map_or("", |moved| moved.pass))
        .number(inner.time_to_live(draft))
        .arg(start)
        .arg(end);
    let (outcome, rest) = reply::outcome(inner.run(&request, deadline).await?)?;
    let mut rest = rest.into_iter();
    let first = reply::text(rest.next().unwrap_or_default())?;
    Ok(match outcome.as_slice() {
        b"stored" => {
            // The entry that it had until now is dead: no session will ever note its number again.
            let left = rest.by_ref().take(2).collect();
            leave_as_said(inner, member, left, deadline).await;
            if let (Some(owner), Some(entry), Some(until)) =
                (&draft.owner, rest.next(), rest.next())
            {
                let kept = (reply::text(entry)?, reply::text(until)?);
                look_for(inner, owner, member, (&kept.0, &kept.1), deadline).await;
            }
            Written::Done(SetOutcome::Stored(reply::parse(&first)?))
        }
        b"exists" => Written::Done(SetOutcome::Exists),
        b"gone" => Written::Done(SetOutcome::Gone),
        b"conflict" => Written::Done(SetOutcome::Conflict(reply::parse(&first)?)),
        b"index" => Written::NeedsEntry,
        b"buried" => Written::Buried {
            ended: first == b"ended",
        },
        _ => return Err(RedisStoreError::unexpected()),
    })
}

fn crowded() -> RedisStoreError {
    let message = "too many concurrent changes to one session";
    RedisStoreError::new(RedisStoreErrorKind::Busy, message)
}

fn stored_owner(owner: &[u8]) -> Result<Owner, RedisStoreError> {
    std::str::from_utf8(owner)
        .ok()
        .and_then(|owner| Owner::new(owner).ok())
        .ok_or_else(|| RedisStoreError::malformed("the owner of a session is none"))
}
