use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::client::Client;
use super::dice::Dice;
use super::history::{Event, Log};
use super::linear;
use super::payload::{describe, numbered};
use super::race::{self, Racer};
use super::{Harness, Law, Payload, Violation};
use crate::{
    ClientInfo, Clock, Expect, ManualClock, Owner, Record, SessionKey, SetOutcome, Store, Times,
    Timestamp,
};

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3_600);
pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// How many take part in a race.
pub(crate) const CROWD: usize = 8;

/// A fresh store, or two instances over one, on which the scenes of a law are played.
pub(crate) struct Stage<'h, S> {
    pub(crate) harness: &'h Harness<S>,
    pub(crate) clock: ManualClock,
    pub(crate) log: Log,
    instances: Vec<Arc<S>>,
}

impl<'h, S: Store<Payload>> Stage<'h, S> {
    pub(crate) async fn open(harness: &'h Harness<S>, law: u8) -> Self {
        Self::open_at(harness, law, ManualClock::starting_now()).await
    }

    pub(crate) async fn open_at(harness: &'h Harness<S>, law: u8, clock: ManualClock) -> Self {
        let store = Arc::new((harness.fresh)(clock.clone()).await);
        let mut instances = vec![Arc::clone(&store)];
        if let Some(peer) = &harness.peer {
            instances.push(Arc::new(peer(store, clock.clone()).await));
        }
        Self {
            harness,
            clock,
            log: Log::new(Law::of(law)),
            instances,
        }
    }

    pub(crate) fn scene(&self, title: &str) {
        self.log.begin(title);
    }

    /// Clients count from 1. With a peer, odd ones use the first instance and even ones the second.
    pub(crate) fn client(&self, number: usize) -> Client<S> {
        let instance = &self.instances[(number - 1) % self.instances.len()];
        Client::new(number, Arc::clone(instance), self.log.clone())
    }

    pub(crate) fn store(&self) -> Arc<S> {
        Arc::clone(&self.instances[0])
    }

    pub(crate) fn enumerates(&self) -> bool {
        let first: &S = &self.instances[0];
        first.enumerate().is_some()
    }

    pub(crate) fn limits_owners(&self) -> bool {
        let first: &S = &self.instances[0];
        first.owner_limits().is_some()
    }

    pub(crate) fn renews(&self) -> bool {
        let first: &S = &self.instances[0];
        first.renewal().is_some()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.log.note(format!("the clock moves on by {by:?}"));
    }

    /// A numbered record that ends in 30 days.
    pub(crate) fn record(&self, number: u64) -> Record<Payload> {
        let mut times = Times::starting(self.now());
        times.ends_at = Some(self.now().plus(30 * DAY));
        Record::new(Arc::new(numbered(number)), times)
    }

    /// A numbered record that ends when it was not used for that long.
    pub(crate) fn idle(&self, number: u64, idle: Duration) -> Record<Payload> {
        let mut record = self.record(number);
        record.times.idle_timeout = Some(idle);
        record
    }

    /// A record with something in every field.
    pub(crate) fn full(&self, number: u64) -> Record<Payload> {
        let mut record = self.idle(number, Duration::from_millis(5_432_109));
        record.times.created_at = self.now().minus(DAY);
        record.times.authenticated_at = Some(self.now().minus(HOUR));
        record.times.renewed_at = self.now().minus(HOUR / 2);
        record.browser_session = true;
        record.owner = Some(owner("Ada Lovelace"));
        let address = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0xff, 0, 1));
        record.client = Some(Arc::new(ClientInfo::new(
            Some("Browser/1.0 (é😀)"),
            Some(address),
        )));
        record
    }

    /// Creates a session under a fresh key.
    pub(crate) async fn create(&self, record: &Record<Payload>) -> Result<SessionKey, Violation> {
        let key = key();
        let client = self.client(1);
        let outcome = client.set(&key, record.clone(), Expect::Absent);
        self.equal(outcome.await?, SetOutcome::Stored(1), "a new session")?;
        Ok(key)
    }

    pub(crate) async fn race<R: Send + 'static>(
        &self,
        round: usize,
        racers: Vec<Racer<Result<R, Violation>>>,
    ) -> Result<Vec<R>, Violation> {
        let dice = Dice::new(round as u64);
        let answers = race::race(self.harness.spawner.as_ref(), dice, racers).await;
        answers.into_iter().collect()
    }

    pub(crate) fn violation(&self, what: impl Into<String>) -> Violation {
        self.log.violation(what)
    }

    pub(crate) fn check(&self, holds: bool, what: &str) -> Result<(), Violation> {
        if holds {
            Ok(())
        } else {
            Err(self.violation(what))
        }
    }

    pub(crate) fn equal<V: PartialEq + fmt::Debug>(
        &self,
        found: V,
        wanted: V,
        what: &str,
    ) -> Result<(), Violation> {
        if found == wanted {
            return Ok(());
        }
        Err(self.violation(format!("{what}: {found:?} instead of {wanted:?}")))
    }

    /// No live record.
    pub(crate) fn dead(&self, found: Option<Record<Payload>>, what: &str) -> Result<(), Violation> {
        self.check(found.is_none(), what)
    }

    /// Exactly that record in that version.
    pub(crate) fn same(
        &self,
        found: Option<Record<Payload>>,
        wanted: &Record<Payload>,
        version: u64,
    ) -> Result<(), Violation> {
        let found = found.ok_or_else(|| self.violation("a live session was not found"))?;
        self.equal(found.version, version, "its version")?;
        self.alike(&found, wanted)
    }

    /// The same in all but the version.
    pub(crate) fn alike(
        &self,
        found: &Record<Payload>,
        wanted: &Record<Payload>,
    ) -> Result<(), Violation> {
        if found.data != wanted.data {
            let (found, wanted) = (describe(&found.data), describe(&wanted.data));
            return Err(self.violation(format!("other data: {found} instead of {wanted}")));
        }
        let (times, right) = (&found.times, &wanted.times);
        self.equal(times.created_at, right.created_at, "created_at")?;
        self.equal(
            times.authenticated_at,
            right.authenticated_at,
            "authenticated_at",
        )?;
        self.equal(times.renewed_at, right.renewed_at, "renewed_at")?;
        self.equal(times.last_seen_at, right.last_seen_at, "last_seen_at")?;
        self.equal(times.ends_at, right.ends_at, "ends_at")?;
        self.equal(times.idle_timeout, right.idle_timeout, "idle_timeout")?;
        self.equal(
            found.browser_session,
            wanted.browser_session,
            "browser_session",
        )?;
        let name = |owner: &Option<Owner>| owner.as_ref().map(|owner| owner.as_str().to_owned());
        self.equal(name(&found.owner), name(&wanted.owner), "owner")?;
        self.equal(&found.client, &wanted.client, "client")
    }

    /// The answers about that key fit an order in which one thing happened at a time.
    pub(crate) fn linearizable(&self, key: &SessionKey) -> Result<(), Violation> {
        let events: Vec<Event> = self.log.events();
        self.check(
            linear::linearizable(&events, key),
            "no order of these operations explains all their answers",
        )
    }
}

/// A key that nobody had before: evenly distributed, as the engine's are.
pub(crate) fn key() -> SessionKey {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let digest = Sha256::digest(number.to_be_bytes());
    let mut bytes = [0; 32];
    bytes.copy_from_slice(&digest);
    SessionKey::from_bytes(bytes)
}

pub(crate) fn owner(name: &str) -> Owner {
    Owner::new(name).expect("the suite's owners are valid")
}

/// The times as a touch at `now` leaves them.
pub(crate) fn touched(times: Times, now: Timestamp) -> Times {
    Times {
        last_seen_at: now,
        ..times
    }
}
