use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use super::NO_PEER;
use crate::conformance::dice::Dice;
use crate::conformance::payload::{awkward, noise, numbered};
use crate::conformance::race::{Racer, pause};
use crate::conformance::stage::{CROWD, Stage, key, owner, touched};
use crate::conformance::{Coverage, Harness, Payload, Violation};
use crate::{ClientInfo, Expect, Record, SessionKey, SetOutcome, Store};

/// Law 1: `get` answers the last acknowledged `set` of that key, whole, and no other key's; also when many
/// read and write at once (linearizable per key), and from another instance.
///
/// # Errors
/// The violation that was found.
pub async fn law_01_get_answers_the_last_set<S: Store<Payload>>(
    harness: &Harness<S>,
) -> Result<Coverage, Violation> {
    let stage = Stage::open(harness, 1).await;
    every_field_comes_back(&stage).await?;
    every_payload_comes_back(&stage).await?;
    reads_see_the_writes_before_them(&stage).await?;
    keys_that_look_alike_are_different(&stage).await?;
    for round in 0..harness.rounds {
        racing_reads_and_writes_fit_an_order(&stage, round).await?;
    }
    Ok(Coverage::full().unless(harness.peer.is_some(), NO_PEER))
}

async fn every_field_comes_back<S: Store<Payload>>(stage: &Stage<'_, S>) -> Result<(), Violation> {
    stage.scene("write and overwrite each field of a record");
    let client = stage.client(1);
    let full = stage.full(1);
    let mut bare = stage.record(2);
    bare.times.ends_at = None;
    let mut changed = stage.full(3);
    changed.owner = Some(owner("grace"));
    let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 17));
    changed.client = Some(Arc::new(ClientInfo::new(None, Some(address))));
    let mut no_address = stage.full(4);
    no_address.times.ends_at = None;
    no_address.times.authenticated_at = None;
    no_address.client = Some(Arc::new(ClientInfo::new(Some("Browser/2.0"), None)));

    let records = [full, bare, changed, no_address];
    for first in &records {
        let key = stage.create(first).await?;
        stage.same(client.get(&key).await?, first, 1)?;
        let mut version = 1;
        for record in &records {
            let outcome = client.set(&key, record.clone(), Expect::Version(version));
            version += 1;
            stage.equal(outcome.await?, SetOutcome::Stored(version), "an overwrite")?;
            stage.same(client.get(&key).await?, record, version)?;
        }
    }
    Ok(())
}

async fn every_payload_comes_back<S: Store<Payload>>(
    stage: &Stage<'_, S>,
) -> Result<(), Violation> {
    stage.scene("binary, Unicode and large payloads");
    let mut payloads = awkward();
    // As text, each byte may take four: stay below a limit that the store has said.
    let longest = stage.harness.payload_limit.unwrap_or(usize::MAX) / 5;
    payloads.push(noise(70_000.min(longest)));
    for payload in payloads {
        let mut record = stage.record(0);
        record.data = Arc::new(payload);
        let key = stage.create(&record).await?;
        stage.same(stage.client(2).get(&key).await?, &record, 1)?;
    }
    Ok(())
}

/// Reads come between the writes, so that whoever keeps what they read must notice.
async fn reads_see_the_writes_before_them<S: Store<Payload>>(
    stage: &Stage<'_, S>,
) -> Result<(), Violation> {
    stage.scene(
        "write, read, write again and read again, turn about on the instances that there are",
    );
    let (here, there) = (stage.client(1), stage.client(2));
    let from = stage.create(&stage.record(1)).await?;
    stage.same(there.get(&from).await?, &stage.record(1), 1)?;
    for (number, (writer, reader)) in (2..).zip([(&here, &there), (&there, &here), (&here, &here)])
    {
        let record = stage.record(number);
        let outcome = writer.set(&from, record.clone(), Expect::Version(number - 1));
        stage.equal(outcome.await?, SetOutcome::Stored(number), "an overwrite")?;
        stage.same(reader.get(&from).await?, &record, number)?;
    }
    let to = key();
    let rotated = here.rotate(&from, &to, stage.record(0).times).await?;
    stage.check(
        matches!(rotated, crate::RotateOutcome::Moved { .. }),
        "a live session was not moved",
    )?;
    stage.dead(there.get(&from).await?, "the old key of a rotation is live")?;
    stage.check(there.get(&to).await?.is_some(), "the new key is dead")?;
    stage.equal(there.destroy(&to).await?, true, "destroy of a live session")?;
    stage.dead(here.get(&to).await?, "a destroyed session was read")
}

async fn keys_that_look_alike_are_different<S: Store<Payload>>(
    stage: &Stage<'_, S>,
) -> Result<(), Violation> {
    stage.scene("keys that only a collation or padding takes for one");
    let client = stage.client(1);
    let keys = look_alikes();
    for (number, key) in (0..).zip(&keys) {
        let outcome = client.set(key, stage.record(number), Expect::Absent);
        stage.equal(outcome.await?, SetOutcome::Stored(1), "a key of its own")?;
    }
    for (number, key) in (0..).zip(&keys) {
        stage.same(client.get(key).await?, &stage.record(number), 1)?;
        stage.equal(client.destroy(key).await?, true, "destroy by its own key")?;
    }
    Ok(())
}

/// Each is the last thing that a sloppy comparison would tell apart from another: the case of letters in the
/// bytes or in their base64, trailing zeros and spaces, signs, bytes that are no UTF-8.
fn look_alikes() -> Vec<SessionKey> {
    let ending = |fill: u8, end: u8| {
        let mut bytes = [fill; 32];
        bytes[31] = end;
        bytes
    };
    // Three bytes are four letters of base64: "AAAA", "aaaa", "AaAa".
    let spelled = |group: [u8; 3]| std::array::from_fn(|at| group[at % 3]);
    [
        [b'A'; 32],
        [b'a'; 32],
        ending(b'a', 0),
        ending(b'a', b' '),
        ending(0, b'a'),
        [0; 32],
        [0xff; 32],
        ending(0xff, 0xfe),
        [0x80; 32],
        spelled([0x69, 0xa6, 0x9a]),
        spelled([0x01, 0xa0, 0x1a]),
        spelled([0x68, 0x06, 0x80]),
    ]
    .map(SessionKey::from_bytes)
    .to_vec()
}

async fn racing_reads_and_writes_fit_an_order<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    round: usize,
) -> Result<(), Violation> {
    stage.scene("several clients read, write, create and destroy one session at once");
    let key = key();
    let racers = (1..=4).map(|number| {
        let client = stage.client(number);
        let mut dice = Dice::new((round * CROWD + number) as u64);
        let record = stage.record(number as u64);
        Box::pin(async move {
            let mut seen = 1;
            for step in 0..6 {
                pause(dice.below(3)).await;
                let write = Record {
                    data: Arc::new(numbered((number * 100 + step) as u64)),
                    ..record.clone()
                };
                let expect = match dice.below(8) {
                    0 | 1 => {
                        let found = client.get(&key).await?;
                        seen = found.map_or(seen, |record| record.version);
                        continue;
                    }
                    2 => {
                        client.destroy(&key).await?;
                        continue;
                    }
                    3 | 4 => Expect::Absent,
                    5 => Expect::Present,
                    _ => Expect::Version(seen),
                };
                if let SetOutcome::Stored(version) | SetOutcome::Conflict(version) =
                    client.set(&key, write, expect).await?
                {
                    seen = version;
                }
            }
            Ok(())
        }) as Racer<_>
    });
    stage.race(round, racers.collect()).await?;
    stage.linearizable(&key)?;

    stage.scene("a session is touched, written and read by two clients at once");
    // A touch must not bring old data over new: without a new session under the key there is nothing between.
    let start = stage.record(0);
    let key = stage.create(&start).await?;
    let mut racers: Vec<Racer<_>> = Vec::new();
    for number in 1..=2 {
        let client = stage.client(number);
        let record = stage.record(number as u64);
        let times = touched(start.times, stage.now());
        racers.push(Box::pin(async move {
            for _ in 0..4 {
                pause(number).await;
                client.touch(&key, &times).await?;
                // Its answer is judged with the others below.
                let _ = client.set(&key, record.clone(), Expect::Present).await?;
                client.get(&key).await?;
            }
            Ok(())
        }));
    }
    stage.race(round, racers).await?;
    stage.linearizable(&key)
}
