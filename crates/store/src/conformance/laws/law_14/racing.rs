use super::{admit, aged, live, refuse, sessions};
use crate::conformance::race::{Racer, pause};
use crate::conformance::stage::{CROWD, DAY, Stage, key, owner};
use crate::conformance::{Payload, Violation};
use crate::{AdmitOutcome, OwnerLimit, RotateOutcome, SessionKey, Store, WhenReached};

/// More at once than any limit that the suite sets.
const SIGN_INS: usize = 64;

/// What one racer found.
#[derive(Debug)]
enum Found {
    Admitted(SessionKey, AdmitOutcome),
    Under(SessionKey),
    Count(u64),
    Most(usize),
}

/// An owner's racer who signs in once, under that key.
fn sign_in<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    number: usize,
    name: &str,
    turns: usize,
    (ending, key): (Option<SessionKey>, SessionKey),
    limit: OwnerLimit,
) -> Racer<Result<Found, Violation>> {
    let client = stage.client(number);
    // All within one moment, as it is when they meet.
    let record = aged(stage, number as u64, name, 0);
    Box::pin(async move {
        pause(turns).await;
        let outcome = client.admit(ending.as_ref(), &key, record, limit).await?;
        Ok(Found::Admitted(key, outcome))
    })
}

pub(super) async fn a_crowd_signs_in<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    round: usize,
    limit: OwnerLimit,
) -> Result<(), Violation> {
    stage.scene("64 sign in as one owner at once");
    let name = format!("crowd {round} {:?}", limit.when_reached);
    let before = sessions(stage, &name, 2).await?;
    let others = sessions(stage, &format!("{name}'s friend"), 2).await?;
    let racers = (1..=SIGN_INS).map(|number| {
        let keys = (None, key());
        sign_in(stage, number, &name, number % 3, keys, limit)
    });
    let answers = stage.race(round, racers.collect()).await?;

    let (mut stored, mut refused, mut ended) = (Vec::new(), 0, Vec::new());
    for answer in answers {
        match answer {
            Found::Admitted(key, AdmitOutcome::Stored { ended: these, .. }) => {
                stored.push(key);
                ended.extend(these);
            }
            Found::Admitted(key, AdmitOutcome::Refused) => {
                refused += 1;
                let found = stage.client(1).get(&key).await?;
                stage.dead(found, "a refused session is there")?;
            }
            answer => return Err(stage.violation(format!("admit: {answer:?}"))),
        }
    }
    let all: Vec<SessionKey> = before.iter().chain(&stored).copied().collect();
    let alive = live(stage, &all).await?;
    let max = limit.max.get() as usize;
    stage.equal(alive.len(), max, "how many sessions are live")?;
    if limit.when_reached == WhenReached::Refuse {
        stage.equal(stored.len(), max - before.len(), "how many were stored")?;
        stage.check(ended.is_empty(), "a session was ended")?;
    } else {
        stage.equal(refused, 0, "how many were refused")?;
        let ended_or_live = ended.len() + alive.len();
        stage.equal(ended_or_live, all.len(), "each ended once or lives: they")?;
        let both = ended.iter().any(|key| alive.contains(key));
        stage.check(!both, "a session is live that was told to have ended")?;
    }
    let found = live(stage, &others).await?;
    stage.equal(found, others, "another owner's live sessions")
}

/// What is found live twice in a row was live between: so it is never too many that the limit is passed by.
pub(super) async fn never_more_than_the_limit<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    round: usize,
) -> Result<(), Violation> {
    stage.scene("an owner's live sessions are counted while many sign in");
    let name = format!("counted {round}");
    let before = sessions(stage, &name, 2).await?;
    let keys: Vec<SessionKey> = (0..CROWD).map(|_| key()).collect();
    let limit = super::end_oldest(2);
    let mut racers: Vec<_> = (1..)
        .zip(&keys)
        .map(|(number, key)| sign_in(stage, number, &name, number % 5, (None, *key), limit))
        .collect();
    let watcher = stage.client(2);
    let all: Vec<SessionKey> = before.into_iter().chain(keys).collect();
    racers.push(Box::pin(async move {
        let mut most = 0;
        for _ in 0..4 {
            let mut live = Vec::new();
            for key in &all {
                if watcher.get(key).await?.is_some() {
                    live.push(*key);
                }
            }
            let mut still = 0;
            for key in &live {
                still += usize::from(watcher.get(key).await?.is_some());
            }
            most = most.max(still);
            pause(1).await;
        }
        Ok(Found::Most(most))
    }));
    for answer in stage.race(round, racers).await? {
        match answer {
            Found::Admitted(_, AdmitOutcome::Stored { .. }) => {}
            Found::Most(most) => stage.check(most <= 2, "more were live than allowed")?,
            answer => return Err(stage.violation(format!("admit: {answer:?}"))),
        }
    }
    Ok(())
}

/// Only one of them makes room.
pub(super) async fn one_place_for_many<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    round: usize,
) -> Result<(), Violation> {
    stage.scene("many sign in at once over the same session, with no room besides");
    let name = format!("over {round}");
    let before = sessions(stage, &name, 2).await?;
    let racers = (1..=CROWD).map(|number| {
        let keys = (Some(before[1]), key());
        sign_in(stage, number, &name, (round + number) % 3, keys, refuse(2))
    });
    let mut keys = vec![before[0], before[1]];
    let mut stored = 0;
    for answer in stage.race(round, racers.collect()).await? {
        if let Found::Admitted(key, outcome) = answer {
            stored += usize::from(matches!(outcome, AdmitOutcome::Stored { .. }));
            keys.push(key);
        }
    }
    stage.equal(stored, 1, "how many were stored")?;
    stage.equal(live(stage, &keys).await?.len(), 2, "how many are live")?;
    let found = stage.client(1).get(&before[1]).await?;
    stage.dead(found, "what was ending is live")
}

/// A session that moves is counted all the time. Where a store cannot move in one step it may be missing for a
/// moment, but must not come on top afterwards.
pub(super) async fn admitting_races_rotations<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    round: usize,
    limit: OwnerLimit,
) -> Result<(), Violation> {
    stage.scene("an owner signs in while the sessions are rotated and renewed");
    let refuses = limit.when_reached == WhenReached::Refuse;
    let strict = stage.harness.rotates_in_one_step;
    let name = format!("rotated {round} {:?}", limit.when_reached);
    let before = sessions(stage, &name, 3).await?;
    let mut racers: Vec<Racer<_>> = Vec::new();
    for (number, from) in (1..).zip(before) {
        let client = stage.client(number);
        let renews = stage.renews() && number != 1;
        let times = aged(stage, 0, &name, 4 - number as u32).times;
        let trail_ends_at = stage.now().plus(DAY);
        racers.push(Box::pin(async move {
            let mut at = from;
            for turn in 0..3 {
                pause((round + number + turn) % 3).await;
                let to = key();
                let moved = match renews {
                    true => client.renew(&at, &to, times, trail_ends_at).await?,
                    false => client.rotate(&at, &to, times).await?,
                };
                match moved {
                    RotateOutcome::Moved { .. } => at = to,
                    _ => break,
                }
            }
            Ok(Found::Under(at))
        }));
    }
    for number in 1..=4 {
        let turns = (round + number) % 4;
        racers.push(sign_in(stage, number, &name, turns, (None, key()), limit));
    }
    let mut keys = Vec::new();
    for answer in stage.race(round, racers).await? {
        match answer {
            Found::Admitted(key, AdmitOutcome::Stored { .. }) => {
                let room = !(refuses && strict);
                stage.check(room, "a session was admitted although there was no room")?;
                keys.push(key);
            }
            Found::Under(key) => keys.push(key),
            Found::Admitted(_, AdmitOutcome::Refused) if refuses => {}
            answer => return Err(stage.violation(format!("admit: {answer:?}"))),
        }
    }
    let alive = live(stage, &keys).await?.len();
    stage.check(alive <= 3, "more are live than allowed")?;
    if strict {
        stage.equal(alive, 3, "how many are live")?;
    }
    // What is counted is what is live: there is room for exactly the rest.
    for _ in alive..3 {
        admit(stage, None, &aged(stage, 9, &name, 0), refuse(3)).await?;
    }
    super::is_refused(stage, None, &aged(stage, 9, &name, 0), refuse(3)).await
}

pub(super) async fn admitting_races_signing_out<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    round: usize,
) -> Result<(), Violation> {
    stage.scene("an owner is signed out everywhere while signing in up to the limit");
    let name = format!("out {round}");
    let before = sessions(stage, &name, 3).await?;
    let mut racers: Vec<_> = (1..=6)
        .map(|number| {
            let turns = (round + number) % 5;
            sign_in(stage, number, &name, turns, (None, key()), refuse(3))
        })
        .collect();
    let (client, everywhere) = (stage.client(2), owner(&name));
    racers.push(Box::pin(async move {
        pause(round % 3).await;
        let ended = client.destroy_by_owner(&everywhere, &[]).await?;
        Ok(Found::Count(ended))
    }));
    let mut keys = before.clone();
    let (mut stored, mut ended) = (0, 0);
    for answer in stage.race(round, racers).await? {
        match answer {
            Found::Admitted(key, AdmitOutcome::Stored { .. }) => {
                stored += 1;
                keys.push(key);
            }
            Found::Admitted(_, AdmitOutcome::Refused) => {}
            Found::Count(count) => ended = count,
            answer => return Err(stage.violation(format!("admit: {answer:?}"))),
        }
    }
    let old = live(stage, &before).await?;
    stage.check(old.is_empty(), "a session from before the sign-out is live")?;
    let alive = live(stage, &keys).await?.len();
    stage.check(alive <= 3, "more are live than allowed")?;
    let missing = before.len() + stored - alive;
    stage.equal(ended, missing as u64, "how many were ended")
}
