mod racing;

use super::NO_LISTING;
use crate::conformance::stage::{MINUTE, Stage, key, owner};
use crate::conformance::{Coverage, Harness, Payload, Violation};
use crate::{Entry, Expect, Owner, Record, RotateOutcome, SessionKey, SetOutcome, Store};

/// Law 9: listing, by owner or all, never misses a live session and never shows a dead one; counting and
/// clearing agree with it. Needs a store that enumerates.
///
/// # Errors
/// The violation that was found.
pub async fn law_09_listings_show_exactly_the_live<S: Store<Payload>>(
    harness: &Harness<S>,
) -> Result<Coverage, Violation> {
    let stage = Stage::open(harness, 9).await;
    if !stage.enumerates() {
        return Ok(Coverage::nothing(NO_LISTING));
    }
    all_are_listed_and_cleared(&stage).await?;
    the_index_follows_every_write(&stage).await?;
    owners_are_compared_byte_by_byte(&stage).await?;
    an_owner_is_signed_out_everywhere(&stage).await?;
    for round in 0..harness.rounds {
        racing::listing_races_logins_and_ends(&stage, round).await?;
        racing::listing_races_rotations(&stage, round).await?;
        racing::signing_out_races_logins(&stage, round).await?;
        racing::signing_out_races_writes(&stage, round).await?;
    }
    Ok(Coverage::full())
}

async fn all_are_listed_and_cleared<S: Store<Payload>>(
    stage: &Stage<'_, S>,
) -> Result<(), Violation> {
    stage.scene("list, count and clear an empty store and one with sessions");
    let client = stage.client(1);
    stage.equal(client.count().await?, 0, "count of a fresh store")?;
    stage.equal(client.clear().await?, 0, "clear of a fresh store")?;
    let mut live = Vec::new();
    for number in 0..120 {
        let record = match number % 2 {
            0 => stage.full(number),
            _ => stage.record(number),
        };
        live.push((stage.create(&record).await?, record));
    }
    let (dead, _) = live.swap_remove(17);
    stage.equal(client.destroy(&dead).await?, true, "destroy")?;
    live.sort_by_key(|(key, _)| *key);
    for mut list in [client.all().await?, client.visit().await?] {
        list.sort_by_key(|entry| entry.key);
        let found: Vec<_> = list.iter().map(|entry| entry.key).collect();
        let wanted: Vec<_> = live.iter().map(|(key, _)| *key).collect();
        stage.check(found == wanted, "the list is not of each live session once")?;
        for (entry, (_, record)) in list.into_iter().zip(&live) {
            stage.same(Some(entry.record), record, 1)?;
        }
    }
    stage.equal(client.count().await?, 119, "count")?;
    stage.equal(client.clear().await?, 119, "clear")?;
    stage.equal(client.count().await?, 0, "count after clear")?;
    stage.check(client.all().await?.is_empty(), "clear left a session")?;
    let listed = client.list_by_owner(&owner("Ada Lovelace")).await?;
    stage.check(listed.is_empty(), "clear left a session in the index")?;
    stage.dead(client.get(&live[0].0).await?, "clear left a session live")?;
    let write = client.set(&live[0].0, stage.record(1), Expect::Present);
    stage.equal(write.await?, SetOutcome::Gone, "a write after clear")
}

fn owned<S: Store<Payload>>(stage: &Stage<'_, S>, number: u64, name: &str) -> Record<Payload> {
    let mut record = stage.full(number);
    record.owner = Some(owner(name));
    record
}

async fn lists<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    owner: &Owner,
    wanted: &[SessionKey],
) -> Result<Vec<Entry<Payload>>, Violation> {
    let list = stage.client(2).list_by_owner(owner).await?;
    let found: Vec<_> = list.iter().map(|entry| entry.key).collect();
    let wanted = wanted.to_vec();
    stage.equal(found, wanted, "the owner's sessions, the oldest first")?;
    Ok(list)
}

async fn the_index_follows_every_write<S: Store<Payload>>(
    stage: &Stage<'_, S>,
) -> Result<(), Violation> {
    stage.scene("an owner's sessions after each sort of write");
    let client = stage.client(1);
    let (ada, bob) = (owner("ada"), owner("bob"));
    let at = |number: u64, name| {
        let mut record = owned(stage, number, name);
        record.times.created_at = stage.now().minus(MINUTE * (10 - number as u32));
        record
    };
    // Not in the order of their age.
    let (two, one) = (at(2, "ada"), at(1, "ada"));
    let second = stage.create(&two).await?;
    let first = stage.create(&one).await?;
    let anonymous = stage.create(&stage.record(0)).await?;
    let list = lists(stage, &ada, &[first, second]).await?;
    stage.same(Some(list[0].record.clone()), &one, 1)?;
    stage.same(Some(list[1].record.clone()), &two, 1)?;
    lists(stage, &bob, &[]).await?;

    // Somebody signs in to an anonymous session, then as somebody else.
    for (name, adas, bobs) in [
        ("ada", vec![first, second, anonymous], vec![]),
        ("bob", vec![first, second], vec![anonymous]),
    ] {
        let write = client.set(&anonymous, at(3, name), Expect::Present).await?;
        stage.check(
            matches!(write, SetOutcome::Stored(_)),
            "a write was refused",
        )?;
        lists(stage, &ada, &adas).await?;
        lists(stage, &bob, &bobs).await?;
    }
    let mut nobody = at(3, "bob");
    nobody.owner = None;
    let write = client.set(&anonymous, nobody, Expect::Present).await?;
    stage.equal(write, SetOutcome::Stored(4), "a write without owner")?;
    lists(stage, &bob, &[]).await?;

    let to = key();
    let rotated = client.rotate(&first, &to, one.times).await?;
    stage.check(
        matches!(rotated, RotateOutcome::Moved { .. }),
        "a live session was not moved",
    )?;
    let list = lists(stage, &ada, &[to, second]).await?;
    stage.alike(&list[0].record, &one)?;
    stage.equal(client.count().await?, 3, "count after a rotation")?;

    let new = key();
    let replaced = client.replace(&to, &new, at(5, "bob")).await?;
    stage.equal(replaced, SetOutcome::Stored(1), "replace")?;
    lists(stage, &ada, &[second]).await?;
    lists(stage, &bob, &[new]).await?;

    stage.equal(client.touch(&second, &two.times).await?, true, "touch")?;
    lists(stage, &ada, &[second]).await?;
    stage.equal(client.destroy(&second).await?, true, "destroy")?;
    lists(stage, &ada, &[]).await?;

    let mut over = at(6, "bob");
    over.times.ends_at = Some(stage.now());
    let write = client.set(&new, over, Expect::Version(1)).await?;
    stage.equal(write, SetOutcome::Stored(2), "a record that is over")?;
    lists(stage, &bob, &[]).await?;
    Ok(())
}

async fn owners_are_compared_byte_by_byte<S: Store<Payload>>(
    stage: &Stage<'_, S>,
) -> Result<(), Violation> {
    stage.scene("owners that only a collation takes for one");
    let client = stage.client(1);
    let longest = "x".repeat(Owner::MAX_BYTES);
    let long = format!("{}y", &longest[1..]);
    let names = [
        "Zoe",
        "zoe",
        "ZOE",
        "zoe ",
        " zoe",
        "zoë",
        "zoe\u{308}",
        "zoe\t",
        "straße",
        "strasse",
        "1",
        "01",
        "1.0",
        "%",
        "_",
        "zo_",
        "null",
        "'",
        "\\",
        "*",
        "[z]oe",
        "😀",
        "😁",
        &longest,
        &long,
    ];
    let mut sessions = Vec::new();
    for (number, name) in (0..).zip(names) {
        sessions.push((
            owner(name),
            stage.create(&owned(stage, number, name)).await?,
        ));
    }
    for (owner, key) in &sessions {
        let list = lists(stage, owner, &[*key]).await?;
        let found = list[0].record.owner.as_ref();
        stage.check(found == Some(owner), "the record has another owner")?;
    }
    for (at, (owner, _)) in sessions.iter().enumerate() {
        let ended = client.destroy_by_owner(owner, &[]).await?;
        stage.equal(ended, 1, "how many sessions of one owner were ended")?;
        if let Some((_, key)) = sessions.get(at + 1) {
            let next = client.get(key).await?;
            stage.check(next.is_some(), "another owner's session was ended")?;
        }
    }
    Ok(())
}

async fn an_owner_is_signed_out_everywhere<S: Store<Payload>>(
    stage: &Stage<'_, S>,
) -> Result<(), Violation> {
    stage.scene("destroy an owner's sessions, but not one");
    let client = stage.client(1);
    let carol = owner("carol");
    let mut keys = Vec::new();
    for number in 0..5 {
        keys.push(stage.create(&owned(stage, number, "carol")).await?);
    }
    let other = stage.create(&owned(stage, 9, "dave")).await?;
    let ended = client.destroy_by_owner(&carol, &[keys[2]]).await?;
    stage.equal(ended, 4, "how many were ended")?;
    for (at, key) in keys.iter().enumerate() {
        let live = client.get(key).await?.is_some();
        stage.equal(live, at == 2, "whether a session lives")?;
    }
    // A session may be spared by several keys, in any order; one that nobody has spares nothing.
    let second = stage.create(&owned(stage, 5, "carol")).await?;
    let spared = [key(), second, key(), keys[2]];
    let ended = client.destroy_by_owner(&carol, &spared).await?;
    stage.equal(ended, 0, "how many were ended of those that were spared")?;
    let ended = client.destroy_by_owner(&carol, &[second, key()]).await?;
    stage.equal(ended, 1, "how many were ended")?;
    // Someone else's session spares nothing either.
    let ended = client.destroy_by_owner(&carol, &[other]).await?;
    stage.equal(ended, 1, "how many were ended")?;
    let again = client.destroy_by_owner(&carol, &[key()]).await?;
    stage.equal(again, 0, "how many were ended again")?;
    let other = client.get(&other).await?;
    stage.check(other.is_some(), "another owner's session was ended")
}
