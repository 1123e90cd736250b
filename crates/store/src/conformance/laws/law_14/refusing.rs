use super::{admit, aged, are_live, end_oldest, is_refused, refuse, sessions};
use crate::conformance::stage::{Stage, key, owner};
use crate::conformance::{Payload, Violation};
use crate::{AdmitOutcome, Expect, RotateOutcome, SetOutcome, Store};

pub(super) async fn who_is_refused_changes_nothing<S: Store<Payload>>(
    stage: &Stage<'_, S>,
) -> Result<(), Violation> {
    stage.scene("sign in where there is no room, over an anonymous session and over another's");
    let client = stage.client(1);
    let keys = sessions(stage, "refused", 2).await?;
    let (visitor, other) = (stage.record(3), aged(stage, 4, "refused's friend", 1));
    let record = aged(stage, 5, "refused", 0);
    let (anonymous, friend) = (stage.create(&visitor).await?, stage.create(&other).await?);
    is_refused(stage, None, &record, refuse(2)).await?;
    is_refused(stage, Some(&key()), &record, refuse(2)).await?;
    for (ending, wanted) in [(&anonymous, &visitor), (&friend, &other)] {
        is_refused(stage, Some(ending), &record, refuse(2)).await?;
        stage.same(client.get(ending).await?, wanted, 1)?;
    }
    are_live(stage, "refused", &keys, &keys).await?;
    for (at, key) in keys.iter().enumerate() {
        let wanted = aged(stage, at as u64, "refused", 2 - at as u32);
        stage.same(client.get(key).await?, &wanted, 1)?;
    }
    // Room again.
    stage.equal(client.destroy(&keys[0]).await?, true, "destroy")?;
    let (new, ended) = admit(stage, Some(&anonymous), &record, refuse(2)).await?;
    stage.check(ended.is_empty(), "a session ended although there was room")?;
    let found = client.get(&anonymous).await?;
    stage.dead(found, "what was ending is live")?;
    are_live(stage, "refused", &[keys[0], keys[1], new], &[keys[1], new]).await
}

pub(super) async fn what_is_ending_does_not_count<S: Store<Payload>>(
    stage: &Stage<'_, S>,
) -> Result<(), Violation> {
    for limit in [refuse(2), end_oldest(2)] {
        stage.scene("sign in over a session of one's own, with no room besides");
        let name = format!("ending {:?}", limit.when_reached);
        let keys = sessions(stage, &name, 2).await?;
        // The newer one, so that the oldest has no reason to end.
        let record = aged(stage, 3, &name, 0);
        let (new, ended) = admit(stage, Some(&keys[1]), &record, limit).await?;
        stage.equal(ended, vec![], "which other sessions ended")?;
        are_live(stage, &name, &[keys[0], keys[1], new], &[keys[0], new]).await?;
    }
    Ok(())
}

pub(super) async fn a_taken_key_ends_nothing<S: Store<Payload>>(
    stage: &Stage<'_, S>,
) -> Result<(), Violation> {
    stage.scene("admit under a key that is taken");
    let client = stage.client(1);
    let taken = stage.full(1);
    let to = stage.create(&taken).await?;
    let keys = sessions(stage, "taker", 2).await?;
    let record = aged(stage, 3, "taker", 0);
    for limit in [refuse(3), end_oldest(2), end_oldest(1)] {
        let outcome = client.admit(None, &to, record.clone(), limit).await?;
        stage.equal(outcome, AdmitOutcome::Exists, "admit")?;
        stage.same(client.get(&to).await?, &taken, 1)?;
        are_live(stage, "taker", &keys, &keys).await?;
    }
    Ok(())
}

/// What the limit counts follows every operation.
pub(super) async fn every_way_to_begin_and_end_counts<S: Store<Payload>>(
    stage: &Stage<'_, S>,
) -> Result<(), Violation> {
    stage.scene("an owner's sessions change in every way between sign-ins");
    let client = stage.client(1);
    let record = |number| aged(stage, number, "changing", 0);
    let limit = refuse(2);
    let (first, _) = admit(stage, None, &record(1), limit).await?;
    let anonymous = stage.create(&stage.record(2)).await?;
    // An anonymous session becomes the owner's, then somebody else's, then the owner's again.
    for (version, name, fits) in [
        (1, "changing", false),
        (2, "somebody else", true),
        (3, "changing", false),
    ] {
        let expect = Expect::Version(version);
        let write = client.set(&anonymous, aged(stage, 2, name, 0), expect);
        stage.equal(write.await?, SetOutcome::Stored(version + 1), "set")?;
        if fits {
            let (key, _) = admit(stage, None, &record(3), limit).await?;
            stage.equal(client.destroy(&key).await?, true, "destroy")?;
        } else {
            is_refused(stage, None, &record(3), limit).await?;
        }
    }
    let to = key();
    let rotated = client.rotate(&first, &to, record(1).times).await?;
    stage.check(
        matches!(rotated, RotateOutcome::Moved { .. }),
        "a live session was not moved",
    )?;
    is_refused(stage, None, &record(4), limit).await?;
    let replaced = client.replace(&to, &key(), stage.record(5)).await?;
    stage.equal(replaced, SetOutcome::Stored(1), "replace")?;
    let (key, _) = admit(stage, None, &record(6), limit).await?;
    is_refused(stage, None, &record(7), limit).await?;
    if stage.enumerates() {
        let owner = owner("changing");
        let ended = client.destroy_by_owner(&owner, &[key]).await?;
        stage.equal(ended, 1, "how many were ended")?;
        admit(stage, None, &record(8), limit).await?;
        let ended = client.destroy_by_owner(&owner, &[]).await?;
        stage.equal(ended, 2, "how many were ended")?;
        admit(stage, None, &record(9), limit).await?;
        admit(stage, None, &record(10), end_oldest(2)).await?;
    }
    Ok(())
}
