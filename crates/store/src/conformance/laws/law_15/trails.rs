use std::time::Duration;

use super::{later, leads, renew, renewed};
use crate::conformance::stage::{HOUR, MINUTE, Stage};
use crate::conformance::{Payload, Violation};
use crate::{Expect, SetOutcome, Store, Trail};

const TICK: Duration = Duration::from_millis(1);

pub(super) async fn a_trail_leads_one_step<S: Store<Payload>>(
    stage: &Stage<'_, S>,
) -> Result<(), Violation> {
    stage.scene("a session is renewed several times");
    let client = stage.client(1);
    let mut record = stage.record(1);
    let mut at = stage.create(&record).await?;
    let mut trails = Vec::new();
    for _ in 0..4 {
        stage.advance(MINUTE);
        record.times = renewed(stage, &record);
        let (to, _) = renew(stage, &at, record.times, later(stage)).await?;
        trails.push((at, Trail::new(to, stage.now())));
        at = to;
    }
    for (from, trail) in &trails {
        leads(stage, from, Some(*trail)).await?;
        stage.dead(client.get(from).await?, "an old key is live")?;
    }
    leads(stage, &at, None).await?;
    stage.equal(client.destroy(&at).await?, true, "destroy")?;
    for (from, trail) in &trails {
        leads(stage, from, Some(*trail)).await?;
    }
    leads(stage, &at, None).await
}

pub(super) async fn a_trail_goes_with_its_time<S: Store<Payload>>(
    stage: &Stage<'_, S>,
) -> Result<(), Violation> {
    stage.scene("the time of a trail comes to its end");
    let client = stage.client(1);
    let record = stage.record(1);
    let times = record.times;
    let from = stage.create(&record).await?;
    let (to, _) = renew(stage, &from, times, stage.now().plus(MINUTE)).await?;
    let trail = Some(Trail::new(to, times.renewed_at));
    stage.advance(MINUTE - TICK);
    if stage.enumerates() {
        client.purge_expired().await?;
    }
    leads(stage, &from, trail).await?;
    stage.advance(TICK);
    leads(stage, &from, None).await?;
    if stage.enumerates() {
        client.purge_expired().await?;
        leads(stage, &from, None).await?;
    }
    let found = client.get(&to).await?;
    stage.check(found.is_some(), "the session went with the trail")?;

    // Nothing ever leads to a session whose trail was over when it was left.
    for ends_at in [stage.now(), stage.now().minus(HOUR)] {
        let from = stage.create(&record).await?;
        let (to, _) = renew(stage, &from, times, ends_at).await?;
        leads(stage, &from, None).await?;
        let found = client.get(&to).await?;
        stage.check(found.is_some(), "a renewed session is dead")?;
    }
    Ok(())
}

pub(super) async fn a_trail_outlives_the_session<S: Store<Payload>>(
    stage: &Stage<'_, S>,
) -> Result<(), Violation> {
    stage.scene("a renewed session expires before its trail");
    let client = stage.client(1);
    let record = stage.idle(1, MINUTE);
    let from = stage.create(&record).await?;
    let (to, _) = renew(stage, &from, record.times, later(stage)).await?;
    let trail = Some(Trail::new(to, record.times.renewed_at));
    stage.advance(HOUR);
    stage.dead(client.get(&to).await?, "an expired session is live")?;
    leads(stage, &from, trail).await?;
    if stage.enumerates() {
        client.purge_expired().await?;
        leads(stage, &from, trail).await?;
    }
    Ok(())
}

pub(super) async fn a_new_session_under_the_old_key<S: Store<Payload>>(
    stage: &Stage<'_, S>,
) -> Result<(), Violation> {
    stage.scene("a session begins under a key that has a trail");
    let client = stage.client(1);
    let record = stage.record(1);
    let from = stage.create(&record).await?;
    let (to, version) = renew(stage, &from, record.times, stage.now().plus(MINUTE)).await?;
    let other = stage.record(2);
    let write = client.set(&from, other.clone(), Expect::Absent).await?;
    stage.equal(write, SetOutcome::Stored(1), "a new session")?;
    stage.same(client.get(&from).await?, &other, 1)?;
    stage.same(client.get(&to).await?, &record, version)?;
    stage.advance(MINUTE);
    leads(stage, &from, None).await?;
    if stage.enumerates() {
        client.purge_expired().await?;
    }
    stage.same(client.get(&from).await?, &other, 1)?;
    let write = client.set(&from, other, Expect::Version(1)).await?;
    stage.equal(write, SetOutcome::Stored(2), "a write")
}

pub(super) async fn clear_removes_trails<S: Store<Payload>>(
    stage: &Stage<'_, S>,
) -> Result<(), Violation> {
    if !stage.enumerates() {
        return Ok(());
    }
    stage.scene("clear a store with trails");
    let client = stage.client(1);
    let record = stage.record(1);
    client.clear().await?;
    let from = stage.create(&record).await?;
    let (to, _) = renew(stage, &from, record.times, later(stage)).await?;
    stage.equal(client.clear().await?, 1, "how many were live")?;
    leads(stage, &from, None).await?;
    stage.dead(client.get(&to).await?, "clear left a session live")
}
