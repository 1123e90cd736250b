use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use super::NO_PEER;
use crate::conformance::race::{Racer, pause};
use crate::conformance::stage::{CROWD, Stage, key};
use crate::conformance::{Coverage, Harness, Payload, Violation};
use crate::{RotateOutcome, SessionKey, Store};

/// Law 6: `rotate` is atomic: at no moment are two keys of a session live, not even if it is cut off in the
/// middle. Of many rotations of one session one wins.
///
/// That one of the keys is always live is checked if the harness says that the store
/// [rotates in one step](Harness::rotates_in_one_step).
///
/// # Errors
/// The violation that was found.
pub async fn law_06_rotate_leaves_one_live_key<S: Store<Payload>>(
    harness: &Harness<S>,
) -> Result<Coverage, Violation> {
    let stage = Stage::open(harness, 6).await;
    a_taken_key_moves_nothing(&stage).await?;
    for polls in 0..12 {
        cut_off(&stage, polls).await?;
    }
    for round in 0..harness.rounds {
        one_of_many_wins(&stage, round).await?;
        nobody_sees_two(&stage, round).await?;
    }
    Ok(Coverage::full().unless(harness.peer.is_some(), NO_PEER))
}

async fn a_taken_key_moves_nothing<S: Store<Payload>>(
    stage: &Stage<'_, S>,
) -> Result<(), Violation> {
    stage.scene("rotate to a key that is taken");
    let client = stage.client(1);
    let (one, other) = (stage.full(1), stage.full(2));
    let (from, to) = (stage.create(&one).await?, stage.create(&other).await?);
    let rotated = client.rotate(&from, &to, stage.record(0).times).await?;
    stage.equal(rotated, RotateOutcome::Exists, "rotate")?;
    stage.same(client.get(&from).await?, &one, 1)?;
    stage.same(client.get(&to).await?, &other, 1)
}

async fn cut_off<S: Store<Payload>>(stage: &Stage<'_, S>, polls: usize) -> Result<(), Violation> {
    stage.scene("a rotation is cut off before it answers");
    let record = stage.record(1);
    let (from, to) = (stage.create(&record).await?, key());
    let client = stage.client(1);
    {
        let mut rotation = pin!(client.rotate(&from, &to, record.times));
        let mut left = polls;
        poll_fn(|context| {
            if left == 0 {
                return Poll::Ready(());
            }
            left -= 1;
            rotation.as_mut().poll(context).map(|_| ())
        })
        .await;
    }
    not_both(stage, &from, &to).await
}

/// The new key is read first: it cannot have become live between, because the old one then died.
async fn not_both<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    from: &SessionKey,
    to: &SessionKey,
) -> Result<(), Violation> {
    let client = stage.client(2);
    let new = client.get(to).await?.is_some();
    let old = client.get(from).await?.is_some();
    stage.check(!(old && new), "both keys are live")
}

async fn one_of_many_wins<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    round: usize,
) -> Result<(), Violation> {
    stage.scene("many rotate one session at once, each to a key of its own");
    let record = stage.record(1);
    let from = stage.create(&record).await?;
    let keys: Vec<SessionKey> = (0..CROWD).map(|_| key()).collect();
    let racers = (1..).zip(&keys).map(|(number, to)| {
        let (client, to) = (stage.client(number), *to);
        Box::pin(async move { Ok(client.rotate(&from, &to, record.times).await?) }) as Racer<_>
    });
    let answers = stage.race(round, racers.collect()).await?;
    let client = stage.client(1);
    stage.dead(client.get(&from).await?, "the old key is live")?;
    let mut winners = 0;
    for (to, answer) in keys.iter().zip(answers) {
        let won = matches!(answer, RotateOutcome::Moved { .. });
        let live = client.get(to).await?.is_some();
        stage.equal(live, won, "whether a new key is live")?;
        winners += usize::from(won);
        stage.check(
            won || answer == RotateOutcome::Gone,
            "a losing rotation did not answer `Gone`",
        )?;
    }
    stage.equal(winners, 1, "how many won")
}

async fn nobody_sees_two<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    round: usize,
) -> Result<(), Violation> {
    stage.scene("a session is read under both keys while it is rotated");
    let strict = stage.harness.rotates_in_one_step;
    let record = stage.record(1);
    let (from, to) = (stage.create(&record).await?, key());
    let (rotator, up, down) = (stage.client(1), stage.client(2), stage.client(3));
    let racers: Vec<Racer<_>> = vec![
        Box::pin(async move {
            pause(round % 4).await;
            let answer = rotator.rotate(&from, &to, record.times).await?;
            Ok(matches!(answer, RotateOutcome::Moved { .. }))
        }),
        Box::pin(async move {
            for _ in 0..6 {
                let new = up.get(&to).await?.is_some();
                let old = up.get(&from).await?.is_some();
                if new && old {
                    return Ok(false);
                }
                pause(1).await;
            }
            Ok(true)
        }),
        Box::pin(async move {
            for _ in 0..6 {
                let old = down.get(&from).await?.is_some();
                let new = down.get(&to).await?.is_some();
                if strict && !old && !new {
                    return Ok(false);
                }
                pause(1).await;
            }
            Ok(true)
        }),
    ];
    let answers = stage.race(round, racers).await?;
    stage.check(answers[0], "a live session was not moved")?;
    stage.check(answers[1], "both keys were live at one moment")?;
    stage.check(answers[2], "neither key was live at one moment")
}
