use std::sync::Arc;

use super::NO_PEER;
use crate::conformance::payload::{number, numbered};
use crate::conformance::race::{Racer, pause};
use crate::conformance::stage::{CROWD, Stage, key};
use crate::conformance::{Coverage, Harness, Payload, Violation};
use crate::{Expect, Record, SessionKey, SetOutcome, Store};

/// Law 3: `Absent` succeeds only where no live record is, `Present` only where one is, `Version` only on that
/// version; of two concurrent sets with one expectation exactly one wins.
///
/// # Errors
/// The violation that was found.
pub async fn law_03_sets_keep_to_what_they_expect<S: Store<Payload>>(
    harness: &Harness<S>,
) -> Result<Coverage, Violation> {
    let stage = Stage::open(harness, 3).await;
    one_after_the_other(&stage).await?;
    replace_needs_a_free_key(&stage).await?;
    for round in 0..harness.rounds {
        stage.scene("many create a session under one key at once");
        let key = key();
        let outcomes = crowd(&stage, round, key, Expect::Absent).await?;
        one_wins(&stage, &outcomes, SetOutcome::Stored(1), SetOutcome::Exists)?;
        stage.linearizable(&key)?;

        stage.scene("many overwrite one version at once");
        let key = stage.create(&stage.record(0)).await?;
        let outcomes = crowd(&stage, round, key, Expect::Version(1)).await?;
        let lost = SetOutcome::Conflict(2);
        one_wins(&stage, &outcomes, SetOutcome::Stored(2), lost)?;
        stage.linearizable(&key)?;

        every_write_counts(&stage, round).await?;
        what_lives_is_never_gone(&stage, round).await?;
        no_increment_is_lost(&stage, round).await?;
    }
    Ok(Coverage::full().unless(harness.peer.is_some(), NO_PEER))
}

async fn one_after_the_other<S: Store<Payload>>(stage: &Stage<'_, S>) -> Result<(), Violation> {
    stage.scene("each expectation on an absent, a live and a destroyed session");
    let client = stage.client(1);
    let key = key();
    let steps = [
        (Expect::Present, SetOutcome::Gone),
        (Expect::Version(1), SetOutcome::Gone),
        (Expect::Absent, SetOutcome::Stored(1)),
        (Expect::Absent, SetOutcome::Exists),
        (Expect::Present, SetOutcome::Stored(2)),
        (Expect::Version(1), SetOutcome::Conflict(2)),
        (Expect::Version(3), SetOutcome::Conflict(2)),
        (Expect::Version(0), SetOutcome::Conflict(2)),
        (Expect::Version(u64::MAX), SetOutcome::Conflict(2)),
        (Expect::Version(2), SetOutcome::Stored(3)),
        (Expect::Present, SetOutcome::Stored(4)),
    ];
    let mut last = None;
    for (number, (expect, right)) in (1..).zip(steps) {
        let mut record = stage.record(number);
        // What a writer puts here is ignored.
        record.version = 77;
        let outcome = client.set(&key, record.clone(), expect).await?;
        stage.equal(outcome, right, "set")?;
        if let SetOutcome::Stored(version) = outcome {
            last = Some((record, version));
        }
        match &last {
            Some((record, version)) => stage.same(client.get(&key).await?, record, *version)?,
            None => stage.dead(client.get(&key).await?, "a refused write made a session")?,
        }
    }
    stage.equal(client.destroy(&key).await?, true, "destroy")?;
    let steps = [
        (Expect::Present, SetOutcome::Gone),
        (Expect::Version(4), SetOutcome::Gone),
        (Expect::Absent, SetOutcome::Stored(1)),
    ];
    for (expect, right) in steps {
        let outcome = client.set(&key, stage.record(9), expect).await?;
        stage.equal(outcome, right, "set after destroy")?;
    }
    Ok(())
}

async fn replace_needs_a_free_key<S: Store<Payload>>(
    stage: &Stage<'_, S>,
) -> Result<(), Violation> {
    stage.scene("replace by a new session: under a free key, under a taken one");
    let client = stage.client(1);
    let fresh = stage.full(2);
    for from in [stage.create(&stage.full(1)).await?, key()] {
        let to = key();
        let outcome = client.replace(&from, &to, fresh.clone()).await?;
        stage.equal(outcome, SetOutcome::Stored(1), "replace")?;
        stage.same(client.get(&to).await?, &fresh, 1)?;
        stage.dead(client.get(&from).await?, "the replaced session is live")?;
    }
    let taken = stage.full(3);
    let to = stage.create(&taken).await?;
    // Whether the old session is dead now is left to the store.
    for from in [stage.create(&stage.full(4)).await?, key()] {
        let outcome = client.replace(&from, &to, fresh.clone()).await?;
        stage.equal(outcome, SetOutcome::Exists, "replace by a taken key")?;
        stage.same(client.get(&to).await?, &taken, 1)?;
    }
    Ok(())
}

async fn crowd<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    round: usize,
    key: SessionKey,
    expect: Expect,
) -> Result<Vec<SetOutcome>, Violation> {
    let racers = (1..=CROWD).map(|number| {
        let client = stage.client(number);
        let record = stage.record(number as u64);
        Box::pin(async move {
            let outcome = client.set(&key, record, expect).await?;
            client.get(&key).await?;
            Ok(outcome)
        }) as Racer<_>
    });
    stage.race(round, racers.collect()).await
}

fn one_wins<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    outcomes: &[SetOutcome],
    won: SetOutcome,
    lost: SetOutcome,
) -> Result<(), Violation> {
    let count = |wanted| {
        outcomes
            .iter()
            .filter(|outcome| **outcome == wanted)
            .count()
    };
    stage.equal(count(won), 1, "how many won")?;
    let what = format!("how many answered {lost:?}");
    stage.equal(count(lost), outcomes.len() - 1, &what)
}

async fn every_write_counts<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    round: usize,
) -> Result<(), Violation> {
    stage.scene("many overwrite whatever version there is at once");
    let key = stage.create(&stage.record(0)).await?;
    let outcomes = crowd(stage, round, key, Expect::Present).await?;
    for version in 2..=CROWD as u64 + 1 {
        let what = format!("no write, or several, made version {version}");
        let wrote = |outcome: &&SetOutcome| **outcome == SetOutcome::Stored(version);
        stage.check(outcomes.iter().filter(wrote).count() == 1, &what)?;
    }
    stage.linearizable(&key)
}

/// Whoever refuses a write in one step and looks for the reason in another may find there the very version that was
/// expected.
async fn what_lives_is_never_gone<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    round: usize,
) -> Result<(), Violation> {
    stage.scene("some expect the version that another client is just making");
    const WRITES: u64 = 12;
    let key = stage.create(&stage.record(0)).await?;
    let writer = stage.client(1);
    let record = stage.record(1);
    let mut racers: Vec<Racer<_>> = vec![Box::pin(async move {
        for _ in 0..WRITES {
            pause(1).await;
            // Its answer is judged with the others below.
            let _ = writer.set(&key, record.clone(), Expect::Present).await?;
        }
        Ok(())
    })];
    for number in 2..=4 {
        let client = stage.client(number);
        let record = stage.record(number as u64);
        racers.push(Box::pin(async move {
            let mut seen = 1;
            for step in 0..WRITES as usize {
                pause((number + step) % 3).await;
                let expect = Expect::Version(seen + 1);
                let outcome = client.set(&key, record.clone(), expect).await?;
                if let SetOutcome::Stored(version) | SetOutcome::Conflict(version) = outcome {
                    seen = version;
                }
            }
            Ok(())
        }));
    }
    stage.race(round, racers).await?;
    stage.linearizable(&key)
}

async fn no_increment_is_lost<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    round: usize,
) -> Result<(), Violation> {
    stage.scene("many add one to a counter at once, each by reading and writing the version read");
    let key = stage.create(&stage.record(0)).await?;
    let racers = (1..=CROWD).map(|at| {
        let client = stage.client(at);
        Box::pin(async move {
            loop {
                let Some(record) = client.get(&key).await? else {
                    return Ok(());
                };
                pause(at % 3).await;
                let next = number(&record.data).map_or(0, |number| number + 1);
                let expect = Expect::Version(record.version);
                let data = Arc::new(numbered(next));
                let outcome = client.set(&key, Record { data, ..record }, expect).await?;
                if !matches!(outcome, SetOutcome::Conflict(_)) {
                    return Ok(());
                }
            }
        }) as Racer<_>
    });
    stage.race(round, racers.collect()).await?;
    let record = stage.client(1).get(&key).await?;
    let counter = record.and_then(|record| number(&record.data));
    stage.equal(counter, Some(CROWD as u64), "the counter")
}
