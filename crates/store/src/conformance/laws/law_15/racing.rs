use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use super::super::law_05::count_up;
use super::{later, leads, renewed};
use crate::conformance::payload::number;
use crate::conformance::race::{Racer, pause};
use crate::conformance::stage::{CROWD, Stage, key, owner};
use crate::conformance::{Payload, Violation};
use crate::{RotateOutcome, SessionKey, Store, Trail};

pub(super) async fn cut_off<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    polls: usize,
) -> Result<(), Violation> {
    stage.scene("a renewal is cut off before it answers");
    let record = stage.record(1);
    let (from, to) = (stage.create(&record).await?, key());
    let client = stage.client(1);
    {
        let mut renewal = pin!(client.renew(&from, &to, record.times, later(stage)));
        let mut left = polls;
        poll_fn(|context| {
            if left == 0 {
                return Poll::Ready(());
            }
            left -= 1;
            renewal.as_mut().poll(context).map(|_| ())
        })
        .await;
    }
    // The new key is read first: it cannot have become live between, because the old one then died.
    let new = client.get(&to).await?.is_some();
    let old = client.get(&from).await?.is_some();
    stage.check(!(old && new), "both keys are live")?;
    let trail = client.follow(&from).await?;
    stage.check(
        old || trail.is_some(),
        "the old key is dead without a trail",
    )
}

pub(super) async fn one_of_many_wins<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    round: usize,
) -> Result<(), Violation> {
    stage.scene("many renew one session at once, each to a key of its own");
    let record = stage.record(1);
    let from = stage.create(&record).await?;
    let keys: Vec<SessionKey> = (0..CROWD).map(|_| key()).collect();
    let ends_at = later(stage);
    let racers = (1..).zip(&keys).map(|(number, to)| {
        let (client, to) = (stage.client(number), *to);
        Box::pin(async move { Ok(client.renew(&from, &to, record.times, ends_at).await?) })
            as Racer<_>
    });
    let answers = stage.race(round, racers.collect()).await?;
    let client = stage.client(1);
    stage.dead(client.get(&from).await?, "the old key is live")?;
    let mut winners = Vec::new();
    for (to, answer) in keys.iter().zip(answers) {
        let won = matches!(answer, RotateOutcome::Moved { .. });
        let live = client.get(to).await?.is_some();
        stage.equal(live, won, "whether a new key is live")?;
        winners.extend(won.then_some(*to));
        stage.check(
            won || answer == RotateOutcome::Gone,
            "a losing renewal did not answer `Gone`",
        )?;
    }
    stage.equal(winners.len(), 1, "how many won")?;
    let trail = Trail::new(winners[0], record.times.renewed_at);
    leads(stage, &from, Some(trail)).await
}

/// As the engine does it, whose next id follows from the one before.
pub(super) async fn one_of_many_wins_the_same_key<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    round: usize,
) -> Result<(), Violation> {
    stage.scene("many renew one session at once, all to the same key");
    let mut record = stage.record(1);
    record.owner = Some(owner("Grace Hopper"));
    let (from, to) = (stage.create(&record).await?, key());
    let ends_at = later(stage);
    let racers = (1..=CROWD).map(|number| {
        let client = stage.client(number);
        Box::pin(async move { Ok(client.renew(&from, &to, record.times, ends_at).await?) })
            as Racer<_>
    });
    let answers = stage.race(round, racers.collect()).await?;
    let moved = |answer: &&RotateOutcome| matches!(answer, RotateOutcome::Moved { .. });
    stage.equal(answers.iter().filter(moved).count(), 1, "how many won")?;
    let client = stage.client(1);
    stage.dead(client.get(&from).await?, "the old key is live")?;
    let found = client.get(&to).await?;
    stage.check(found.is_some(), "the session that was moved is not there")?;
    let trail = Trail::new(to, record.times.renewed_at);
    leads(stage, &from, Some(trail)).await?;
    client.destroy(&to).await?;
    stage.dead(client.get(&to).await?, "it was ended")
}

pub(super) async fn nobody_finds_neither<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    round: usize,
) -> Result<(), Violation> {
    stage.scene("requests bring the old id of a session while it is renewed");
    let strict = stage.harness.rotates_in_one_step;
    let record = stage.record(1);
    let (from, to) = (stage.create(&record).await?, key());
    let ends_at = later(stage);
    let (renewer, both) = (stage.client(1), stage.client(2));
    let mut racers: Vec<Racer<_>> = vec![
        Box::pin(async move {
            pause(round % 4).await;
            let answer = renewer.renew(&from, &to, record.times, ends_at).await?;
            Ok(matches!(answer, RotateOutcome::Moved { .. })
                .then_some("")
                .ok_or("a live session was not moved"))
        }),
        Box::pin(async move {
            for _ in 0..6 {
                let new = both.get(&to).await?.is_some();
                let old = both.get(&from).await?.is_some();
                if new && old {
                    return Ok(Err("both keys were live at one moment"));
                }
                pause(1).await;
            }
            Ok(Ok(""))
        }),
    ];
    for reader in 2..=4 {
        let client = stage.client(reader);
        racers.push(Box::pin(async move {
            for _ in 0..6 {
                if client.get(&from).await?.is_none() {
                    let Some(trail) = client.follow(&from).await? else {
                        return Ok(Err("the old key was found dead, and no trail"));
                    };
                    if trail.to != to {
                        return Ok(Err("the trail leads elsewhere"));
                    }
                    if strict && client.get(&to).await?.is_none() {
                        return Ok(Err("the trail led to a dead key"));
                    }
                }
                pause(1).await;
            }
            Ok(Ok(""))
        }));
    }
    for answer in stage.race(round, racers).await? {
        answer.map_err(|what| stage.violation(what))?;
    }
    Ok(())
}

pub(super) async fn no_update_is_lost<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    round: usize,
) -> Result<(), Violation> {
    stage.scene("a session is renewed while another client counts up in it");
    let start = stage.record(0);
    let (from, to) = (stage.create(&start).await?, key());
    let ends_at = later(stage);
    let (writer, renewer) = (stage.client(1), stage.client(2));
    let racers: Vec<Racer<_>> = vec![
        Box::pin(count_up(writer, from, 6)),
        Box::pin(async move {
            pause(round % 9).await;
            match renewer.renew(&from, &to, start.times, ends_at).await? {
                RotateOutcome::Moved { found, version } => Ok((found, version)),
                _ => Ok((0, 0)),
            }
        }),
    ];
    let answers = stage.race(round, racers).await?;
    let ((counted, last), (found, version)) = (answers[0], answers[1]);
    stage.equal(found, last, "the version that was moved (0 for none)")?;
    let Some(record) = stage.client(1).get(&to).await? else {
        return Err(stage.violation("the session is under no key any more"));
    };
    stage.equal(record.version, version, "its version")?;
    let kept = number(&record.data);
    stage.equal(kept, Some(counted), "the last acknowledged count")
}

/// A sign-out brings the old id while another request renews: it ends the session under the old key, or finds
/// the trail and ends it under the new one. Where moving takes more than one step the new key may come to life a
/// moment after the trail was found, so there it is ended when the renewal has answered.
pub(super) async fn what_is_ended_stays_ended<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    round: usize,
) -> Result<(), Violation> {
    stage.scene("a session is ended under its old key while it is renewed");
    let strict = stage.harness.rotates_in_one_step;
    let record = stage.full(1);
    let (from, to) = (stage.create(&record).await?, key());
    let (times, ends_at) = (renewed(stage, &record), later(stage));
    let (renewer, ender) = (stage.client(1), stage.client(2));
    let racers: Vec<Racer<_>> = vec![
        Box::pin(async move {
            pause(round % 3).await;
            let answer = renewer.renew(&from, &to, times, ends_at).await?;
            Ok((matches!(answer, RotateOutcome::Moved { .. }), true))
        }),
        Box::pin(async move {
            pause(round / 3 % 3).await;
            if ender.destroy(&from).await? {
                return Ok((true, true));
            }
            match ender.follow(&from).await? {
                Some(trail) if strict => Ok((false, ender.destroy(&trail.to).await?)),
                trail => Ok((false, trail.is_some())),
            }
        }),
    ];
    let answers = stage.race(round, racers).await?;
    let ((moved, _), (ended_first, found)) = (answers[0], answers[1]);
    stage.check(found, "a session was neither ended nor found by its trail")?;
    stage.equal(moved, !ended_first, "whether the session was moved")?;
    let client = stage.client(1);
    if ended_first {
        leads(stage, &from, None).await?;
    } else if !strict {
        stage.equal(client.destroy(&to).await?, true, "destroy")?;
    }
    for key in [from, to] {
        stage.dead(client.get(&key).await?, "an ended session is live")?;
    }
    Ok(())
}

pub(super) async fn an_owner_is_signed_out<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    round: usize,
) -> Result<(), Violation> {
    if !stage.enumerates() {
        return Ok(());
    }
    stage.scene("an owner is signed out everywhere while the sessions are renewed");
    let owner = owner(&format!("renewing {round}"));
    let ends_at = later(stage);
    let mut racers: Vec<Racer<_>> = Vec::new();
    for number in 1..=3 {
        let mut record = stage.record(number as u64);
        record.owner = Some(owner.clone());
        let mut at = stage.create(&record).await?;
        let client = stage.client(number);
        racers.push(Box::pin(async move {
            let mut keys = vec![at];
            for turn in 0..4 {
                pause((round + number + turn) % 3).await;
                let to = key();
                let answer = client.renew(&at, &to, record.times, ends_at).await?;
                if !matches!(answer, RotateOutcome::Moved { .. }) {
                    break;
                }
                keys.push(to);
                at = to;
            }
            Ok((keys, 0))
        }));
    }
    let (client, everywhere) = (stage.client(2), owner.clone());
    racers.push(Box::pin(async move {
        pause(round % 5).await;
        let ended = client.destroy_by_owner(&everywhere, &[]).await?;
        Ok((Vec::new(), ended))
    }));
    let mut ended = 0;
    for (keys, count) in stage.race(round, racers).await? {
        ended += count;
        for key in keys {
            let found = stage.client(1).get(&key).await?;
            stage.dead(found, "a session from before the sign-out is live")?;
        }
    }
    if stage.harness.rotates_in_one_step {
        stage.equal(ended, 3, "how many were ended")?;
    } else {
        // One that is ended between its two keys is live under neither, so it need not be counted.
        stage.check(ended <= 3, "more were ended than there were")?;
    }
    let listed = stage.client(1).list_by_owner(&owner).await?;
    stage.check(listed.is_empty(), "an ended session is listed")
}
