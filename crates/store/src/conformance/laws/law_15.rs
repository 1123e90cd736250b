mod moving;
mod racing;
mod trails;

use super::NO_PEER;
use crate::conformance::stage::{DAY, Stage, key};
use crate::conformance::{Coverage, Harness, Payload, Violation};
use crate::{Record, RotateOutcome, SessionKey, Store, Times, Timestamp, Trail};

/// Law 15: [`renew`](crate::Renewal::renew) is a `rotate` with a trail: whoever finds the old key dead finds the
/// trail. The trail makes nothing live, and goes with its time. Needs a store that renews.
///
/// What becomes of the trail when somebody stores a new session under the old key is left to the store: the
/// engine never uses a key again. That it can be stored, and outlives the trail, is checked.
///
/// # Errors
/// The violation that was found.
pub async fn law_15_who_finds_it_dead_finds_the_trail<S: Store<Payload>>(
    harness: &Harness<S>,
) -> Result<Coverage, Violation> {
    let stage = Stage::open(harness, 15).await;
    if !stage.renews() {
        return Ok(Coverage::nothing("the store does not renew"));
    }
    moving::renew_changes_the_times_only(&stage).await?;
    moving::the_old_key_is_dead(&stage).await?;
    moving::without_a_move_there_is_no_trail(&stage).await?;
    moving::the_owner_has_one_session(&stage).await?;
    trails::a_trail_leads_one_step(&stage).await?;
    trails::a_trail_goes_with_its_time(&stage).await?;
    trails::a_trail_outlives_the_session(&stage).await?;
    trails::a_new_session_under_the_old_key(&stage).await?;
    trails::clear_removes_trails(&stage).await?;
    for polls in 0..12 {
        racing::cut_off(&stage, polls).await?;
    }
    for round in 0..harness.rounds {
        racing::one_of_many_wins(&stage, round).await?;
        racing::one_of_many_wins_the_same_key(&stage, round).await?;
        racing::nobody_finds_neither(&stage, round).await?;
        racing::no_update_is_lost(&stage, round).await?;
        racing::what_is_ended_stays_ended(&stage, round).await?;
        racing::an_owner_is_signed_out(&stage, round).await?;
    }
    Ok(Coverage::full().unless(harness.peer.is_some(), NO_PEER))
}

/// Long enough for any scene that does not say otherwise.
fn later<S: Store<Payload>>(stage: &Stage<'_, S>) -> Timestamp {
    stage.now().plus(DAY)
}

/// The record's times as the engine renews them.
fn renewed<S: Store<Payload>>(stage: &Stage<'_, S>, record: &Record<Payload>) -> Times {
    Times {
        renewed_at: stage.now(),
        last_seen_at: stage.now(),
        ..record.times
    }
}

/// Renews a live session to a fresh key.
async fn renew<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    from: &SessionKey,
    times: Times,
    trail_ends_at: Timestamp,
) -> Result<(SessionKey, u64), Violation> {
    let (client, to) = (stage.client(1), key());
    match client.renew(from, &to, times, trail_ends_at).await? {
        RotateOutcome::Moved { version, .. } => Ok((to, version)),
        _ => Err(stage.violation("a live session was not moved")),
    }
}

async fn leads<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    from: &SessionKey,
    wanted: Option<Trail>,
) -> Result<(), Violation> {
    let found = stage.client(2).follow(from).await?;
    let tell = |trail: Option<Trail>| trail.map(|trail| (trail.to.handle(), trail.moved_at));
    stage.equal(tell(found), tell(wanted), "the trail")
}
