use std::num::NonZeroU32;
use std::sync::Arc;

use crate::conformance::client::Trouble;
use crate::conformance::payload::noise;
use crate::conformance::stage::{Stage, key};
use crate::conformance::{Coverage, Harness, Payload, Violation};
use crate::{Expect, OwnerLimit, SetOutcome, Store, StoreErrorKind, WhenReached};

/// Law 12: a payload over the limit is refused before anything is written. Needs [`Harness::payload_limit`].
///
/// # Errors
/// The violation that was found.
pub async fn law_12_too_large_writes_nothing<S: Store<Payload>>(
    harness: &Harness<S>,
) -> Result<Coverage, Violation> {
    let Some(limit) = harness.payload_limit else {
        return Ok(Coverage::nothing(
            "the harness does not say what is too large (`payload_limit`)",
        ));
    };
    let stage = Stage::open(harness, 12).await;
    stage.scene("write a payload over the limit, over nothing and over a session");
    let client = stage.client(1);
    let small = stage.full(1);
    let mut large = small.clone();
    // Noise does not shrink when it is encoded.
    large.data = Arc::new(noise(limit + 1));

    let (unused, to) = (key(), key());
    let live = stage.create(&small).await?;
    let create = client.set(&unused, large.clone(), Expect::Absent).await;
    too_large(&stage, create)?;
    stage.dead(client.get(&unused).await?, "a refused session is there")?;
    for expect in [Expect::Present, Expect::Version(1)] {
        too_large(&stage, client.set(&live, large.clone(), expect).await)?;
        stage.same(client.get(&live).await?, &small, 1)?;
    }
    // Whether the old session is dead now is left to the store.
    let old = stage.create(&small).await?;
    too_large(&stage, client.replace(&old, &to, large.clone()).await)?;
    stage.dead(client.get(&to).await?, "a refused replacement is there")?;
    if stage.limits_owners() {
        let limit = OwnerLimit::new(NonZeroU32::MIN, WhenReached::EndOldest);
        too_large(&stage, client.admit(None, &to, large, limit).await)?;
        stage.dead(client.get(&to).await?, "a refused session is there")?;
    }

    stage.same(client.get(&live).await?, &small, 1)?;
    let write = client.set(&live, small, Expect::Version(1)).await?;
    stage.equal(write, SetOutcome::Stored(2), "a small write afterwards")?;
    Ok(Coverage::full())
}

fn too_large<O>(
    stage: &Stage<'_, impl Store<Payload>>,
    answer: Result<O, Trouble>,
) -> Result<(), Violation> {
    match answer {
        Err(trouble) if trouble.kind() == StoreErrorKind::TooLarge => Ok(()),
        Err(_) => Err(stage.violation("the error is not `TooLarge`")),
        Ok(_) => Err(stage.violation("a payload over the limit was not refused")),
    }
}
