//! The memory store's laws under every order of its locks that Shuttle tries: a thousand random schedules a scene, and
//! a thousand that change the running thread at few, well chosen moments (PCT), which finds rare orders that chance
//! does not. Not all of them: a pass is strong evidence, not a proof. A deadlock is found too.
//!
//! `RUSTFLAGS="--cfg cloakroom_shuttle" cargo test -p cloakroom --lib interleavings`; minutes, with a target
//! directory of its own.

mod limits;
mod moving;
mod owners;
mod purging;
mod writing;

use std::sync::Arc;
use std::time::Duration;

use cloakroom_store::{
    AdmitOutcome, Enumerate, Expect, ManualClock, Owner, OwnerLimit, Record, RotateOutcome,
    SessionKey, SetOutcome, Store, StoreErrorKind, Times, Timestamp, Trail, WhenReached,
};
use futures_lite::future::block_on;
use shuttle::thread;

use super::{MemoryStore, WhenFull};

const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const RUNS: usize = 1_000;

fn explore(scene: fn()) {
    shuttle::check_random(scene, RUNS);
    shuttle::check_pct(scene, RUNS, 3);
}

/// Clones are the same store.
#[derive(Clone)]
struct Fixture {
    store: MemoryStore<u32>,
    clock: ManualClock,
}

impl Fixture {
    fn new() -> Self {
        Self::holding(1_000)
    }

    fn holding(max_sessions: usize) -> Self {
        let clock = ManualClock::at(START);
        let store = MemoryStore::builder()
            .clock(clock.clone())
            .max_sessions(max_sessions)
            .when_full(WhenFull::EvictSoonestToExpire)
            .purge_interval(Duration::ZERO)
            .build();
        Self { store, clock }
    }

    fn spawn<R: Send + 'static>(
        &self,
        act: impl FnOnce(&Self) -> R + Send + 'static,
    ) -> thread::JoinHandle<R> {
        let it = self.clone();
        thread::spawn(move || act(&it))
    }

    fn set(&self, number: u8, owner: Option<&str>, expect: Expect) -> SetOutcome {
        block_on(self.store.set(&key(number), record(number, owner), expect)).unwrap()
    }

    fn get(&self, number: u8) -> Option<Record<u32>> {
        block_on(self.store.get(&key(number))).unwrap()
    }

    fn is_live(&self, number: u8) -> bool {
        self.get(number).is_some()
    }

    fn destroy(&self, number: u8) -> bool {
        block_on(self.store.destroy(&key(number))).unwrap()
    }

    fn touch(&self, number: u8) -> bool {
        block_on(self.store.touch(&key(number), START)).unwrap()
    }

    fn rotate(&self, from: u8, to: u8) -> bool {
        let times = record(from, None).times;
        let moved = block_on(self.store.rotate(&key(from), &key(to), times)).unwrap();
        matches!(moved, RotateOutcome::Moved { .. })
    }

    fn renew(&self, from: u8, to: u8) -> bool {
        let times = record(from, None).times;
        let ends_at = START.plus(Duration::from_secs(60));
        let renewal = self.store.renewal().unwrap();
        let moved = block_on(renewal.renew(&key(from), &key(to), times, ends_at)).unwrap();
        matches!(moved, RotateOutcome::Moved { .. })
    }

    fn follow(&self, from: u8) -> Option<Trail> {
        block_on(self.store.renewal().unwrap().follow(&key(from))).unwrap()
    }

    fn replace(&self, from: u8, to: u8, owner: Option<&str>) -> Result<SetOutcome, StoreErrorKind> {
        let replaced = self.store.replace(&key(from), &key(to), record(to, owner));
        block_on(replaced).map_err(|error| error.kind())
    }

    fn admit(&self, ending: Option<u8>, number: u8, limit: OwnerLimit) -> AdmitOutcome {
        let limits = self.store.owner_limits().unwrap();
        let ending = ending.map(key);
        let record = record(number, Some("ada"));
        block_on(limits.admit(ending.as_ref(), &key(number), record, limit)).unwrap()
    }

    fn enumerate(&self) -> &dyn Enumerate<u32> {
        self.store.enumerate().unwrap()
    }

    fn listed(&self, name: &str) -> Vec<SessionKey> {
        let entries = block_on(self.enumerate().list_by_owner(&owner(name))).unwrap();
        let mut keys: Vec<_> = entries.iter().map(|entry| entry.key).collect();
        keys.sort();
        keys
    }

    fn sign_out(&self, name: &str) -> u64 {
        block_on(self.enumerate().destroy_by_owner(&owner(name), &[])).unwrap()
    }

    fn purge(&self) -> u64 {
        block_on(self.enumerate().purge_expired()).unwrap()
    }

    /// When all is quiet: the count is right, and the index names exactly the sessions with an owner.
    fn is_in_order(&self) {
        let mut all = block_on(self.enumerate().all()).unwrap();
        all.sort_by_key(|entry| entry.key);
        let held = format!("held: {},", all.len());
        let told = format!("{:?}", self.store);
        assert!(told.contains(&held), "{told}, and there are {}", all.len());
        for name in ["ada", "bob"] {
            let of_owner = all
                .iter()
                .filter(|entry| entry.record.owner == Some(owner(name)));
            let keys: Vec<_> = of_owner.map(|entry| entry.key).collect();
            assert_eq!(self.listed(name), keys, "{name}");
        }
        let owners = all.iter().filter_map(|entry| entry.record.owner.clone());
        let owners: std::collections::BTreeSet<_> = owners.collect();
        assert_eq!(self.store.memory_in_use().2, owners.len(), "owners known");
    }
}

/// Odd and even ones are in different shards.
fn key(number: u8) -> SessionKey {
    SessionKey::from_bytes([number; 32])
}

fn owner(name: &str) -> Owner {
    Owner::new(name).unwrap()
}

/// Ends after ten seconds.
fn record(number: u8, name: Option<&str>) -> Record<u32> {
    let mut times = Times::starting(START);
    times.ends_at = Some(START.plus(Duration::from_secs(10)));
    let mut record = Record::new(Arc::new(number.into()), times);
    record.owner = name.map(owner);
    record
}

fn limit(max: u32, when_reached: WhenReached) -> OwnerLimit {
    OwnerLimit::new(max.try_into().unwrap(), when_reached)
}
