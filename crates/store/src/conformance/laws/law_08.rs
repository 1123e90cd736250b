use std::time::Duration;

use super::NO_LISTING;
use crate::conformance::race::{Racer, pause};
use crate::conformance::stage::{HOUR, MINUTE, Stage, key, owner, touched};
use crate::conformance::{Coverage, Harness, Payload, Violation};
use crate::{Expect, RotateOutcome, SetOutcome, Store};

/// Law 8: expired records leave, their index entries too, and purging never removes a session that was
/// refreshed meanwhile. Needs a store that enumerates.
///
/// # Errors
/// The violation that was found.
pub async fn law_08_expired_records_leave<S: Store<Payload>>(
    harness: &Harness<S>,
) -> Result<Coverage, Violation> {
    let stage = Stage::open(harness, 8).await;
    if !stage.enumerates() {
        return Ok(Coverage::nothing(NO_LISTING));
    }
    the_expired_are_shown_nowhere(&stage).await?;
    the_expired_are_purged(&Stage::open(harness, 8).await).await?;
    the_refreshed_stay(&Stage::open(harness, 8).await).await?;
    for round in 0..harness.rounds {
        purge_races_touch(&stage, round).await?;
        purge_races_create(&stage, round).await?;
    }
    Ok(Coverage::full())
}

async fn the_expired_are_shown_nowhere<S: Store<Payload>>(
    stage: &Stage<'_, S>,
) -> Result<(), Violation> {
    stage.scene("listings after sessions expired, before anybody purges");
    let client = stage.client(1);
    let owner = owner("somebody");
    let mut short = stage.idle(1, MINUTE);
    short.owner = Some(owner.clone());
    let mut long = stage.record(2);
    long.owner = Some(owner.clone());
    for _ in 0..3 {
        stage.create(&short).await?;
    }
    let live = stage.create(&long).await?;
    stage.equal(client.count().await?, 4, "count before")?;
    stage.advance(MINUTE);
    stage.equal(client.count().await?, 1, "count after")?;
    let lists = [
        client.all().await?,
        client.visit().await?,
        client.list_by_owner(&owner).await?,
    ];
    for list in lists {
        let right = list.len() == 1 && list[0].key == live;
        stage.check(
            right,
            "an expired session was listed, or a live one was not",
        )?;
    }
    let ended = client.destroy_by_owner(&owner, &[]).await?;
    stage.equal(ended, 1, "how many live sessions were ended")
}

async fn the_expired_are_purged<S: Store<Payload>>(stage: &Stage<'_, S>) -> Result<(), Violation> {
    stage.scene("purge many expired sessions");
    let client = stage.client(1);
    let owner = owner("somebody");
    // More than a batch is likely to hold.
    const EXPIRED: u64 = 150;
    for number in 0..EXPIRED {
        let mut record = stage.idle(number, MINUTE);
        record.owner = (number % 2 == 0).then(|| owner.clone());
        stage.create(&record).await?;
    }
    let forever = {
        let mut record = stage.record(1);
        record.times.ends_at = None;
        record
    };
    let (kept, endless) = (stage.full(7), stage.create(&forever).await?);
    let key = stage.create(&kept).await?;
    stage.equal(
        client.purge_expired().await?,
        0,
        "purged before any expired",
    )?;
    stage.advance(MINUTE - Duration::from_millis(1));
    stage.equal(
        client.purge_expired().await?,
        0,
        "purged a millisecond early",
    )?;
    stage.advance(Duration::from_millis(1));
    // A store that purges by itself may have been first.
    let purged = client.purge_expired().await?;
    stage.check(purged <= EXPIRED, "more were purged than had expired")?;
    stage.equal(client.purge_expired().await?, 0, "purged a second time")?;
    stage.equal(client.count().await?, 2, "count")?;
    stage.same(client.get(&key).await?, &kept, 1)?;
    stage.same(client.get(&endless).await?, &forever, 1)?;
    let owned = client.list_by_owner(&owner).await?;
    stage.check(owned.is_empty(), "a purged session is listed")
}

/// The store's index must follow each way of moving the expiry.
async fn the_refreshed_stay<S: Store<Payload>>(stage: &Stage<'_, S>) -> Result<(), Violation> {
    stage.scene("purge after sessions were refreshed by touch, set, rotate");
    let client = stage.client(1);
    let owner = owner("somebody");
    let mut start = stage.idle(1, 2 * MINUTE);
    start.owner = Some(owner.clone());
    let (by_touch, by_set, from) = (
        stage.create(&start).await?,
        stage.create(&start).await?,
        stage.create(&start).await?,
    );
    let left_alone = stage.create(&start).await?;
    stage.advance(MINUTE);
    let mut fresh = start.clone();
    fresh.times = touched(start.times, stage.now());
    let touched = client.touch(&by_touch, &fresh.times).await?;
    stage.equal(touched, true, "touch")?;
    let write = client.set(&by_set, fresh.clone(), Expect::Present).await?;
    stage.equal(write, SetOutcome::Stored(2), "set")?;
    let to = key();
    let rotated = client.rotate(&from, &to, fresh.times).await?;
    stage.check(
        matches!(rotated, RotateOutcome::Moved { .. }),
        "a live session was not moved",
    )?;
    // The first expiry is past, the new one is not.
    stage.advance(MINUTE + MINUTE / 2);
    let purged = client.purge_expired().await?;
    stage.check(purged <= 1, "more were purged than had expired")?;
    for key in [by_touch, by_set, to] {
        let found = client.get(&key).await?;
        stage.check(found.is_some(), "purging removed a refreshed session")?;
    }
    stage.dead(client.get(&left_alone).await?, "an expired session is live")?;
    stage.equal(client.count().await?, 3, "count")?;
    let owned = client.list_by_owner(&owner).await?;
    stage.equal(owned.len(), 3, "sessions of the owner")?;
    stage.advance(HOUR);
    stage.check(
        client.purge_expired().await? <= 3,
        "more were purged than are there",
    )?;
    stage.equal(client.count().await?, 0, "count when all have expired")?;
    let owned = client.list_by_owner(&owner).await?;
    stage.check(owned.is_empty(), "an expired session is listed")
}

async fn purge_races_touch<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    round: usize,
) -> Result<(), Violation> {
    stage.scene("sessions are touched in their last moment while others purge");
    let start = stage.idle(1, MINUTE);
    let mut keys = Vec::new();
    for _ in 0..4 {
        keys.push(stage.create(&start).await?);
    }
    stage.advance(MINUTE - Duration::from_millis(1));
    let times = touched(start.times, stage.now());
    let mut racers: Vec<Racer<_>> = Vec::new();
    for (number, key) in (1..).zip(keys.clone()) {
        let client = stage.client(number);
        racers.push(Box::pin(async move {
            pause((round + number) % 4).await;
            Ok(client.touch(&key, &times).await?)
        }));
    }
    let (clock, log) = (stage.clock.clone(), stage.log.clone());
    racers.push(Box::pin(async move {
        pause(1).await;
        clock.advance(Duration::from_millis(1));
        log.note("the clock moves on by a millisecond: what was not touched has expired");
        Ok(true)
    }));
    let purger = stage.client(2);
    racers.push(Box::pin(async move {
        for _ in 0..3 {
            purger.purge_expired().await?;
            pause(1).await;
        }
        Ok(true)
    }));
    let answers = stage.race(round, racers).await?;
    for (key, refreshed) in keys.iter().zip(answers) {
        let live = stage.client(1).get(key).await?.is_some();
        stage.equal(
            live,
            refreshed,
            "whether a session lives whose touch said it did",
        )?;
    }
    Ok(())
}

async fn purge_races_create<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    round: usize,
) -> Result<(), Violation> {
    stage.scene("new sessions begin under expired keys while others purge");
    let mut keys = Vec::new();
    for number in 0..4 {
        keys.push(stage.create(&stage.idle(number, MINUTE)).await?);
    }
    stage.advance(HOUR);
    let mut racers: Vec<Racer<_>> = Vec::new();
    for (number, key) in (1..).zip(keys.clone()) {
        let client = stage.client(number);
        let record = stage.record(number as u64);
        racers.push(Box::pin(async move {
            pause((round + number) % 5).await;
            let outcome = client.set(&key, record, Expect::Absent).await?;
            Ok(outcome == SetOutcome::Stored(1))
        }));
    }
    let purger = stage.client(2);
    racers.push(Box::pin(async move {
        for _ in 0..3 {
            purger.purge_expired().await?;
            pause(1).await;
        }
        Ok(true)
    }));
    let answers = stage.race(round, racers).await?;
    for (key, created) in keys.iter().zip(answers) {
        stage.check(created, "an expired key was taken")?;
        let found = stage.client(1).get(key).await?;
        stage.check(found.is_some(), "purging removed a new session")?;
    }
    Ok(())
}
