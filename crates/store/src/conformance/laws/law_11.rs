use crate::conformance::stage::{MINUTE, Stage, key, owner};
use crate::conformance::{Coverage, Harness, Payload, Violation};
use crate::{Expect, SessionKey, SetOutcome, Store, StoreErrorKind};

/// Law 11: one undecodable record harms that session only. Needs [`Harness::corrupt`].
///
/// # Errors
/// The violation that was found.
pub async fn law_11_an_undecodable_record_harms_itself_only<S: Store<Payload>>(
    harness: &Harness<S>,
) -> Result<Coverage, Violation> {
    if harness.corrupt.is_none() {
        return Ok(Coverage::nothing(
            "the harness cannot spoil a record (`corrupt`)",
        ));
    }
    let stage = Stage::open(harness, 11).await;
    it_is_an_error_for_itself(&stage).await?;
    if stage.enumerates() {
        listings_leave_it_out(&stage).await?;
        mass_ends_reach_it(&stage).await?;
    }
    Ok(Coverage::full().unless(stage.enumerates(), super::NO_LISTING))
}

/// Creates a session and spoils it.
async fn spoiled<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    number: u64,
) -> Result<SessionKey, Violation> {
    let key = stage.create(&stage.full(number)).await?;
    let corrupt = stage.harness.corrupt.as_ref().expect("asked before");
    corrupt(stage.store(), key).await;
    stage.log.note("the data of that session is spoiled");
    Ok(key)
}

async fn it_is_an_error_for_itself<S: Store<Payload>>(
    stage: &Stage<'_, S>,
) -> Result<(), Violation> {
    stage.scene("use a spoiled record, and its neighbour");
    let client = stage.client(1);
    let good = stage.create(&stage.full(1)).await?;
    let bad = spoiled(stage, 2).await?;
    match client.get(&bad).await {
        Err(trouble) if trouble.kind() == StoreErrorKind::Undecodable => {}
        Err(trouble) => return Err(trouble.into()),
        Ok(_) => return Err(stage.violation("`get` did not say `Undecodable`")),
    }
    match client.set(&bad, stage.full(3), Expect::Absent).await {
        Ok(SetOutcome::Exists) => {}
        Err(trouble) if trouble.kind() == StoreErrorKind::Undecodable => {}
        Err(trouble) => return Err(trouble.into()),
        Ok(_) => return Err(stage.violation("a new session overwrote a spoiled record")),
    }
    stage.same(client.get(&good).await?, &stage.full(1), 1)?;
    client.destroy(&bad).await?;
    stage.dead(client.get(&bad).await?, "`destroy` left a spoiled record")?;
    let outcome = client.set(&bad, stage.full(3), Expect::Absent).await?;
    stage.equal(outcome, SetOutcome::Stored(1), "a new session afterwards")?;

    // What a sign-in does over a cookie whose session was spoiled.
    let (bad, to) = (spoiled(stage, 4).await?, key());
    let outcome = client.replace(&bad, &to, stage.full(5)).await?;
    stage.equal(
        outcome,
        SetOutcome::Stored(1),
        "replace of a spoiled record",
    )?;
    stage.dead(client.get(&bad).await?, "`replace` left a spoiled record")?;
    stage.same(client.get(&to).await?, &stage.full(5), 1)
}

async fn listings_leave_it_out<S: Store<Payload>>(stage: &Stage<'_, S>) -> Result<(), Violation> {
    stage.scene("list and purge with a spoiled record among the others");
    let client = stage.client(1);
    client.clear().await?;
    let good = stage.full(1);
    let before = stage.create(&good).await?;
    spoiled(stage, 2).await?;
    let after = stage.create(&stage.full(3)).await?;
    let lists = [
        client.all().await?,
        client.visit().await?,
        client.list_by_owner(&owner("Ada Lovelace")).await?,
    ];
    for list in lists {
        let mut found: Vec<_> = list.iter().map(|entry| entry.key).collect();
        let mut wanted = vec![before, after];
        found.sort();
        wanted.sort();
        stage.equal(found, wanted, "the list")?;
    }
    // Whether it counts is left to the store.
    client.count().await?;
    let short = stage.create(&stage.idle(4, MINUTE)).await?;
    stage.advance(MINUTE);
    client.purge_expired().await?;
    stage.dead(client.get(&short).await?, "an expired session is live")?;
    stage.same(client.get(&before).await?, &good, 1)
}

async fn mass_ends_reach_it<S: Store<Payload>>(stage: &Stage<'_, S>) -> Result<(), Violation> {
    for by_owner in [true, false] {
        stage.scene("end all sessions, a spoiled one among them");
        let client = stage.client(1);
        let (good, bad) = (
            stage.create(&stage.full(1)).await?,
            spoiled(stage, 2).await?,
        );
        if by_owner {
            let owner = owner("Ada Lovelace");
            client.destroy_by_owner(&owner, &[]).await?;
        } else {
            client.clear().await?;
        }
        stage.dead(client.get(&good).await?, "a session is live")?;
        stage.dead(client.get(&bad).await?, "a spoiled record is left")?;
    }
    Ok(())
}
