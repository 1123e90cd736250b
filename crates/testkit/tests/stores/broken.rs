//! Stores that break a promise, to see that the scenarios notice.

use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use cloakroom::{
    Enumerate, Expect, ManualClock, MemoryStore, Record, SessionKey, SetOutcome, Store, StoreFuture,
};
use cloakroom_testkit::{Data, FaultyStore, Kit, Stock, run_on, scenarios};

use crate::Axum;

/// What is wrong with a store.
trait Flaw: Send + Sync + 'static {
    fn set(
        store: &MemoryStore<Data>,
        key: SessionKey,
        record: Record<Data>,
        expect: Expect,
    ) -> StoreFuture<'_, SetOutcome>;
}

/// Writes whether or not there is a session: brings the dead back.
struct Upsert;

impl Flaw for Upsert {
    fn set(
        store: &MemoryStore<Data>,
        key: SessionKey,
        record: Record<Data>,
        expect: Expect,
    ) -> StoreFuture<'_, SetOutcome> {
        StoreFuture::new(async move {
            match store.set(&key, record.clone(), expect).await? {
                SetOutcome::Gone => store.set(&key, record, Expect::Absent).await,
                outcome => Ok(outcome),
            }
        })
    }
}

/// Writes over whatever is there: loses what another request wrote.
struct LastOneWins;

impl Flaw for LastOneWins {
    fn set(
        store: &MemoryStore<Data>,
        key: SessionKey,
        record: Record<Data>,
        expect: Expect,
    ) -> StoreFuture<'_, SetOutcome> {
        let expect = match expect {
            Expect::Version(_) => Expect::Present,
            other => other,
        };
        store.set(&key, record, expect)
    }
}

/// Says that it has stored, and every now and then has not.
struct Forgetful;

impl Flaw for Forgetful {
    fn set(
        store: &MemoryStore<Data>,
        key: SessionKey,
        record: Record<Data>,
        expect: Expect,
    ) -> StoreFuture<'_, SetOutcome> {
        StoreFuture::new(async move {
            match store.get(&key).await? {
                Some(found) if record.data.count % 10 == 7 && found.data.count % 10 == 6 => {
                    Ok(SetOutcome::Stored(found.version + 1))
                }
                _ => store.set(&key, record, expect).await,
            }
        })
    }
}

/// A store with that flaw; its other operations are those that the trait provides.
struct Broken<F>(MemoryStore<Data>, PhantomData<F>);

impl<F: Flaw> Store<Data> for Broken<F> {
    fn get(&self, key: &SessionKey) -> StoreFuture<'_, Option<Record<Data>>> {
        self.0.get(key)
    }

    fn set(
        &self,
        key: &SessionKey,
        record: Record<Data>,
        expect: Expect,
    ) -> StoreFuture<'_, SetOutcome> {
        F::set(&self.0, *key, record, expect)
    }

    fn destroy(&self, key: &SessionKey) -> StoreFuture<'_, bool> {
        self.0.destroy(key)
    }

    fn enumerate(&self) -> Option<&dyn Enumerate<Data>> {
        self.0.enumerate()
    }
}

impl<F> std::fmt::Debug for Broken<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Broken")
    }
}

impl<F: Flaw> Stock for Broken<F> {
    async fn open(clock: ManualClock) -> FaultyStore<Data> {
        let store = MemoryStore::builder().clock(clock).build();
        FaultyStore::around(Arc::new(Self(store, PhantomData)))
    }
}

/// What the scenario says of it.
fn complaint<F: Flaw>(scenario: impl AsyncFnOnce(&Kit)) -> String {
    let run = AssertUnwindSafe(|| run_on::<Axum, Broken<F>>(scenario));
    let panic = catch_unwind(run).expect_err("the flaw is noticed");
    *panic.downcast::<String>().expect("it says something")
}

#[test]
fn a_store_that_brings_the_dead_back_is_caught() {
    let complaint = complaint::<Upsert>(scenarios::orders::two_requests_in_every_order);
    assert!(
        complaint.contains("save, and resave BetweenReadAndWrite"),
        "{complaint}"
    );
}

#[test]
fn a_store_that_loses_writes_is_caught() {
    let complaint = complaint::<LastOneWins>(scenarios::orders::two_requests_in_every_order);
    assert!(
        complaint.contains("save, and save BetweenReadAndWrite"),
        "{complaint}"
    );
    let complaint = self::complaint::<LastOneWins>(scenarios::parallel::of_64_updates_none_is_lost);
    assert!(complaint.contains("ada:"), "{complaint}");
}

#[test]
fn a_store_that_forgets_is_caught() {
    let scenario = scenarios::parallel::of_64_updates_with_work_to_do_none_is_lost;
    let complaint = complaint::<Forgetful>(scenario);
    assert!(complaint.contains("ada:"), "{complaint}");
}
