use std::num::NonZeroU32;
use std::sync::Arc;

use crate::conformance::client::Client;
use crate::conformance::stage::{DAY, MINUTE, Stage, key, owner, touched};
use crate::conformance::{Coverage, Harness, Payload, Violation};
use crate::{AdmitOutcome, Expect, OwnerLimit, RotateOutcome, SetOutcome, Store, WhenReached};

/// Law 7: an acknowledged write survives the end of the application. Needs [`Harness::reopen`].
///
/// # Errors
/// The violation that was found.
pub async fn law_07_acknowledged_writes_survive<S: Store<Payload>>(
    harness: &Harness<S>,
) -> Result<Coverage, Violation> {
    let Some(reopen) = &harness.reopen else {
        return Ok(Coverage::nothing(
            "the harness cannot get a store again (`reopen`)",
        ));
    };
    let stage = Stage::open(harness, 7).await;
    stage.scene("every sort of write, then the application is killed");
    let client = stage.client(1);
    let record = stage.full(1);
    let created = stage.create(&record).await?;

    let written = stage.create(&stage.record(2)).await?;
    let outcome = client.set(&written, record.clone(), Expect::Version(1));
    stage.equal(outcome.await?, SetOutcome::Stored(2), "an overwrite")?;

    let destroyed = stage.create(&record).await?;
    stage.equal(client.destroy(&destroyed).await?, true, "destroy")?;

    let (from, to) = (stage.create(&record).await?, key());
    let rotated = client.rotate(&from, &to, record.times).await?;
    let RotateOutcome::Moved { version, .. } = rotated else {
        return Err(stage.violation("a live session was not moved"));
    };

    let (old, new) = (stage.create(&stage.record(3)).await?, key());
    let replaced = client.replace(&old, &new, record.clone()).await?;
    stage.equal(replaced, SetOutcome::Stored(1), "replace")?;

    let (renewed, renewed_to) = (stage.create(&stage.record(5)).await?, key());
    let times = stage.record(5).times;
    if stage.renews() {
        let ends_at = stage.now().plus(DAY);
        let outcome = client.renew(&renewed, &renewed_to, times, ends_at).await?;
        stage.check(
            matches!(outcome, RotateOutcome::Moved { .. }),
            "a live session was not moved",
        )?;
    }

    let admitted = key();
    if stage.limits_owners() {
        let mut record = stage.record(6);
        record.owner = Some(owner("admitted"));
        let limit = OwnerLimit::new(NonZeroU32::MIN, WhenReached::EndOldest);
        let before = stage.create(&record).await?;
        let outcome = client.admit(None, &admitted, record, limit).await?;
        let (version, ended) = (1, vec![before]);
        let stored = AdmitOutcome::Stored { version, ended };
        stage.equal(outcome, stored, "admit")?;
    }

    let mut used = stage.idle(4, 2 * MINUTE);
    let touch = stage.create(&used).await?;
    stage.advance(MINUTE);
    used.times = touched(used.times, stage.now());
    stage.equal(client.touch(&touch, &used.times).await?, true, "touch")?;

    let again = Arc::new(reopen(stage.store(), stage.clock.clone()).await);
    stage
        .log
        .note("the application is killed and started again");
    let client = Client::new(1, again, stage.log.clone());
    stage.same(client.get(&created).await?, &record, 1)?;
    stage.same(client.get(&written).await?, &record, 2)?;
    stage.same(client.get(&to).await?, &record, version)?;
    stage.same(client.get(&new).await?, &record, 1)?;
    for dead in [destroyed, from, old] {
        stage.dead(client.get(&dead).await?, "an ended session came back")?;
    }
    let found = client.get(&touch).await?;
    let found = found.ok_or_else(|| stage.violation("a touched session is dead"))?;
    stage.alike(&found, &used)?;
    if stage.renews() {
        let trail = client.follow(&renewed).await?;
        let right = trail.is_some_and(|trail| trail.to == renewed_to);
        stage.check(right, "a trail was lost")?;
        let (old, new) = (client.get(&renewed).await?, client.get(&renewed_to).await?);
        let moved = old.is_none() && new.is_some();
        stage.check(moved, "a renewal was lost")?;
    }
    if stage.limits_owners() {
        let found = client.get(&admitted).await?;
        stage.check(found.is_some(), "an admitted session was lost")?;
    }
    if stage.enumerates() {
        let live = 6 + u64::from(stage.limits_owners());
        stage.equal(client.count().await?, live, "count")?;
        let owned = client.list_by_owner(record.owner.as_ref().expect("it has one"));
        stage.equal(owned.await?.len(), 4, "sessions of the owner")?;
    }
    let outcome = client.set(&written, record, Expect::Version(2)).await?;
    stage.equal(outcome, SetOutcome::Stored(3), "a write afterwards")?;
    Ok(Coverage::full())
}
