mod limits;
mod racing;
mod refusing;

use std::num::NonZeroU32;

use crate::conformance::stage::{MINUTE, Stage, key, owner};
use crate::conformance::{Coverage, Harness, Payload, Violation};
use crate::{AdmitOutcome, OwnerLimit, Record, SessionKey, Store, WhenReached};

/// Law 14: [`admit`](crate::OwnerLimits::admit) never lets an owner have more live sessions than the limit,
/// however many sign in at once; who is refused changes nothing; nobody is refused while there is room. Needs a
/// store that limits owners.
///
/// # Errors
/// The violation that was found.
pub async fn law_14_no_owner_exceeds_the_limit<S: Store<Payload>>(
    harness: &Harness<S>,
) -> Result<Coverage, Violation> {
    let stage = Stage::open(harness, 14).await;
    if !stage.limits_owners() {
        return Ok(Coverage::nothing("the store does not limit owners"));
    }
    limits::without_an_owner_nothing_is_limited(&stage).await?;
    limits::what_is_admitted_is_stored(&stage).await?;
    limits::the_oldest_end(&stage).await?;
    limits::the_new_one_stays_though_it_is_older(&stage).await?;
    limits::a_lowered_limit(&stage).await?;
    limits::the_expired_do_not_count(&stage).await?;
    refusing::who_is_refused_changes_nothing(&stage).await?;
    refusing::what_is_ending_does_not_count(&stage).await?;
    refusing::a_taken_key_ends_nothing(&stage).await?;
    refusing::every_way_to_begin_and_end_counts(&stage).await?;
    for round in 0..harness.rounds {
        // The large crowd is for the odd store that a small one does not shake.
        if round % 4 == 0 {
            racing::a_crowd_signs_in(&stage, round, refuse(5)).await?;
            racing::a_crowd_signs_in(&stage, round, end_oldest(5)).await?;
        }
        racing::never_more_than_the_limit(&stage, round).await?;
        racing::one_place_for_many(&stage, round).await?;
        racing::admitting_races_rotations(&stage, round, refuse(3)).await?;
        racing::admitting_races_rotations(&stage, round, end_oldest(3)).await?;
        if stage.enumerates() {
            racing::admitting_races_signing_out(&stage, round).await?;
        }
    }
    Ok(Coverage::full())
}

fn refuse(max: u32) -> OwnerLimit {
    limit(max, WhenReached::Refuse)
}

fn end_oldest(max: u32) -> OwnerLimit {
    limit(max, WhenReached::EndOldest)
}

fn limit(max: u32, when_reached: WhenReached) -> OwnerLimit {
    let max = NonZeroU32::new(max).expect("the suite's limits are not zero");
    OwnerLimit::new(max, when_reached)
}

/// A session of that owner that began so many minutes ago.
fn aged<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    number: u64,
    name: &str,
    minutes: u32,
) -> Record<Payload> {
    let mut record = stage.record(number);
    record.owner = Some(owner(name));
    record.times.created_at = stage.now().minus(MINUTE * minutes);
    record
}

/// Sessions of that owner, the oldest first, made without a limit.
async fn sessions<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    name: &str,
    count: u32,
) -> Result<Vec<SessionKey>, Violation> {
    let mut keys = Vec::new();
    for number in 0..count {
        let record = aged(stage, number.into(), name, count - number);
        keys.push(stage.create(&record).await?);
    }
    Ok(keys)
}

/// Admits under a fresh key. What ended, in the order of the keys.
async fn admit<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    ending: Option<&SessionKey>,
    record: &Record<Payload>,
    limit: OwnerLimit,
) -> Result<(SessionKey, Vec<SessionKey>), Violation> {
    let (client, key) = (stage.client(2), key());
    match client.admit(ending, &key, record.clone(), limit).await? {
        AdmitOutcome::Stored { version, mut ended } => {
            stage.equal(version, 1, "the version of an admitted session")?;
            let found = stage.client(1).get(&key).await?;
            stage.same(found, record, 1)?;
            ended.sort();
            Ok((key, ended))
        }
        outcome => Err(stage.violation(format!("admit: {outcome:?} instead of `Stored`"))),
    }
}

/// Admits under a fresh key, which must be refused.
async fn is_refused<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    ending: Option<&SessionKey>,
    record: &Record<Payload>,
    limit: OwnerLimit,
) -> Result<(), Violation> {
    let (client, key) = (stage.client(2), key());
    let outcome = client.admit(ending, &key, record.clone(), limit).await?;
    stage.equal(outcome, AdmitOutcome::Refused, "admit")?;
    stage.dead(client.get(&key).await?, "a refused session is there")
}

/// Those of the keys that are live.
async fn live<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    keys: &[SessionKey],
) -> Result<Vec<SessionKey>, Violation> {
    let mut live = Vec::new();
    for key in keys {
        if stage.client(1).get(key).await?.is_some() {
            live.push(*key);
        }
    }
    Ok(live)
}

/// Of the keys exactly these are live, and listed under the owner if the store lists.
async fn are_live<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    name: &str,
    keys: &[SessionKey],
    wanted: &[SessionKey],
) -> Result<(), Violation> {
    let sorted = |mut keys: Vec<SessionKey>| {
        keys.sort();
        keys
    };
    let wanted = sorted(wanted.to_vec());
    let found = sorted(live(stage, keys).await?);
    stage.equal(&found, &wanted, "which sessions are live")?;
    if stage.enumerates() {
        let listed = stage.client(2).list_by_owner(&owner(name)).await?;
        let listed = sorted(listed.iter().map(|entry| entry.key).collect());
        stage.equal(&listed, &wanted, "which sessions are listed")?;
    }
    Ok(())
}
