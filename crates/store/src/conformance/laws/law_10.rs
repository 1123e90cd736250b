use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use crate::conformance::client::{Client, Trouble};
use crate::conformance::deadline::within;
use crate::conformance::stage::{DAY, Stage, key, owner};
use crate::conformance::{Coverage, Harness, Payload, Violation};
use crate::{Expect, OwnerLimit, SessionKey, Store, StoreErrorKind, WhenReached};

/// Law 10: a store that cannot answer says `Unavailable` within its time-out, never `None`, and answers again
/// when it can. Needs [`Harness::outage`].
///
/// # Errors
/// The violation that was found.
pub async fn law_10_trouble_is_unavailable<S: Store<Payload>>(
    harness: &Harness<S>,
) -> Result<Coverage, Violation> {
    let Some(outage) = &harness.outage else {
        return Ok(Coverage::nothing(
            "the harness cannot make the store unavailable (`outage`)",
        ));
    };
    let stage = Stage::open(harness, 10).await;
    stage.scene("every operation while the store cannot answer, and afterwards");
    let mut keys = Vec::new();
    for number in 0..8 {
        keys.push(stage.create(&stage.full(number)).await?);
    }
    (outage.begin)(stage.store()).await;
    stage.log.note("the store is made unavailable");
    let found = all_fail(&stage, &keys, outage.bound).await;
    // The store is mended also when a law is broken: the server may serve other tests.
    (outage.end)(stage.store()).await;
    stage.log.note("the store is made available");
    found?;

    let client = stage.client(1);
    let record = answers_again(&stage, &client, &keys[0], outage.bound).await?;
    stage.check(record, "a session was lost in the outage")?;
    stage.same(client.get(&keys[0]).await?, &stage.full(0), 1)?;
    let created = stage.create(&stage.full(8)).await?;
    stage.same(client.get(&created).await?, &stage.full(8), 1)?;
    Ok(Coverage::full())
}

async fn all_fail<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    keys: &[SessionKey],
    bound: Duration,
) -> Result<(), Violation> {
    let client = stage.client(1);
    let record = stage.full(9);
    let times = record.times;
    fails(stage, bound, client.get(&keys[0])).await?;
    fails(stage, bound, client.get(&key())).await?;
    for (at, expect) in [(1, Expect::Present), (2, Expect::Version(1))] {
        let write = client.set(&keys[at], record.clone(), expect);
        fails(stage, bound, write).await?;
    }
    let unknown = key();
    let create = client.set(&unknown, record.clone(), Expect::Absent);
    fails(stage, bound, create).await?;
    fails(stage, bound, client.destroy(&keys[3])).await?;
    fails(stage, bound, client.touch(&keys[4], &times)).await?;
    fails(stage, bound, client.rotate(&keys[5], &key(), times)).await?;
    fails(
        stage,
        bound,
        client.replace(&keys[6], &key(), record.clone()),
    )
    .await?;
    if stage.limits_owners() {
        // One that would be refused, and one that would be stored.
        let max = NonZeroU32::MIN;
        for when_reached in [WhenReached::Refuse, WhenReached::EndOldest] {
            let limit = OwnerLimit::new(max, when_reached);
            let new = key();
            let admit = client.admit(None, &new, record.clone(), limit);
            fails(stage, bound, admit).await?;
        }
    }
    if stage.renews() {
        let (to, ends_at) = (key(), stage.now().plus(DAY));
        let renew = client.renew(&keys[7], &to, times, ends_at);
        fails(stage, bound, renew).await?;
        fails(stage, bound, client.follow(&unknown)).await?;
    }
    if stage.enumerates() {
        let owner = owner("Ada Lovelace");
        fails(stage, bound, client.all()).await?;
        fails(stage, bound, client.count()).await?;
        fails(stage, bound, client.list_by_owner(&owner)).await?;
    }
    Ok(())
}

async fn fails<R>(
    stage: &Stage<'_, impl Store<Payload>>,
    bound: Duration,
    operation: impl Future<Output = Result<R, Trouble>>,
) -> Result<(), Violation> {
    match within(bound, operation).await {
        None => Err(stage.violation(format!("no answer within {bound:?}"))),
        Some(Err(trouble)) if trouble.kind() == StoreErrorKind::Unavailable => Ok(()),
        Some(Err(_)) => Err(stage.violation("the error is not `Unavailable`")),
        Some(Ok(_)) => {
            Err(stage.violation("an answer, as if the store knew, instead of `Unavailable`"))
        }
    }
}

/// The first answers may still be errors, of connections that were cut. Whether the session is there.
async fn answers_again<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    client: &Client<S>,
    key: &SessionKey,
    bound: Duration,
) -> Result<bool, Violation> {
    let start = Instant::now();
    loop {
        match within(bound, client.get(key)).await {
            Some(Ok(record)) => return Ok(record.is_some()),
            Some(Err(_)) if start.elapsed() < bound => {
                // A breath between the attempts.
                within(bound / 50, std::future::pending::<()>()).await;
            }
            _ => return Err(stage.violation(format!("no service again within {bound:?}"))),
        }
    }
}
