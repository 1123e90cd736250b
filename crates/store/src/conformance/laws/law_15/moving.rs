use std::time::Duration;

use super::{later, leads, renew, renewed};
use crate::conformance::stage::{MINUTE, Stage, key, owner};
use crate::conformance::{Payload, Violation};
use crate::{Expect, RotateOutcome, SetOutcome, Store, Trail};

pub(super) async fn renew_changes_the_times_only<S: Store<Payload>>(
    stage: &Stage<'_, S>,
) -> Result<(), Violation> {
    stage.scene("renew a session with something in every field, and one with nothing");
    let client = stage.client(1);
    for mut record in [stage.full(1), stage.record(2)] {
        let from = stage.create(&record).await?;
        let write = client.set(&from, record.clone(), Expect::Version(1));
        stage.equal(write.await?, SetOutcome::Stored(2), "an overwrite")?;
        stage.advance(MINUTE);
        record.times = renewed(stage, &record);
        record.times.idle_timeout = Some(Duration::from_millis(999_999));
        // Not the moment of the call: the store takes what it is told.
        record.times.renewed_at = stage.now().minus(Duration::from_millis(7));
        let to = key();
        let outcome = client.renew(&from, &to, record.times, later(stage)).await?;
        let RotateOutcome::Moved { found, version } = outcome else {
            return Err(stage.violation("a live session was not moved"));
        };
        stage.equal(found, 2, "the version that was moved")?;
        stage.same(client.get(&to).await?, &record, version)?;
        stage.dead(client.get(&from).await?, "the old key is live")?;
        let trail = Trail::new(to, record.times.renewed_at);
        leads(stage, &from, Some(trail)).await?;
        leads(stage, &to, None).await?;
        let write = client.set(&to, record.clone(), Expect::Version(version));
        let stored = SetOutcome::Stored(version + 1);
        stage.equal(write.await?, stored, "a write after a renewal")?;
    }
    leads(stage, &key(), None).await
}

pub(super) async fn the_old_key_is_dead<S: Store<Payload>>(
    stage: &Stage<'_, S>,
) -> Result<(), Violation> {
    stage.scene("every operation on the old key of a renewed session");
    let client = stage.client(1);
    let mut record = stage.full(1);
    let from = stage.create(&record).await?;
    record.times = renewed(stage, &record);
    let (to, version) = renew(stage, &from, record.times, later(stage)).await?;
    let trail = Some(Trail::new(to, stage.now()));
    // The session as it was under the old key, so that nothing but its death stands in the way.
    for expect in [
        Expect::Present,
        Expect::Version(1),
        Expect::Version(version),
    ] {
        let write = client.set(&from, stage.full(2), expect).await?;
        stage.equal(write, SetOutcome::Gone, "a write to the old key")?;
    }
    let touched = client.touch(&from, &record.times).await?;
    stage.equal(touched, false, "a touch of the old key")?;
    let other = key();
    let rotated = client.rotate(&from, &other, record.times).await?;
    stage.equal(rotated, RotateOutcome::Gone, "a rotation of the old key")?;
    let again = client.renew(&from, &other, record.times, later(stage));
    stage.equal(again.await?, RotateOutcome::Gone, "a second renewal")?;
    leads(stage, &from, trail).await?;
    let destroyed = client.destroy(&from).await?;
    stage.equal(
        destroyed,
        false,
        "whether the old key was live when destroyed",
    )?;
    let replaced = client.replace(&from, &key(), stage.record(3)).await?;
    stage.equal(replaced, SetOutcome::Stored(1), "replace")?;
    for dead in [from, other] {
        stage.dead(client.get(&dead).await?, "a dead key came to life")?;
    }
    // Somebody may sign out with the old id twice: the trail is not theirs to remove.
    leads(stage, &from, trail).await?;
    leads(stage, &other, None).await?;
    stage.same(client.get(&to).await?, &record, version)
}

pub(super) async fn without_a_move_there_is_no_trail<S: Store<Payload>>(
    stage: &Stage<'_, S>,
) -> Result<(), Violation> {
    stage.scene("renew what is not there, and to a key that is taken");
    let client = stage.client(1);
    let destroyed = stage.create(&stage.full(1)).await?;
    stage.equal(client.destroy(&destroyed).await?, true, "destroy")?;
    let expired = stage.create(&stage.idle(2, MINUTE)).await?;
    stage.advance(MINUTE);
    for dead in [key(), destroyed, expired] {
        let to = key();
        let times = stage.record(0).times;
        let outcome = client.renew(&dead, &to, times, later(stage)).await?;
        stage.equal(outcome, RotateOutcome::Gone, "renew")?;
        for key in [dead, to] {
            stage.dead(client.get(&key).await?, "renew created a session")?;
            leads(stage, &key, None).await?;
        }
    }
    let (one, other) = (stage.full(1), stage.full(2));
    let (from, to) = (stage.create(&one).await?, stage.create(&other).await?);
    let times = renewed(stage, &one);
    let outcome = client.renew(&from, &to, times, later(stage)).await?;
    stage.equal(outcome, RotateOutcome::Exists, "renew")?;
    stage.same(client.get(&from).await?, &one, 1)?;
    stage.same(client.get(&to).await?, &other, 1)?;
    leads(stage, &from, None).await?;
    leads(stage, &to, None).await
}

pub(super) async fn the_owner_has_one_session<S: Store<Payload>>(
    stage: &Stage<'_, S>,
) -> Result<(), Violation> {
    if !stage.enumerates() {
        return Ok(());
    }
    stage.scene("list and count what was renewed, and sign out everywhere");
    let client = stage.client(1);
    let owner = owner("renewed");
    let before = client.count().await?;
    let mut record = stage.full(1);
    record.owner = Some(owner.clone());
    let from = stage.create(&record).await?;
    record.times = renewed(stage, &record);
    let (to, version) = renew(stage, &from, record.times, later(stage)).await?;
    stage.equal(client.count().await?, before + 1, "count")?;
    let listed = client.list_by_owner(&owner).await?;
    stage.equal(listed.len(), 1, "sessions of the owner")?;
    stage.equal(listed[0].key, to, "the key that is listed")?;
    stage.same(Some(listed[0].record.clone()), &record, version)?;
    let all = client.all().await?;
    let listed = all.iter().any(|entry| entry.key == from);
    stage.check(!listed, "a trail is listed as a session")?;
    let ended = client.destroy_by_owner(&owner, &[from]).await?;
    stage.equal(ended, 1, "how many were ended")?;
    stage.dead(client.get(&to).await?, "the session is live")?;
    leads(stage, &from, Some(Trail::new(to, record.times.renewed_at))).await
}
