use std::sync::Arc;
use std::time::Duration;

use super::NO_PEER;
use crate::conformance::client::Client;
use crate::conformance::payload::{number, numbered};
use crate::conformance::race::{Racer, pause};
use crate::conformance::stage::{MINUTE, Stage, key, touched};
use crate::conformance::{Coverage, Harness, Payload, Violation};
use crate::{Expect, Record, RotateOutcome, SetOutcome, Store};

/// Law 5: `touch` and `rotate` never create and never change data, nor lose what others write meanwhile.
///
/// # Errors
/// The violation that was found.
pub async fn law_05_touch_and_rotate_change_no_data<S: Store<Payload>>(
    harness: &Harness<S>,
) -> Result<Coverage, Violation> {
    let stage = Stage::open(harness, 5).await;
    touch_changes_last_seen_only(&stage).await?;
    rotate_changes_the_times_only(&stage).await?;
    neither_creates(&stage).await?;
    for round in 0..harness.rounds {
        touch_loses_no_update(&stage, round).await?;
        rotate_loses_no_update(&stage, round).await?;
    }
    Ok(Coverage::full().unless(harness.peer.is_some(), NO_PEER))
}

async fn touch_changes_last_seen_only<S: Store<Payload>>(
    stage: &Stage<'_, S>,
) -> Result<(), Violation> {
    stage.scene("touch a session with something in every field, and one with nothing");
    let client = stage.client(1);
    for number in 1..=3 {
        // Made now: its idle time runs.
        let mut record = match number {
            1 => stage.full(number),
            2 => stage.record(number),
            _ => stage.idle(number, 2 * MINUTE),
        };
        let key = stage.create(&record).await?;
        let mut version = 1;
        for _ in 0..3 {
            stage.advance(MINUTE + Duration::from_millis(7));
            record.times = touched(record.times, stage.now());
            stage.equal(client.touch(&key, &record.times).await?, true, "touch")?;
            let found = client.get(&key).await?;
            let found = found.ok_or_else(|| stage.violation("a touched session is dead"))?;
            stage.alike(&found, &record)?;
            if stage.harness.touch_keeps_version {
                stage.equal(found.version, version, "the version after a touch")?;
            }
            version = found.version;
            let write = client.set(&key, record.clone(), Expect::Version(version));
            let stored = SetOutcome::Stored(version + 1);
            stage.equal(write.await?, stored, "a write after a touch")?;
            version += 1;
        }
    }
    Ok(())
}

async fn rotate_changes_the_times_only<S: Store<Payload>>(
    stage: &Stage<'_, S>,
) -> Result<(), Violation> {
    stage.scene("rotate a session with something in every field, and one with nothing");
    let client = stage.client(1);
    for mut record in [stage.full(1), stage.record(2)] {
        let from = stage.create(&record).await?;
        let write = client.set(&from, record.clone(), Expect::Version(1));
        stage.equal(write.await?, SetOutcome::Stored(2), "an overwrite")?;
        stage.advance(MINUTE);
        record.times = touched(record.times, stage.now());
        record.times.authenticated_at = Some(stage.now());
        record.times.idle_timeout = Some(Duration::from_millis(999_999));
        let to = key();
        let RotateOutcome::Moved { found, version } =
            client.rotate(&from, &to, record.times).await?
        else {
            return Err(stage.violation("a live session was not moved"));
        };
        stage.equal(found, 2, "the version that was moved")?;
        stage.same(client.get(&to).await?, &record, version)?;
        stage.dead(client.get(&from).await?, "the old key is live")?;
        let write = client.set(&to, record.clone(), Expect::Version(version));
        let stored = SetOutcome::Stored(version + 1);
        stage.equal(write.await?, stored, "a write after a rotation")?;
    }
    Ok(())
}

async fn neither_creates<S: Store<Payload>>(stage: &Stage<'_, S>) -> Result<(), Violation> {
    stage.scene("touch and rotate what is not there");
    let client = stage.client(1);
    let destroyed = stage.create(&stage.full(1)).await?;
    stage.equal(client.destroy(&destroyed).await?, true, "destroy")?;
    let expired = stage.create(&stage.idle(2, MINUTE)).await?;
    stage.advance(MINUTE);
    for dead in [key(), destroyed, expired] {
        let times = stage.record(0).times;
        stage.equal(client.touch(&dead, &times).await?, false, "touch")?;
        stage.dead(client.get(&dead).await?, "touch created a session")?;
        let to = key();
        let rotated = client.rotate(&dead, &to, times).await?;
        stage.equal(rotated, RotateOutcome::Gone, "rotate")?;
        for key in [dead, to] {
            stage.dead(client.get(&key).await?, "rotate created a session")?;
        }
    }
    Ok(())
}

/// Adds one to the counter until it has done so that many times or the session is gone. The last value that
/// was acknowledged, with its version.
pub(super) async fn count_up<S: Store<Payload>>(
    client: Client<S>,
    key: crate::SessionKey,
    times: usize,
) -> Result<(u64, u64), Violation> {
    let mut acknowledged = (0, 1);
    let mut done = 0;
    while done < times {
        let Some(record) = client.get(&key).await? else {
            break;
        };
        pause(1).await;
        let next = number(&record.data).map_or(0, |number| number + 1);
        let expect = Expect::Version(record.version);
        let data = Arc::new(numbered(next));
        match client.set(&key, Record { data, ..record }, expect).await? {
            SetOutcome::Stored(version) => {
                acknowledged = (next, version);
                done += 1;
            }
            SetOutcome::Conflict(_) => {}
            _ => break,
        }
    }
    Ok(acknowledged)
}

async fn touch_loses_no_update<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    round: usize,
) -> Result<(), Violation> {
    stage.scene("a session is touched while another client counts up in it");
    let start = stage.record(0);
    let key = stage.create(&start).await?;
    let (writer, toucher) = (stage.client(1), stage.client(2));
    let racers: Vec<Racer<_>> = vec![
        Box::pin(async move {
            count_up(writer, key, 5).await?;
            Ok(true)
        }),
        Box::pin(async move {
            let mut live = true;
            for turn in 0..5 {
                pause((round + turn) % 3).await;
                live &= toucher.touch(&key, &start.times).await?;
            }
            Ok(live)
        }),
    ];
    let answers = stage.race(round, racers).await?;
    stage.check(answers[1], "a touch found a live session dead")?;
    let record = stage.client(1).get(&key).await?;
    let counter = record.and_then(|record| number(&record.data));
    stage.equal(counter, Some(5), "the counter")
}

async fn rotate_loses_no_update<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    round: usize,
) -> Result<(), Violation> {
    stage.scene("a session is rotated while another client counts up in it");
    let start = stage.record(0);
    let (from, to) = (stage.create(&start).await?, key());
    let (writer, rotator) = (stage.client(1), stage.client(2));
    let racers: Vec<Racer<_>> = vec![
        Box::pin(count_up(writer, from, 6)),
        Box::pin(async move {
            pause(round % 9).await;
            match rotator.rotate(&from, &to, start.times).await? {
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
