use super::NO_LISTING;
use crate::conformance::stage::{DAY, HOUR, MINUTE, Stage, key, touched};
use crate::conformance::{Coverage, Harness, Payload, Violation};
use crate::{Expect, RotateOutcome, SetOutcome, Store, Times, Timestamp};

/// Law 2: absent, expired and destroyed are all `None`; none of them is an error, and asking writes nothing.
///
/// # Errors
/// The violation that was found.
pub async fn law_02_no_session_is_none_and_no_error<S: Store<Payload>>(
    harness: &Harness<S>,
) -> Result<Coverage, Violation> {
    let stage = Stage::open(harness, 2).await;
    unknown_is_none(&stage).await?;
    destroyed_is_none(&stage).await?;
    expired_is_none(&stage).await?;
    an_expired_key_is_free(&stage).await?;
    a_record_may_be_written_expired(&stage).await?;
    Ok(Coverage::full().unless(stage.enumerates(), NO_LISTING))
}

async fn unknown_is_none<S: Store<Payload>>(stage: &Stage<'_, S>) -> Result<(), Violation> {
    stage.scene("a key that nothing was ever stored under");
    let client = stage.client(1);
    let before = match stage.enumerates() {
        true => Some(client.count().await?),
        false => None,
    };
    let (unknown, to) = (key(), key());
    stage.dead(client.get(&unknown).await?, "an unknown key is live")?;
    let times = stage.record(0).times;
    stage.equal(client.touch(&unknown, &times).await?, false, "touch")?;
    let rotated = client.rotate(&unknown, &to, times).await?;
    stage.equal(rotated, RotateOutcome::Gone, "rotate")?;
    for expect in [Expect::Present, Expect::Version(0), Expect::Version(1)] {
        let outcome = client.set(&unknown, stage.record(1), expect).await?;
        stage.equal(outcome, SetOutcome::Gone, "set")?;
    }
    stage.equal(client.destroy(&unknown).await?, false, "destroy")?;
    stage.dead(client.get(&unknown).await?, "asking made a session")?;
    stage.dead(client.get(&to).await?, "rotating nothing made a session")?;
    if let Some(before) = before {
        stage.equal(client.count().await?, before, "count after asking only")?;
    }
    Ok(())
}

async fn destroyed_is_none<S: Store<Payload>>(stage: &Stage<'_, S>) -> Result<(), Violation> {
    stage.scene("a destroyed session");
    let client = stage.client(1);
    let key = stage.create(&stage.full(1)).await?;
    stage.equal(client.destroy(&key).await?, true, "destroy")?;
    stage.dead(client.get(&key).await?, "a destroyed session is live")?;
    stage.equal(client.destroy(&key).await?, false, "destroy again")?;
    stage.dead(client.get(&key).await?, "a destroyed session is live")
}

/// The record's times, and how long after their beginning they end.
fn endings(now: Timestamp) -> [(Times, std::time::Duration); 4] {
    let lasting = |ends: Option<_>, idle: Option<_>| {
        let mut times = Times::starting(now);
        times.ends_at = ends.map(|after| now.plus(after));
        times.idle_timeout = idle;
        times
    };
    [
        (lasting(Some(HOUR), None), HOUR),
        (lasting(None, Some(HOUR)), HOUR),
        (lasting(Some(HOUR), Some(DAY)), HOUR),
        (lasting(Some(DAY), Some(HOUR)), HOUR),
    ]
}

async fn expired_is_none<S: Store<Payload>>(stage: &Stage<'_, S>) -> Result<(), Violation> {
    for at in 0..4 {
        stage.scene("a session until its last millisecond, and from then on");
        let client = stage.client(1);
        let (times, lasts) = endings(stage.now())[at];
        let mut record = stage.full(1);
        record.times = times;
        let (first, second) = (stage.create(&record).await?, stage.create(&record).await?);
        stage.advance(lasts - std::time::Duration::from_millis(1));
        stage.same(client.get(&first).await?, &record, 1)?;
        stage.advance(std::time::Duration::from_millis(1));
        stage.dead(client.get(&first).await?, "an expired session is live")?;
        let now = touched(times, stage.now());
        stage.equal(client.touch(&first, &now).await?, false, "touch")?;
        for expect in [Expect::Present, Expect::Version(1)] {
            let outcome = client.set(&first, stage.record(2), expect).await?;
            stage.equal(outcome, SetOutcome::Gone, "set")?;
        }
        let to = key();
        let rotated = client.rotate(&first, &to, stage.record(0).times).await?;
        stage.equal(rotated, RotateOutcome::Gone, "rotate")?;
        stage.dead(
            client.get(&to).await?,
            "rotating an expired session revived it",
        )?;
        stage.equal(client.destroy(&second).await?, false, "destroy")?;
        stage.dead(client.get(&first).await?, "an expired session is live")?;
    }
    Ok(())
}

async fn an_expired_key_is_free<S: Store<Payload>>(stage: &Stage<'_, S>) -> Result<(), Violation> {
    stage.scene("new sessions under keys whose sessions expired");
    let client = stage.client(1);
    let mut keys = Vec::new();
    for number in 0..3 {
        let key = stage.create(&stage.idle(number, MINUTE)).await?;
        let again = client.set(&key, stage.idle(number, MINUTE), Expect::Version(1));
        stage.equal(again.await?, SetOutcome::Stored(2), "an overwrite")?;
        keys.push(key);
    }
    stage.advance(HOUR);
    let fresh = stage.full(7);
    let created = client.set(&keys[0], fresh.clone(), Expect::Absent).await?;
    stage.equal(created, SetOutcome::Stored(1), "a new session")?;
    stage.same(client.get(&keys[0]).await?, &fresh, 1)?;

    let from = stage.create(&fresh).await?;
    let rotated = client.rotate(&from, &keys[1], fresh.times).await?;
    stage.check(
        matches!(rotated, RotateOutcome::Moved { .. }),
        "a rotation found an expired key taken",
    )?;
    let replaced = client.replace(&keys[1], &keys[2], fresh.clone()).await?;
    stage.equal(replaced, SetOutcome::Stored(1), "a replacement")?;
    stage.same(client.get(&keys[2]).await?, &fresh, 1)
}

async fn a_record_may_be_written_expired<S: Store<Payload>>(
    stage: &Stage<'_, S>,
) -> Result<(), Violation> {
    stage.scene("a live session is overwritten by a record that is already over");
    let client = stage.client(1);
    for end in [stage.now(), stage.now().minus(HOUR), Timestamp::MIN] {
        let key = stage.create(&stage.full(1)).await?;
        let mut over = stage.full(2);
        over.times.ends_at = Some(end);
        let outcome = client.set(&key, over, Expect::Version(1)).await?;
        stage.equal(outcome, SetOutcome::Stored(2), "set")?;
        stage.dead(client.get(&key).await?, "it is live")?;
        let outcome = client.set(&key, stage.full(3), Expect::Version(2)).await?;
        stage.equal(outcome, SetOutcome::Gone, "set on it")?;
        stage.equal(client.destroy(&key).await?, false, "destroy")?;
    }
    Ok(())
}
