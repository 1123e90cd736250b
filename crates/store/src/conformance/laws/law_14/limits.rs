use super::{admit, aged, are_live, end_oldest, is_refused, refuse, sessions};
use crate::Store;
use crate::conformance::stage::{MINUTE, Stage, owner};
use crate::conformance::{Payload, Violation};

pub(super) async fn without_an_owner_nothing_is_limited<S: Store<Payload>>(
    stage: &Stage<'_, S>,
) -> Result<(), Violation> {
    stage.scene("admit sessions that belong to nobody");
    let client = stage.client(1);
    let mut keys = Vec::new();
    for limit in [refuse(1), end_oldest(1)] {
        for number in 0..3 {
            let (key, ended) = admit(stage, None, &stage.record(number), limit).await?;
            stage.check(ended.is_empty(), "a session ended for one without owner")?;
            keys.push(key);
        }
    }
    let last = keys.pop().expect("there are six");
    let (key, ended) = admit(stage, Some(&last), &stage.record(7), refuse(1)).await?;
    stage.check(
        ended.is_empty(),
        "what was ending is among those that ended",
    )?;
    stage.dead(client.get(&last).await?, "what was ending is live")?;
    keys.push(key);
    for key in &keys {
        let found = client.get(key).await?;
        stage.check(found.is_some(), "a session ended for one without owner")?;
    }
    Ok(())
}

pub(super) async fn what_is_admitted_is_stored<S: Store<Payload>>(
    stage: &Stage<'_, S>,
) -> Result<(), Violation> {
    stage.scene("admit a session with something in every field, over another and over nothing");
    let mut keys = Vec::new();
    let before = stage.create(&stage.record(1)).await?;
    for ending in [None, Some(&before), Some(&before)] {
        let (key, ended) = admit(stage, ending, &stage.full(2), refuse(3)).await?;
        stage.check(ended.is_empty(), "a session ended although there was room")?;
        keys.push(key);
    }
    let found = stage.client(1).get(&before).await?;
    stage.dead(found, "what was ending is live")?;
    are_live(stage, "Ada Lovelace", &keys, &keys).await?;
    is_refused(stage, None, &stage.full(3), refuse(3)).await
}

pub(super) async fn the_oldest_end<S: Store<Payload>>(
    stage: &Stage<'_, S>,
) -> Result<(), Violation> {
    stage.scene("one owner signs in again and again, another not");
    let others = sessions(stage, "spared", 4).await?;
    // Not stored in the order of their age.
    let mut ages = Vec::new();
    for minutes in [20, 40, 10, 30] {
        let record = aged(stage, minutes.into(), "oldest", minutes);
        let (key, ended) = admit(stage, None, &record, end_oldest(4)).await?;
        stage.check(ended.is_empty(), "a session ended although there was room")?;
        ages.push((minutes, key));
    }
    ages.sort_by_key(|(minutes, _)| std::cmp::Reverse(*minutes));
    let mut all: Vec<_> = ages.iter().map(|(_, key)| *key).collect();
    for (at, minutes) in (0..).zip([9, 8, 7, 6, 5]) {
        let record = aged(stage, minutes.into(), "oldest", minutes);
        let (key, ended) = admit(stage, None, &record, end_oldest(4)).await?;
        all.push(key);
        stage.equal(ended, vec![all[at]], "which session ended")?;
        are_live(stage, "oldest", &all, &all[at + 1..]).await?;
    }
    are_live(stage, "spared", &others, &others).await
}

pub(super) async fn the_new_one_stays_though_it_is_older<S: Store<Payload>>(
    stage: &Stage<'_, S>,
) -> Result<(), Violation> {
    stage.scene("a session is admitted that began before all others");
    let before = sessions(stage, "back", 2).await?;
    let record = aged(stage, 9, "back", 60);
    let (key, ended) = admit(stage, None, &record, end_oldest(2)).await?;
    stage.equal(ended, vec![before[0]], "which session ended")?;
    are_live(
        stage,
        "back",
        &[before[0], before[1], key],
        &[before[1], key],
    )
    .await
}

pub(super) async fn a_lowered_limit<S: Store<Payload>>(
    stage: &Stage<'_, S>,
) -> Result<(), Violation> {
    stage.scene("an owner has more sessions than are allowed now");
    let mut all = sessions(stage, "lowered", 7).await?;
    let record = aged(stage, 9, "lowered", 0);
    is_refused(stage, None, &record, refuse(3)).await?;
    is_refused(stage, Some(&all[6]), &record, refuse(3)).await?;
    are_live(stage, "lowered", &all, &all).await?;

    let (key, ended) = admit(stage, None, &record, end_oldest(3)).await?;
    let mut wanted = all[..5].to_vec();
    wanted.sort();
    stage.equal(ended, wanted, "which sessions ended")?;
    all.push(key);
    are_live(stage, "lowered", &all, &all[5..]).await?;
    is_refused(stage, None, &record, refuse(3)).await?;

    // One sign-in with a higher limit finds room again.
    let (key, ended) = admit(stage, None, &record, refuse(4)).await?;
    stage.check(ended.is_empty(), "a session ended although there was room")?;
    all.push(key);
    are_live(stage, "lowered", &all, &all[5..]).await
}

pub(super) async fn the_expired_do_not_count<S: Store<Payload>>(
    stage: &Stage<'_, S>,
) -> Result<(), Violation> {
    for limit in [refuse(2), end_oldest(2)] {
        stage.scene("an owner signs in whose sessions have expired");
        let name = format!("expired {:?}", limit.when_reached);
        let mut short = stage.idle(1, MINUTE);
        short.owner = Some(owner(&name));
        let mut all = vec![stage.create(&short).await?, stage.create(&short).await?];
        stage.advance(MINUTE);
        let ending = all[0];
        for ending in [None, Some(&ending)] {
            let record = aged(stage, 2, &name, 0);
            let (key, ended) = admit(stage, ending, &record, limit).await?;
            stage.equal(ended, vec![], "which live sessions ended")?;
            all.push(key);
        }
        are_live(stage, &name, &all, &all[2..]).await?;
    }
    Ok(())
}
