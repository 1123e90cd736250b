//! Signing in where an owner may have so many sessions and no more.
//!
//! The index of the owner decides. It has an entry for each live session, and for each that is just being
//! written; whoever wants to add one counts them in the same step. Where there are too many, each is looked up in
//! its slot:
//!
//! - A session that is live counts.
//! - An entry that was made a moment ago and has no session is somebody else's who is about to write it. It is waited
//!   for, briefly. Nobody is refused for the sake of a session that never comes.
//! - Any other entry is dead, and leaves; a tombstone sees to it that it stays dead.
//!
//! Then the decision is made anew, with what is known now. A session that has to make room ends before the new one is
//! written, and so does the one that the sign-in replaces. If one of them was not found where it was, it may have
//! moved to another key, and the place that it was to leave may not be free: the index is asked again.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};
use std::time::Duration;

use cloakroom_store::{
    AdmitOutcome, Expect, Owner, OwnerLimit, SessionKey, SetOutcome, Timestamp, WhenReached,
};
use tokio::sync::MutexGuard;
use tokio::time::{Instant, timeout_at};

use super::index::{Entry, bury, drawn_at, leave, name, nonce, remove, split};
use super::{ATTEMPTS, Written, crowded, destroy, replace, set, write};
use crate::error::RedisStoreError;
use crate::head::Head;
use crate::layout::{from_member, member};
use crate::reply;
use crate::script::{self, Request};
use crate::session::Draft;
use crate::store::Inner;

/// How old an entry without a session may be for somebody to be about to write it.
const FRESH: Duration = Duration::from_secs(10);
/// How long a fresh entry without a session is waited for, at most.
pub(super) const WAIT: Duration = Duration::from_secs(1);
/// How long until it is looked at again: at first, and at most.
const PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(16);

pub(crate) async fn admit(
    inner: &Inner,
    ending: Option<&SessionKey>,
    key: &SessionKey,
    draft: &Draft,
    limit: OwnerLimit,
    deadline: Instant,
) -> Result<AdmitOutcome, RedisStoreError> {
    let new = member(key);
    let Some(owner) = &draft.owner else {
        let outcome = match ending {
            Some(_) if is_live(inner, &new, deadline).await? => SetOutcome::Exists,
            Some(ending) => replace(inner, ending, key, draft, deadline).await?,
            None => set(inner, key, draft, Expect::Absent, deadline).await?,
        };
        return admitted(outcome, Vec::new());
    };
    let mut admission = Admission {
        inner,
        owner,
        limit,
        bound: draft.bound(),
        spared: ending.map(member),
        dead: Vec::new(),
        queues: true,
        turn: None,
        deadline,
    };
    let mut ending = ending;
    let mut ended = Vec::new();
    let mut changed = false;
    let mut looked = false;
    let mut entry = (new.clone(), nonce(inner, &new));
    for _ in 0..ATTEMPTS {
        let Some(victims) = admission.reserve(&entry).await? else {
            leave(inner, owner, &new, &entry.1, deadline).await;
            // What ended cannot be brought back, so "nothing was changed" would be wrong.
            return match changed {
                true => Err(crowded()),
                false => Ok(AdmitOutcome::Refused),
            };
        };
        // Others may wait for this entry from now on, so it must not wait for them.
        admission.queues = false;
        // Before anything ends: there is no way back.
        if !looked && (ending.is_some() || !victims.is_empty()) {
            looked = true;
            if is_live(inner, &new, deadline).await? {
                leave(inner, owner, &new, &entry.1, deadline).await;
                return Ok(AdmitOutcome::Exists);
            }
        }
        let mut sure = true;
        if let Some(ending) = ending.take() {
            sure = destroy(inner, ending, deadline).await?;
            changed |= sure;
            admission.spared = None;
        }
        if sure && !victims.is_empty() {
            let outcomes = bury(inner, owner, &victims, "ended", deadline).await?;
            for ((member, _), outcome) in victims.iter().zip(&outcomes) {
                sure &= outcome != b"absent";
                if outcome == b"ended" {
                    changed = true;
                    ended.extend(from_member(member.as_bytes()));
                }
            }
            remove(inner, owner, &victims, deadline).await?;
        }
        if !sure {
            continue;
        }
        let absent = Expect::Absent;
        match write(inner, &new, draft, absent, Some(&entry.1), None, deadline).await? {
            Written::Done(outcome) => {
                if !matches!(outcome, SetOutcome::Stored(_)) {
                    leave(inner, owner, &new, &entry.1, deadline).await;
                }
                return admitted(outcome, ended);
            }
            // Somebody else gave it up, or ended all sessions of the owner.
            Written::Buried { .. } | Written::NeedsEntry => {
                admission.dead.push(name(&entry));
                entry.1 = nonce(inner, &new);
            }
        }
    }
    Err(crowded())
}

/// What a sign-in asks the index of its owner.
struct Admission<'a> {
    inner: &'a Inner,
    owner: &'a Owner,
    limit: OwnerLimit,
    bound: Option<Timestamp>,
    /// The session that is going to end with it and does not count.
    spared: Option<String>,
    /// Entries that are dead for ever.
    dead: Vec<Vec<u8>>,
    /// Whether it waits for its turn before it waits for anything else.
    queues: bool,
    turn: Option<MutexGuard<'a, ()>>,
    deadline: Instant,
}

impl Admission<'_> {
    /// Whether others had theirs first, so that what was seen is old.
    async fn take_turn(&mut self) -> Result<bool, RedisStoreError> {
        let mut hasher = DefaultHasher::new();
        hasher.write(self.owner.as_str().as_bytes());
        let turns = &self.inner.turns;
        let turn = &turns[hasher.finish() as usize % turns.len()];
        if let Ok(turn) = turn.try_lock() {
            self.turn = Some(turn);
            return Ok(false);
        }
        let turn = timeout_at(self.deadline, turn.lock()).await;
        self.turn = Some(turn.map_err(|_| self.inner.patience.timed_out())?);
        Ok(true)
    }

    /// Makes an entry in the index, if there is room or room can be made: by ending those that it answers, before
    /// anything is written under the entry. `None`: there is no room.
    async fn reserve(&mut self, entry: &Entry) -> Result<Option<Vec<Entry>>, RedisStoreError> {
        let max = usize::try_from(self.limit.max.get()).unwrap_or(usize::MAX);
        let mut waited = HashMap::new();
        let mut pause = PAUSE;
        let mut known = Vec::new();
        let mut victims = Vec::new();
        loop {
            let others = match self.ask(entry, &known).await? {
                Asked::Full(others) => others,
                Asked::Entered { beside } => {
                    // Some may have left since they were looked at.
                    victims.truncate((beside + 1).saturating_sub(max));
                    return Ok(Some(victims));
                }
            };
            let mut look = self.look(others, &mut waited).await?;
            (known, victims) = (Vec::new(), Vec::new());
            let refuses = self.limit.when_reached == WhenReached::Refuse;
            if refuses && look.live.len() >= max {
                return Ok(None);
            }
            if look.live.len() + look.expected < max {
                continue;
            }
            if self.queues && self.turn.is_none() && self.take_turn().await? {
                continue;
            }
            if look.expected > 0 {
                if Instant::now() + pause >= self.deadline {
                    return Err(self.inner.patience.timed_out());
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
                continue;
            }
            look.live.sort();
            known = look.live.iter().map(|(_, entry)| name(entry)).collect();
            let too_many = look.live.len() + 1 - max;
            let oldest = look.live.into_iter().take(too_many);
            victims = oldest.map(|(_, entry)| entry).collect();
        }
    }

    /// One step: the dead leave the index, and the entry is made if there is room, or if all others in the index
    /// are `known`.
    async fn ask(&mut self, entry: &Entry, known: &[Vec<u8>]) -> Result<Asked, RedisStoreError> {
        let dead = std::mem::take(&mut self.dead);
        let request = self
            .inner
            .call(&script::RESERVE, &[self.inner.layout.index(self.owner)])
            .arg(name(entry))
            .moment(self.bound)
            .number(Some(self.limit.max.get().into()))
            .arg(self.spared.clone().unwrap_or_default())
            .arg(dead.len().to_string())
            .args(dead)
            .args(known);
        let answer = self.inner.run(&request, self.deadline).await?;
        let (outcome, rest) = reply::outcome(answer)?;
        match outcome.as_slice() {
            b"entered" => {
                let beside = reply::number(rest.into_iter().next().unwrap_or_default())?;
                let beside = usize::try_from(beside).unwrap_or(usize::MAX);
                Ok(Asked::Entered { beside })
            }
            b"full" => {
                let names: Result<Vec<_>, _> = rest.into_iter().map(reply::text).collect();
                let others = names?.iter().filter_map(|name| split(name)).collect();
                Ok(Asked::Full(others))
            }
            _ => Err(RedisStoreError::unexpected()),
        }
    }

    /// Looks the entries up. Those that are dead are noted, for the index to be told.
    async fn look(
        &mut self,
        entries: Vec<Entry>,
        waited: &mut HashMap<Vec<u8>, Instant>,
    ) -> Result<Look, RedisStoreError> {
        let inner = self.inner;
        let requests = entries
            .iter()
            .map(|(member, _)| Request::head(inner.layout.session(member)));
        let answers = inner
            .server
            .run_all(requests.collect(), self.deadline)
            .await?;
        let now = inner.clock.now();
        let patience = WAIT.min(inner.patience.operation / 4);
        let mut look = Look {
            live: Vec::new(),
            expected: 0,
        };
        let mut doubtful = Vec::new();
        for (entry, answer) in entries.into_iter().zip(answers) {
            let found = reply::text(answer).unwrap_or_default();
            match Life::of(&found, self.owner, &entry.1, now) {
                Life::Live { created_at } => look.live.push((created_at, entry)),
                Life::Expired => doubtful.push(entry),
                Life::Nothing => {
                    let since = *waited.entry(name(&entry)).or_insert_with(Instant::now);
                    match is_fresh(&entry.1, now) && since.elapsed() < patience {
                        true => look.expected += 1,
                        false => doubtful.push(entry),
                    }
                }
            }
        }
        if !doubtful.is_empty() {
            let outcomes = bury(inner, self.owner, &doubtful, "tidied", self.deadline).await?;
            for (entry, outcome) in doubtful.iter().zip(outcomes) {
                match outcome.as_slice() {
                    // Written meanwhile. The next look finds it.
                    b"live" => look.expected += 1,
                    _ => self.dead.push(name(entry)),
                }
            }
        }
        Ok(look)
    }
}

enum Asked {
    /// The entry is there now, beside so many that count.
    Entered { beside: usize },
    /// It is not. The entries that count.
    Full(Vec<Entry>),
}

struct Look {
    /// In the order in which they end.
    live: Vec<(Age, Entry)>,
    /// How many others may be about to be written.
    expected: usize,
}

/// When a session began.
type Age = Timestamp;

/// What became of the session of an entry.
pub(super) enum Life {
    Live { created_at: Age },
    Expired,
    Nothing,
}

impl Life {
    pub(super) fn of(stored: &[u8], owner: &Owner, nonce: &str, now: Timestamp) -> Self {
        Self::read(stored, owner, nonce, now).unwrap_or(Self::Nothing)
    }

    fn read(
        stored: &[u8],
        owner: &Owner,
        nonce: &str,
        now: Timestamp,
    ) -> Result<Self, RedisStoreError> {
        let head = Head::of(stored)?;
        if head.owner()? != Some(owner.as_str()) || head.entry()? != Some(nonce) {
            return Ok(Self::Nothing);
        }
        Ok(match head.expires_at()? {
            Some(end) if end <= now => Self::Expired,
            _ => Self::Live {
                created_at: head.created_at()?,
            },
        })
    }
}

/// Whether the entry was made so recently that its session may be on its way.
fn is_fresh(nonce: &str, now: Timestamp) -> bool {
    drawn_at(nonce).is_some_and(|at| now.since(at) < FRESH && at.since(now) < FRESH)
}

async fn is_live(inner: &Inner, member: &str, deadline: Instant) -> Result<bool, RedisStoreError> {
    let request = inner.call(&script::PEEK, &[inner.layout.session(member)]);
    let (live, _) = reply::outcome(inner.run(&request, deadline).await?)?;
    Ok(live == b"1")
}

fn admitted(outcome: SetOutcome, ended: Vec<SessionKey>) -> Result<AdmitOutcome, RedisStoreError> {
    match outcome {
        SetOutcome::Stored(version) => Ok(AdmitOutcome::Stored { version, ended }),
        SetOutcome::Exists => Ok(AdmitOutcome::Exists),
        _ => Err(RedisStoreError::unexpected()),
    }
}
