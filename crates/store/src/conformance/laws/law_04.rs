use super::NO_PEER;
use crate::conformance::race::{Racer, pause};
use crate::conformance::stage::{CROWD, Stage, key};
use crate::conformance::{Coverage, Harness, Payload, Violation};
use crate::{Expect, RotateOutcome, SetOutcome, Store};

/// Law 4: after `destroy` returned, no `touch`, `rotate` or `set` with `Present` or `Version` succeeds on that
/// key; also when they were called before it returned.
///
/// # Errors
/// The violation that was found.
pub async fn law_04_what_ended_stays_ended<S: Store<Payload>>(
    harness: &Harness<S>,
) -> Result<Coverage, Violation> {
    let stage = Stage::open(harness, 4).await;
    nothing_writes_after_an_end(&stage).await?;
    for round in 0..harness.rounds {
        for verb in [Verb::Present, Verb::Version, Verb::Touch] {
            destroy_races_a_write(&stage, round, verb).await?;
        }
        destroy_races_rotate(&stage, round).await?;
        destroy_races_replace(&stage, round).await?;
        one_of_many_ends_it(&stage, round).await?;
    }
    Ok(Coverage::full().unless(harness.peer.is_some(), NO_PEER))
}

async fn nothing_writes_after_an_end<S: Store<Payload>>(
    stage: &Stage<'_, S>,
) -> Result<(), Violation> {
    // A session ends under its key in three ways.
    for end in 0..3 {
        stage.scene("every write on a key whose session was destroyed, rotated away or replaced");
        let client = stage.client(1);
        let record = stage.full(1);
        let (from, other) = (stage.create(&record).await?, key());
        let ended = match end {
            0 => client.destroy(&from).await?,
            1 => matches!(
                client.rotate(&from, &other, record.times).await?,
                RotateOutcome::Moved { .. }
            ),
            _ => client.replace(&from, &other, record.clone()).await? == SetOutcome::Stored(1),
        };
        stage.check(ended, "a live session could not be ended")?;
        for client in [stage.client(1), stage.client(2)] {
            for expect in [Expect::Present, Expect::Version(1), Expect::Version(2)] {
                let outcome = client.set(&from, stage.full(2), expect).await?;
                stage.equal(outcome, SetOutcome::Gone, "set")?;
            }
            let touched = client.touch(&from, &record.times).await?;
            stage.equal(touched, false, "touch")?;
            let to = key();
            let rotated = client.rotate(&from, &to, record.times).await?;
            stage.equal(rotated, RotateOutcome::Gone, "rotate")?;
            stage.dead(client.get(&to).await?, "it came back under a new key")?;
            stage.dead(client.get(&from).await?, "it came back")?;
            stage.equal(client.destroy(&from).await?, false, "destroy again")?;
        }
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Verb {
    Present,
    Version,
    Touch,
}

async fn destroy_races_a_write<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    round: usize,
    verb: Verb,
) -> Result<(), Violation> {
    stage.scene("a session is destroyed while others write it");
    let start = stage.record(0);
    let key = stage.create(&start).await?;
    let mut racers: Vec<Racer<_>> = Vec::new();
    for number in 2..=4 {
        let client = stage.client(number);
        let record = stage.record(number as u64);
        racers.push(Box::pin(async move {
            let mut version = 1;
            for _ in 0..3 {
                pause((round + number) % 3).await;
                let expect = match verb {
                    Verb::Present => Expect::Present,
                    Verb::Version => Expect::Version(version),
                    Verb::Touch => {
                        client.touch(&key, &record.times).await?;
                        continue;
                    }
                };
                let outcome = client.set(&key, record.clone(), expect).await?;
                if let SetOutcome::Stored(found) | SetOutcome::Conflict(found) = outcome {
                    version = found;
                }
            }
            Ok(())
        }));
    }
    let destroyer = stage.client(1);
    racers.push(Box::pin(async move {
        pause(round % 7).await;
        destroyer.destroy(&key).await?;
        destroyer.get(&key).await?;
        Ok(())
    }));
    stage.race(round, racers).await?;
    for client in [stage.client(1), stage.client(2)] {
        stage.dead(
            client.get(&key).await?,
            "a destroyed session came back to life",
        )?;
    }
    stage.linearizable(&key)
}

async fn destroy_races_rotate<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    round: usize,
) -> Result<(), Violation> {
    stage.scene("a session is destroyed while it is rotated");
    let record = stage.record(0);
    let (from, to) = (stage.create(&record).await?, key());
    let (destroyer, rotator) = (stage.client(1), stage.client(2));
    let racers: Vec<Racer<_>> = vec![
        Box::pin(async move {
            pause(round % 5).await;
            Ok(destroyer.destroy(&from).await?)
        }),
        Box::pin(async move {
            let outcome = rotator.rotate(&from, &to, record.times).await?;
            Ok(matches!(outcome, RotateOutcome::Moved { .. }))
        }),
    ];
    let answers = stage.race(round, racers).await?;
    let (destroyed, moved) = (answers[0], answers[1]);
    stage.check(!(destroyed && moved), "it was both destroyed and moved")?;
    stage.check(destroyed || moved, "it was neither destroyed nor moved")?;
    let client = stage.client(1);
    stage.dead(client.get(&from).await?, "the old key is live")?;
    let live = client.get(&to).await?.is_some();
    stage.equal(live, moved, "whether the new key is live")
}

async fn destroy_races_replace<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    round: usize,
) -> Result<(), Violation> {
    stage.scene("both sessions of a replacement are destroyed meanwhile");
    let (from, to) = (stage.create(&stage.record(0)).await?, key());
    let (old, new, replacer) = (stage.client(1), stage.client(2), stage.client(3));
    let fresh = stage.record(1);
    let racers: Vec<Racer<_>> = vec![
        Box::pin(async move {
            pause(round % 4).await;
            Ok(old.destroy(&from).await?)
        }),
        Box::pin(async move {
            pause(round % 5).await;
            Ok(new.destroy(&to).await?)
        }),
        Box::pin(async move {
            let outcome = replacer.replace(&from, &to, fresh).await?;
            Ok(outcome == SetOutcome::Stored(1))
        }),
    ];
    let answers = stage.race(round, racers).await?;
    stage.check(answers[2], "a free key was refused")?;
    let client = stage.client(1);
    stage.dead(client.get(&from).await?, "the replaced session is live")?;
    let live = client.get(&to).await?.is_some();
    stage.equal(live, !answers[1], "whether the new session is live")
}

async fn one_of_many_ends_it<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    round: usize,
) -> Result<(), Violation> {
    stage.scene("many destroy one session at once");
    let key = stage.create(&stage.record(0)).await?;
    let racers = (1..=CROWD).map(|number| {
        let client = stage.client(number);
        Box::pin(async move { Ok(client.destroy(&key).await?) }) as Racer<_>
    });
    let answers = stage.race(round, racers.collect()).await?;
    let ended = answers.into_iter().filter(|ended| *ended).count();
    stage.equal(ended, 1, "how many ended it")?;
    stage.linearizable(&key)
}
