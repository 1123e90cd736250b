use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::{Payload, block_on};
use crate::{ManualClock, SessionKey, Store};

type Answer<R> = Pin<Box<dyn Future<Output = R> + Send>>;
type Fresh<S> = Box<dyn Fn(ManualClock) -> Answer<S> + Send + Sync>;
type Again<S> = Box<dyn Fn(Arc<S>, ManualClock) -> Answer<S> + Send + Sync>;
type Corrupt<S> = Box<dyn Fn(Arc<S>, SessionKey) -> Answer<()> + Send + Sync>;
type Switch<S> = Box<dyn Fn(Arc<S>) -> Answer<()> + Send + Sync>;

/// Runs a future on somebody's runtime.
pub(crate) type Spawner = Box<dyn Fn(Pin<Box<dyn Future<Output = ()> + Send>>) + Send + Sync>;

/// How the suite gets at the store under test, and what that store can do.
///
/// Only the way to a fresh store is required. Each further method offers something that lets the suite check
/// more; without it the [`Report`](super::Report) says what was not checked.
///
/// ```
/// # use cloakroom_store::conformance::{Harness, Payload};
/// # use cloakroom_store::{ManualClock, Store};
/// # fn example<S: Store<Payload>>(open: fn(ManualClock) -> S) {
/// let harness = Harness::new(move |clock| async move { open(clock) })
///     .racing_on_threads()
///     .payload_limit(1024 * 1024)
///     .rounds(100);
/// # let _ = harness;
/// # }
/// ```
pub struct Harness<S> {
    pub(crate) fresh: Fresh<S>,
    pub(crate) peer: Option<Again<S>>,
    pub(crate) reopen: Option<Again<S>>,
    pub(crate) corrupt: Option<Corrupt<S>>,
    pub(crate) outage: Option<Outage<S>>,
    pub(crate) payload_limit: Option<usize>,
    pub(crate) spawner: Option<Spawner>,
    pub(crate) touch_keeps_version: bool,
    pub(crate) rotates_in_one_step: bool,
    pub(crate) rounds: usize,
    store: PhantomData<fn() -> S>,
}

pub(crate) struct Outage<S> {
    pub(crate) begin: Switch<S>,
    pub(crate) end: Switch<S>,
    pub(crate) bound: Duration,
}

impl<S: Store<Payload>> Harness<S> {
    /// A harness for the store that `fresh` makes: empty, with that clock, sharing nothing with the stores
    /// made before (its own table, directory or key prefix). It is called about two dozen times
    /// by [`run_all`](super::run_all).
    pub fn new<F, A>(fresh: F) -> Self
    where
        F: Fn(ManualClock) -> A + Send + Sync + 'static,
        A: Future<Output = S> + Send + 'static,
    {
        Self {
            fresh: Box::new(move |clock| Box::pin(fresh(clock))),
            peer: None,
            reopen: None,
            corrupt: None,
            outage: None,
            payload_limit: None,
            spawner: None,
            touch_keeps_version: false,
            rotates_in_one_step: false,
            rounds: 20,
            store: PhantomData,
        }
    }

    /// How to get a second instance over the same sessions, as another process of the same service has.
    /// Default: none. With it every race runs on both instances.
    #[must_use]
    pub fn peer<F, A>(mut self, peer: F) -> Self
    where
        F: Fn(Arc<S>, ManualClock) -> A + Send + Sync + 'static,
        A: Future<Output = S> + Send + 'static,
    {
        self.peer = Some(Box::new(move |store, clock| Box::pin(peer(store, clock))));
        self
    }

    /// The store is durable, and this is how to get it again after the application was killed (and, if you
    /// like, its server too). Default: none, and law 7 is not checked.
    ///
    /// It is given the old store to ask where the sessions are. The suite keeps the old one and neither closes
    /// nor drops it before the check is over: an application that is killed does not tidy up either.
    #[must_use]
    pub fn reopen<F, A>(mut self, reopen: F) -> Self
    where
        F: Fn(Arc<S>, ManualClock) -> A + Send + Sync + 'static,
        A: Future<Output = S> + Send + 'static,
    {
        self.reopen = Some(Box::new(move |store, clock| Box::pin(reopen(store, clock))));
        self
    }

    /// How to spoil the stored data of a session, so that it does not decode. What the store keeps beside the
    /// data (expiry, owner, index entries) stays as it is. Default: none, and law 11 is not checked.
    #[must_use]
    pub fn corrupt<F, A>(mut self, corrupt: F) -> Self
    where
        F: Fn(Arc<S>, SessionKey) -> A + Send + Sync + 'static,
        A: Future<Output = ()> + Send + 'static,
    {
        self.corrupt = Some(Box::new(move |store, key| Box::pin(corrupt(store, key))));
        self
    }

    /// How to make the store unable to answer at all, and able again: a stopped or paused server, a file taken
    /// away. Default: none, and law 10 is not checked.
    ///
    /// `bound` is the longest that an operation may take to say `Unavailable`, and the longest that the store
    /// may need to answer again afterwards: its time-out and some room for a slow machine. A store that blocks its thread instead of waiting
    /// cannot be cut off: then the test hangs.
    #[must_use]
    pub fn outage<B, BA, E, EA>(mut self, begin: B, end: E, bound: Duration) -> Self
    where
        B: Fn(Arc<S>) -> BA + Send + Sync + 'static,
        BA: Future<Output = ()> + Send + 'static,
        E: Fn(Arc<S>) -> EA + Send + Sync + 'static,
        EA: Future<Output = ()> + Send + 'static,
    {
        self.outage = Some(Outage {
            begin: Box::new(move |store| Box::pin(begin(store))),
            end: Box::new(move |store| Box::pin(end(store))),
            bound,
        });
        self
    }

    /// The store refuses data larger than this, in bytes as encoded. Default: none, and law 12 is not checked.
    #[must_use]
    pub fn payload_limit(mut self, bytes: usize) -> Self {
        self.payload_limit = Some(bytes);
        self
    }

    /// Runs the racing operations as tasks of your runtime, so that they meet in parallel:
    /// `.spawner(|future| { tokio::spawn(future); })`. Default: they take turns on the task that runs the
    /// suite, which finds races only where the store awaits something.
    #[must_use]
    pub fn spawner<F>(mut self, spawner: F) -> Self
    where
        F: Fn(Pin<Box<dyn Future<Output = ()> + Send>>) + Send + Sync + 'static,
    {
        self.spawner = Some(Box::new(spawner));
        self
    }

    /// Runs each racing operation on a thread of its own. For stores that need no runtime. Default: see
    /// [`spawner`](Harness::spawner).
    #[must_use]
    pub fn racing_on_threads(self) -> Self {
        self.spawner(|future| {
            // Not joined: the suite waits for the answers of all of them.
            thread::spawn(move || block_on(future));
        })
    }

    /// The store has its own [`touch`](Store::touch), and the version stays as it is. Default: the provided
    /// one, which counts as a write.
    #[must_use]
    pub fn touch_keeps_version(mut self) -> Self {
        self.touch_keeps_version = true;
        self
    }

    /// The store has its own [`rotate`](Store::rotate), and at every moment one of the two keys is live.
    /// Default: for a moment none of them may be.
    #[must_use]
    pub fn rotates_in_one_step(mut self) -> Self {
        self.rotates_in_one_step = true;
        self
    }

    /// How often each race is run. Default: 20. At least 1.
    #[must_use]
    pub fn rounds(mut self, rounds: usize) -> Self {
        self.rounds = rounds.max(1);
        self
    }
}

impl<S> fmt::Debug for Harness<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Harness")
            .field("peer", &self.peer.is_some())
            .field("reopen", &self.reopen.is_some())
            .field("corrupt", &self.corrupt.is_some())
            .field("outage", &self.outage.as_ref().map(|outage| outage.bound))
            .field("payload_limit", &self.payload_limit)
            .field("spawner", &self.spawner.is_some())
            .field("touch_keeps_version", &self.touch_keeps_version)
            .field("rotates_in_one_step", &self.rotates_in_one_step)
            .field("rounds", &self.rounds)
            .finish_non_exhaustive()
    }
}
