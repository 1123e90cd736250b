//! A cluster: which server a request goes to, and what happens when it is the wrong one.
//!
//! A request is sent again only after an answer that says it was not done: `MOVED`, `ASK`, `TRYAGAIN`.

mod doubts;
mod topology;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::{Cmd, ConnectionAddr, ConnectionInfo, Value};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout_at};

use crate::error::{Failure, RedisStoreError, RedisStoreErrorKind};
use crate::layout::slot;
use crate::link::{Link, Patience};
use crate::script::Request;
use doubts::Doubts;
use topology::{Address, Topology};

/// How often a request follows a redirection.
const REDIRECTIONS: u32 = 16;
/// The wait before a request that came between two halves of a slot is tried again.
const TRY_AGAIN: Duration = Duration::from_millis(20);
/// How long one server may take to say how the cluster looks.
const LOOK: Duration = Duration::from_secs(1);

pub(crate) struct Cluster {
    seeds: Vec<Address>,
    /// How to get at any server of it: user, password, TLS.
    pattern: ConnectionInfo,
    patience: Patience,
    links: Mutex<HashMap<Address, Arc<Link>>>,
    topology: Mutex<Topology>,
    /// Whose turn it is to look at the cluster.
    turn: tokio::sync::Mutex<Option<Instant>>,
    looking: AtomicBool,
    doubts: Doubts,
    /// Where it was made.
    runtime: Option<Handle>,
}

impl Cluster {
    /// The first of `infos` says user, password and TLS for all servers.
    pub(crate) fn new(
        infos: Vec<ConnectionInfo>,
        patience: Patience,
    ) -> Result<Self, RedisStoreError> {
        let invalid = |message| RedisStoreError::new(RedisStoreErrorKind::InvalidUrl, message);
        let mut seeds = Vec::new();
        for info in &infos {
            match info.addr() {
                ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
                    seeds.push(Address::new(host, *port));
                }
                _ => return Err(invalid("a cluster is reached over TCP")),
            }
        }
        let Some(pattern) = infos.into_iter().next() else {
            return Err(invalid("a cluster needs at least one URL"));
        };
        if pattern.redis_settings().db() != 0 {
            return Err(invalid("a cluster has only database 0"));
        }
        Ok(Self {
            seeds,
            pattern,
            patience,
            links: Mutex::default(),
            topology: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
            looking: AtomicBool::new(false),
            doubts: Doubts::default(),
            runtime: Handle::try_current().ok(),
        })
    }

    /// Looks at the cluster for the first time.
    pub(crate) async fn connect(&self, deadline: Instant) -> Result<(), Failure> {
        self.look(Some(deadline)).await
    }

    /// Sends a request to the server that has the slot of its first key.
    pub(crate) async fn send(
        self: &Arc<Self>,
        request: &Request,
        whole: bool,
        deadline: Instant,
    ) -> Result<Value, Failure> {
        let slot = slot(request.first_key());
        let command = request.command(whole);
        let mut to = self.primary_of(slot, deadline).await?;
        let mut asking = false;
        let mut looked = false;
        for sent in 1..=REDIRECTIONS {
            let link = self.link(&to)?;
            let failure = match link.send(&command, asking, deadline).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            if let None | Some("CLUSTERDOWN") = failure.code() {
                self.doubts.failed(&to);
            }
            let redirection = match &failure {
                Failure::Refused(error) => {
                    Address::of_redirection(error.details().unwrap_or_default(), &to)
                }
                _ => None,
            };
            match (failure.code(), redirection) {
                (Some("MOVED"), Some(address)) => {
                    self.topology().assign(slot, &address);
                    self.look_soon();
                    (to, asking) = (address, false);
                }
                (Some("ASK"), Some(address)) => (to, asking) = (address, true),
                // It concerns two keys of a slot that is being moved, and each server has one of them, or neither.
                (Some("TRYAGAIN"), _)
                    if sent < REDIRECTIONS
                        && Instant::now() + TRY_AGAIN < deadline
                        && request.apart().is_none() =>
                {
                    tokio::time::sleep(TRY_AGAIN).await;
                }
                // The server may be gone for good, and another one in its place.
                (None, _) if matches!(failure, Failure::NotSent(_)) && !looked => {
                    if self.look_now(deadline).await.is_err() {
                        return Err(failure);
                    }
                    looked = true;
                    let now = self.primary_of(slot, deadline).await?;
                    if now == to {
                        return Err(failure);
                    }
                    (to, asking) = (now, false);
                }
                (code, _) => {
                    if code.is_none_or(|code| code != "NOSCRIPT") {
                        self.look_soon();
                    }
                    return Err(failure);
                }
            }
        }
        let message = "the cluster sends a request in circles";
        let error = RedisStoreError::new(RedisStoreErrorKind::NotReady, message);
        Err(Failure::NotSent(error))
    }

    /// All servers that have slots.
    pub(crate) async fn primaries(
        self: &Arc<Self>,
        deadline: Instant,
    ) -> Result<Vec<Arc<Link>>, Failure> {
        self.look_now(deadline).await?;
        let addresses = self.topology().primaries().to_vec();
        addresses.iter().map(|address| self.link(address)).collect()
    }

    /// The server for a key, by what is known.
    pub(crate) async fn link_for(
        self: &Arc<Self>,
        key: &[u8],
        deadline: Instant,
    ) -> Result<Arc<Link>, Failure> {
        let address = self.primary_of(slot(key), deadline).await?;
        self.link(&address)
    }

    async fn primary_of(
        self: &Arc<Self>,
        slot: u16,
        deadline: Instant,
    ) -> Result<Address, Failure> {
        if let Some(address) = self.topology().primary_of(slot) {
            return Ok(address.clone());
        }
        self.look_now(deadline).await?;
        let found = self.topology().primary_of(slot).cloned();
        found.ok_or_else(|| {
            let message = "no server has a slot of the cluster";
            Failure::NotSent(RedisStoreError::new(RedisStoreErrorKind::NotReady, message))
        })
    }

    /// Looks at the cluster for an operation that cannot go on without.
    async fn look_now(self: &Arc<Self>, deadline: Instant) -> Result<(), Failure> {
        let looked = self.look(Some(deadline)).await;
        if looked.is_err() {
            // A silent server may have used up the operation's time, and that of all others that ask it. Somebody has
            // to look with more time than they have left.
            self.look_soon();
        }
        looked
    }

    /// Looks at the cluster while the present operation goes on or fails.
    pub(crate) fn look_soon(self: &Arc<Self>) {
        if self.looking.swap(true, Ordering::AcqRel) {
            return;
        }
        let looking = Looking(Arc::clone(self));
        tokio::spawn(async move {
            // Failing is no news: the operation that asked for this has failed too.
            let _ = looking.0.look(None).await;
        });
    }

    /// Asks one server after the other how the cluster looks, until one of them knows a complete one; those last that
    /// failed. Without a deadline nobody waits for it, and each of them has its time.
    async fn look(&self, deadline: Option<Instant>) -> Result<(), Failure> {
        let asked = Instant::now();
        let timed_out = || Failure::NotSent(self.patience.timed_out());
        let mut last = match deadline {
            Some(deadline) => {
                let turn = timeout_at(deadline, self.turn.lock()).await;
                turn.map_err(|_| timed_out())?
            }
            None => self.turn.lock().await,
        };
        // Somebody else has looked while this waited.
        if last.is_some_and(|last| last > asked) {
            return Ok(());
        }
        let mut failure = None;
        let mut told: Option<(&Address, Topology)> = None;
        let known = self.topology().primaries().to_vec();
        let mut candidates = known;
        for seed in &self.seeds {
            if !candidates.contains(seed) {
                candidates.push(seed.clone());
            }
        }
        self.doubts.sort(&mut candidates);
        for (number, address) in candidates.iter().enumerate() {
            let share = match deadline {
                // A share of the time that is left: a frozen server that comes first must not use it all up, or
                // nobody would ever hear that it was replaced.
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    let servers = u32::try_from(candidates.len() - number).unwrap_or(u32::MAX);
                    (left / servers).min(LOOK)
                }
                None => LOOK,
            };
            if share.is_zero() {
                failure = Some(timed_out());
                break;
            }
            match self.ask(address, share).await {
                Ok(topology) if topology.is_complete() => {
                    told = Some((address, topology));
                    break;
                }
                Ok(topology) => told = told.or(Some((address, topology))),
                Err(error) => {
                    self.doubts.was_silent(address);
                    failure = Some(error);
                }
            }
        }
        match (told, failure) {
            (Some((teller, topology)), _) => {
                self.forget_others(&topology);
                self.doubts.rely_on(teller, |server| {
                    topology.primaries().contains(server) || self.seeds.contains(server)
                });
                *self.topology() = topology;
                *last = Some(Instant::now());
                Ok(())
            }
            (None, Some(failure)) => Err(failure),
            (None, None) => Err(Failure::NotSent(RedisStoreError::unexpected())),
        }
    }

    async fn ask(&self, address: &Address, share: Duration) -> Result<Topology, Failure> {
        let mut slots: Cmd = redis::cmd("CLUSTER");
        slots.arg("SLOTS");
        let link = self.link(address)?;
        let now = Instant::now();
        // A connection is given up that is silent all that time. To be asked when next to none is left says nothing of it.
        let asking = link.send(&slots, false, now + LOOK);
        let answer = timeout_at(now + share, asking).await;
        let answer = answer.map_err(|_| Failure::NotSent(self.patience.timed_out()))??;
        Topology::parse(answer, address).map_err(Failure::NotSent)
    }

    fn link(&self, address: &Address) -> Result<Arc<Link>, Failure> {
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(link) = links.get(address) {
            return Ok(Arc::clone(link));
        }
        let mut to = self.pattern.addr().clone();
        match &mut to {
            ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
                *host = address.host.to_string();
                *port = address.port;
            }
            _ => {}
        }
        let info = self.pattern.clone().set_addr(to);
        let link =
            Link::new(info, self.patience, self.runtime.clone()).map_err(Failure::NotSent)?;
        let link = Arc::new(link);
        links.insert(address.clone(), Arc::clone(&link));
        Ok(link)
    }

    /// Closes the connections to servers that have no slots any more.
    fn forget_others(&self, topology: &Topology) {
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        links.retain(|address, _| topology.primaries().contains(address));
    }

    fn topology(&self) -> std::sync::MutexGuard<'_, Topology> {
        self.topology.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A look in the background, until it is over. It may also end with the runtime that it began in, and another runtime may
/// go on with the same store.
struct Looking(Arc<Cluster>);

impl Drop for Looking {
    fn drop(&mut self) {
        self.0.looking.store(false, Ordering::Release);
    }
}

// Nothing of the connection is printed: it knows the password.
impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("primaries", &self.topology().primaries().len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests;
