//! Rotation, in the order in which a crash at any moment leaves no two live keys.

use cloakroom_store::{Expect, Owner, RotateOutcome, SessionKey, SetOutcome, Times};
use tokio::time::Instant;

use super::index::{enter, leave};
use super::{ATTEMPTS, Written, crowded, stored_owner, write};
use crate::error::RedisStoreError;
use crate::layout::member;
use crate::reply;
use crate::script;
use crate::session::Draft;
use crate::store::Inner;

pub(crate) async fn rotate(
    inner: &Inner,
    from: &SessionKey,
    to: &SessionKey,
    times: Times,
    deadline: Instant,
) -> Result<RotateOutcome, RedisStoreError> {
    for _ in 0..ATTEMPTS {
        let (owner, to_is_live) = match peek(inner, from, to, deadline).await? {
            (None, _) => return Ok(RotateOutcome::Gone),
            (Some(owner), to_is_live) => (owner, to_is_live || from == to),
        };
        // Asked before the old key dies: there is no way back.
        if to_is_live {
            return Ok(RotateOutcome::Exists);
        }
        let bound = Draft::moved(Vec::new(), owner.clone(), times).bound();
        let mut nonce = match &owner {
            Some(owner) => Some(enter(inner, to, owner, bound, deadline).await?),
            None => None,
        };
        let old = member(from);
        let request = inner
            .call(&script::TAKE, inner.layout.session(&old))
            .arg(owner.as_ref().map_or("", Owner::as_str));
        let (outcome, rest) = reply::outcome(inner.run(&request, deadline).await?)?;
        if outcome != b"taken" {
            if let (Some(owner), Some(nonce)) = (&owner, &nonce) {
                leave(inner, owner, &member(to), nonce, deadline).await;
            }
            match outcome.as_slice() {
                b"gone" => return Ok(RotateOutcome::Gone),
                b"owner" => continue,
                _ => return Err(RedisStoreError::unexpected()),
            }
        }
        // From here on no key of this session is live until the new one is written.
        let taken = reply::fields(rest.into_iter().next().unwrap_or_default())?;
        let field = |name: &[u8]| {
            let found = taken.iter().find(|(found, _)| found == name);
            found.map(|(_, value)| value.clone())
        };
        let version = field(b"version").unwrap_or_default();
        let old_nonce = field(b"entry");
        let found = reply::parse(&version)?;
        let version = String::from_utf8_lossy(&version).into_owned();
        let draft = Draft::moved(taken, owner.clone(), times);
        let moved = land(inner, to, &draft, &version, &mut nonce, deadline).await?;
        if let (Some(owner), Some(old_nonce)) = (&owner, old_nonce) {
            let old_nonce = String::from_utf8_lossy(&old_nonce).into_owned();
            leave(inner, owner, &old, &old_nonce, deadline).await;
        }
        return Ok(match moved {
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

/// The second half of a rotation. `None`: all sessions of the owner were ended meanwhile, this one too.
async fn land(
    inner: &Inner,
    to: &SessionKey,
    draft: &Draft,
    version: &str,
    nonce: &mut Option<String>,
    deadline: Instant,
) -> Result<Option<SetOutcome>, RedisStoreError> {
    for _ in 0..ATTEMPTS {
        let entry = nonce.as_deref();
        let absent = Expect::Absent;
        match write(inner, to, draft, absent, version, entry, deadline).await? {
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

/// Whose the session under `from` is, if it is live; and whether one is live under `to`.
async fn peek(
    inner: &Inner,
    from: &SessionKey,
    to: &SessionKey,
    deadline: Instant,
) -> Result<(Option<Option<Owner>>, bool), RedisStoreError> {
    let requests = [from, to].map(|key| {
        let name = inner.layout.session(&member(key));
        inner.call(&script::PEEK, name)
    });
    let answers = inner.server.run_all(requests.into(), deadline).await?;
    let mut answers = answers.into_iter().map(reply::texts);
    let mut next = || {
        answers
            .next()
            .unwrap_or_else(|| Err(RedisStoreError::unexpected()))
    };
    let (old, new) = (next()?, next()?);
    let ([old_live, owner], [new_live, _]) = (old.as_slice(), new.as_slice()) else {
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
