//! Rotation, in the order in which a crash at any moment leaves no two live keys.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use cloakroom_store::{Expect, Owner, RotateOutcome, SetOutcome};
use redis::Value;
use tokio::time::Instant;

use super::index::{enter, leave};
use super::{ATTEMPTS, Moved, Written, crowded, stored_owner, write};
use crate::error::RedisStoreError;
use crate::head::Head;
use crate::renewal::Route;
use crate::reply;
use crate::script;
use crate::session::{Draft, bound};
use crate::store::Inner;

/// How much longer than a rotation may take its pass holds.
const PASS: Duration = Duration::from_secs(60);
/// The longest time to live that is asked of Redis, in milliseconds: a thousand years.
const LONGEST: i64 = 31_557_600_000_000;

pub(crate) async fn rotate(
    inner: &Inner,
    route: &Route,
    deadline: Instant,
) -> Result<RotateOutcome, RedisStoreError> {
    let (old, new) = (route.from(), route.to());
    let pass = format!("{:016x}", RandomState::new().hash_one(new));
    for _ in 0..ATTEMPTS {
        let (owner, to_is_live) = match peek(inner, route, &pass, deadline).await? {
            (None, _) => return Ok(RotateOutcome::Gone),
            (Some(owner), to_is_live) => (owner, to_is_live || old == new),
        };
        // Asked before the old key dies: there is no way back.
        if to_is_live {
            return Ok(RotateOutcome::Exists);
        }
        let bound = bound(&route.times);
        let mut nonce = match &owner {
            Some(owner) => Some(enter(inner, new, owner, bound, deadline).await?),
            None => None,
        };
        let (outcome, rest) = take(inner, route, owner.as_ref(), deadline).await?;
        if outcome != b"taken" {
            if let (Some(owner), Some(nonce)) = (&owner, &nonce) {
                leave(inner, owner, new, nonce, deadline).await;
            }
            match outcome.as_slice() {
                b"gone" => return Ok(RotateOutcome::Gone),
                b"owner" => continue,
                _ => return Err(RedisStoreError::unexpected()),
            }
        }
        // From here on no key of this session is live until the new one is written.
        let taken = reply::text(rest.into_iter().next().unwrap_or_default())?;
        let taken = Head::of(&taken)?;
        let found = taken.version()?;
        let draft = Draft::moved(taken, owner.clone(), route.times);
        let moved = Moved {
            version: found,
            pass: &pass,
        };
        let landed = land(inner, new, &draft, moved, &mut nonce, deadline).await?;
        if !matches!(landed, Some(SetOutcome::Stored(_))) && route.trail().is_some() {
            forget_trail(inner, old, deadline).await;
        }
        if let (Some(owner), Some(old_nonce)) = (&owner, taken.entry()?) {
            leave(inner, owner, old, old_nonce, deadline).await;
        }
        return Ok(match landed {
            Some(SetOutcome::Stored(_)) => RotateOutcome::Moved {
                found,
                version: found,
            },
            Some(_) => RotateOutcome::Exists,
            None => RotateOutcome::Gone,
        });
    }
    Err(crowded())
}

/// The first half of a rotation: the old key dies, and its trail appears if there is one.
async fn take(
    inner: &Inner,
    route: &Route,
    owner: Option<&Owner>,
    deadline: Instant,
) -> Result<(Vec<u8>, Vec<Value>), RedisStoreError> {
    let old = route.from();
    let mut keys = vec![inner.layout.session(old)];
    let trail = route.trail();
    if trail.is_some() {
        keys.push(inner.layout.trail(old));
    }
    let request = inner
        .call(&script::TAKE, &keys)
        .arg(owner.map_or("", Owner::as_str))
        .arg(old)
        .arg(trail.unwrap_or_default())
        .moment(route.trail_ends_at());
    reply::outcome(inner.run(&request, deadline).await?)
}

/// It leads nowhere. Should it stay, it is over soon.
async fn forget_trail(inner: &Inner, old: &str, deadline: Instant) {
    let request = inner.call(&script::FORGET, &[inner.layout.trail(old)]);
    if let Err(error) = inner.run(&request, deadline).await {
        tracing::debug!(%error, "a trail that leads nowhere stays for now");
    }
}

/// The second half of a rotation. `None`: somebody ended the session meanwhile, or all of its owner.
async fn land(
    inner: &Inner,
    to: &str,
    draft: &Draft,
    moved: Moved<'_>,
    nonce: &mut Option<String>,
    deadline: Instant,
) -> Result<Option<SetOutcome>, RedisStoreError> {
    for _ in 0..ATTEMPTS {
        let entry = nonce.as_deref();
        let absent = Expect::Absent;
        match write(inner, to, draft, absent, entry, Some(moved), deadline).await? {
            Written::Done(outcome) => return Ok(Some(outcome)),
            Written::Buried { ended: true } => return Ok(None),
            Written::Buried { ended: false } | Written::NeedsEntry => {}
        }
        if let Some(owner) = &draft.owner {
            *nonce = Some(enter(inner, to, owner, draft.bound(), deadline).await?);
        }
    }
    Err(crowded())
}

/// Whose the session under the old key is, if it is live; and whether one is live under the new key. If not, a
/// pass lies there afterwards.
async fn peek(
    inner: &Inner,
    route: &Route,
    pass: &str,
    deadline: Instant,
) -> Result<(Option<Option<Owner>>, bool), RedisStoreError> {
    let old = inner.call(&script::PEEK, &[inner.layout.session(route.from())]);
    // Longer than this rotation can take. Should it be over before, the session ends instead of landing.
    let holds = inner.patience.operation.saturating_mul(2) + PASS;
    let keys = [
        inner.layout.session(route.to()),
        inner.layout.pass(route.to()),
    ];
    let new = inner.call(&script::EXPECT, &keys).arg(pass).number(Some(
        i64::try_from(holds.as_millis())
            .unwrap_or(LONGEST)
            .min(LONGEST),
    ));
    let requests = vec![old, new];
    let answers = inner.server.run_all(requests, deadline).await?;
    let mut answers = answers.into_iter().map(reply::texts);
    let mut next = || {
        answers
            .next()
            .unwrap_or_else(|| Err(RedisStoreError::unexpected()))
    };
    let (old, new) = (next()?, next()?);
    let ([old_live, owner], [new_live]) = (old.as_slice(), new.as_slice()) else {
        return Err(RedisStoreError::unexpected());
    };
    if old_live != b"1" {
        return Ok((None, false));
    }
    let owner = match owner.as_slice() {
        b"" => None,
        owner => Some(stored_owner(owner)?),
    };
    Ok((Some(owner), new_live == b"1"))
}
