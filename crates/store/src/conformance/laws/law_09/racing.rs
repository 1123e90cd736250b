use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::owned;
use crate::conformance::race::{Racer, pause};
use crate::conformance::stage::{Stage, key, owner};
use crate::conformance::{Payload, Violation};
use crate::{Expect, RotateOutcome, SessionKey, SetOutcome, Store};

/// What one racer found.
enum Found {
    Login(SessionKey),
    Count(u64),
}

/// What was live before a listing began and is still live must be in it; what had ended before must not.
pub(super) async fn listing_races_logins_and_ends<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    round: usize,
) -> Result<(), Violation> {
    stage.scene("an owner's sessions are listed while others begin and end");
    let name = format!("lister {round}");
    let owner = owner(&name);
    let (stays, ended) = (
        stage.create(&owned(stage, 1, &name)).await?,
        stage.create(&owned(stage, 2, &name)).await?,
    );
    stage.equal(stage.client(1).destroy(&ended).await?, true, "destroy")?;
    let mut racers: Vec<Racer<_>> = Vec::new();
    for number in 1..=3 {
        let (client, lister) = (stage.client(number), stage.client(number + 1));
        let (record, owner, log) = (
            owned(stage, number as u64, &name),
            owner.clone(),
            stage.log.clone(),
        );
        racers.push(Box::pin(async move {
            pause((round + number) % 4).await;
            let key = key();
            let created = client.set(&key, record, Expect::Absent).await?;
            if created != SetOutcome::Stored(1) {
                return Err(log.violation("a new session was refused"));
            }
            for live in [true, false] {
                let list = lister.list_by_owner(&owner).await?;
                let times = |wanted| list.iter().filter(|entry| entry.key == wanted).count();
                let right = times(key) == usize::from(live) && times(stays) == 1;
                if !right || times(ended) != 0 {
                    return Err(log.violation(
                        "a listing missed a session that had begun, or shows one that had ended",
                    ));
                }
                if live {
                    client.destroy(&key).await?;
                }
            }
            Ok(())
        }));
    }
    stage.race(round, racers).await?;
    Ok(())
}

/// A session that is rotated again and again is live all the time. Where a rotation is one step, each listing
/// shows it once; elsewhere it may be missed between its two keys. What had died before a listing began is in none.
pub(super) async fn listing_races_rotations<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    round: usize,
) -> Result<(), Violation> {
    const ROTATIONS: usize = 8;
    const LISTINGS: usize = 100;
    stage.scene("an owner's sessions are listed while one is rotated again and again");
    let name = format!("rotated {round}");
    let owner = owner(&name);
    let stays = stage.create(&owned(stage, 1, &name)).await?;
    let record = owned(stage, 2, &name);
    let first = stage.create(&record).await?;
    let strict = stage.harness.rotates_in_one_step;
    // The keys that are dead for sure, and whether that is all.
    let progress = Arc::new(Mutex::new((Vec::new(), false)));
    let mut racers: Vec<Racer<_>> = Vec::new();
    let (rotator, rotated) = (stage.client(1), Arc::clone(&progress));
    let log = stage.log.clone();
    racers.push(Box::pin(async move {
        let mut from = first;
        for number in 0..ROTATIONS {
            pause((round + number) % 3).await;
            let to = key();
            let answer = rotator.rotate(&from, &to, record.times).await?;
            if !matches!(answer, RotateOutcome::Moved { .. }) {
                return Err(log.violation("a live session was not moved"));
            }
            locked(&rotated).0.push(from);
            from = to;
        }
        locked(&rotated).1 = true;
        Ok(())
    }));
    for number in 2..=3 {
        let (lister, owner, log) = (stage.client(number), owner.clone(), stage.log.clone());
        let progress = Arc::clone(&progress);
        racers.push(Box::pin(async move {
            for _ in 0..LISTINGS {
                let (dead, done) = locked(&progress).clone();
                let list = lister.list_by_owner(&owner).await?;
                let stayed = list.iter().filter(|entry| entry.key == stays).count();
                let moving = list.len() - stayed;
                if stayed != 1 || (strict && moving != 1) {
                    return Err(log.violation("a listing does not show each live session once"));
                }
                if list.iter().any(|entry| dead.contains(&entry.key)) {
                    return Err(log.violation("a listing shows a session that had ended"));
                }
                if done {
                    break;
                }
                pause(1).await;
            }
            Ok(())
        }));
    }
    stage.race(round, racers).await?;
    Ok(())
}

fn locked<V>(mutex: &Mutex<V>) -> MutexGuard<'_, V> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) async fn signing_out_races_logins<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    round: usize,
) -> Result<(), Violation> {
    stage.scene("an owner is signed out everywhere while signing in");
    let name = format!("everywhere {round}");
    let owner = owner(&name);
    let mut before = Vec::new();
    for number in 0..3 {
        before.push(stage.create(&owned(stage, number, &name)).await?);
    }
    let mut racers: Vec<Racer<_>> = Vec::new();
    for number in 1..=4 {
        let client = stage.client(number);
        let (record, log) = (owned(stage, number as u64, &name), stage.log.clone());
        racers.push(Box::pin(async move {
            pause((round + number) % 5).await;
            let key = key();
            let created = client.set(&key, record, Expect::Absent).await?;
            if created != SetOutcome::Stored(1) {
                return Err(log.violation("a new session was refused"));
            }
            Ok(Found::Login(key))
        }));
    }
    let client = stage.client(2);
    let everywhere = owner.clone();
    racers.push(Box::pin(async move {
        let ended = client.destroy_by_owner(&everywhere, &[]).await?;
        Ok(Found::Count(ended))
    }));
    let answers = stage.race(round, racers).await?;

    let client = stage.client(1);
    for key in &before {
        let found = client.get(key).await?;
        stage.dead(found, "a session from before the sign-out is live")?;
    }
    let (mut live, mut logins, mut ended) = (Vec::new(), 0, 0);
    for answer in answers {
        match answer {
            Found::Count(count) => ended = count,
            Found::Login(key) => {
                logins += 1;
                if client.get(&key).await?.is_some() {
                    live.push(key);
                }
            }
        }
    }
    let list = client.list_by_owner(&owner).await?;
    let mut listed: Vec<_> = list.iter().map(|entry| entry.key).collect();
    listed.sort();
    live.sort();
    let missing = before.len() + logins - live.len();
    stage.equal(listed, live, "the list, against what `get` finds live")?;
    stage.equal(ended, missing as u64, "how many were ended")
}

pub(super) async fn signing_out_races_writes<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    round: usize,
) -> Result<(), Violation> {
    stage.scene("an owner is signed out everywhere while the sessions are written");
    let name = format!("written {round}");
    let owner = owner(&name);
    let mut keys = Vec::new();
    for number in 0..3 {
        keys.push(stage.create(&owned(stage, number, &name)).await?);
    }
    let mut racers: Vec<Racer<_>> = Vec::new();
    for (number, key) in (1..).zip(keys.clone()) {
        let client = stage.client(number);
        let record = owned(stage, number as u64, &name);
        racers.push(Box::pin(async move {
            for _ in 0..3 {
                pause((round + number) % 3).await;
                let write = client.set(&key, record.clone(), Expect::Present).await?;
                client.touch(&key, &record.times).await?;
                if write == SetOutcome::Gone {
                    break;
                }
            }
            Ok(0)
        }));
    }
    let client = stage.client(2);
    let everywhere = owner.clone();
    racers.push(Box::pin(async move {
        pause(round % 6).await;
        Ok(client.destroy_by_owner(&everywhere, &[]).await?)
    }));
    let ended: u64 = stage.race(round, racers).await?.into_iter().sum();
    stage.equal(ended, 3, "how many were ended")?;
    for key in &keys {
        let found = stage.client(1).get(key).await?;
        stage.dead(found, "a session from before the sign-out is live")?;
    }
    let list = stage.client(1).list_by_owner(&owner).await?;
    stage.check(list.is_empty(), "an ended session is listed")
}
