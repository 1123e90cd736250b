use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use cloakroom_store::{Clock, OwnerLimit, Store, SystemClock, WhenReached};

use crate::cookie::CookieWriter;
use crate::csrf::CsrfKeys;
use crate::ended::Watchers;
use crate::event::{Event, Events};
use crate::lifetimes::{Lifetimes, limit};
use crate::owner::{IntoOwner, OwnerOf};
use crate::renew_ids::SuccessorKeys;
use crate::request::Queues;
use crate::sessions::{Inner, Sessions};
use crate::storage::Storage;
use crate::{ClientAddress, CookieOptions, Error, KeyRing, RenewIds, Secret};

/// Configures [`Sessions`]. See [`Sessions::builder`].
#[must_use = "nothing is configured until `build` is called"]
pub struct SessionsBuilder<T> {
    store: Arc<dyn Store<T>>,
    secret: Secret,
    previous: Vec<Secret>,
    cookie: CookieOptions,
    lifetimes: Lifetimes,
    save_uninitialized: bool,
    undecodable_is_an_error: bool,
    owner_of: Option<OwnerOf<T>>,
    owner_limit: Option<OwnerLimit>,
    clients: Option<ClientAddress>,
    renew_ids: Option<RenewIds>,
    track_last_seen: bool,
    end_check_interval: Duration,
    clock: Arc<dyn Clock>,
    events: Events,
}

impl<T: Send + Sync + 'static> SessionsBuilder<T> {
    pub(crate) fn new(store: Arc<dyn Store<T>>, secret: Secret) -> Self {
        Self {
            store,
            secret,
            previous: Vec::new(),
            cookie: CookieOptions::new(),
            lifetimes: Lifetimes::DEFAULT,
            save_uninitialized: false,
            undecodable_is_an_error: false,
            owner_of: None,
            owner_limit: None,
            clients: None,
            renew_ids: None,
            track_last_seen: false,
            end_check_interval: Duration::from_secs(5),
            clock: Arc::new(SystemClock),
            events: Events::default(),
        }
    }

    /// The cookie's name and attributes. Default: [`CookieOptions::new`].
    pub fn cookie(mut self, options: CookieOptions) -> Self {
        self.cookie = options;
        self
    }

    /// Still accepts cookies that this earlier secret signed; they are signed anew when a cookie is next sent.
    /// May be called several times. Default: none.
    pub fn previous_secret(mut self, secret: Secret) -> Self {
        self.previous.push(secret);
        self
    }

    /// How long a session lasts at most, from its creation, however much it is used (OWASP ASVS 5.0, 7.3.2).
    /// Zero for no limit. Default: 30 days.
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.lifetimes.max_age = limit(max_age);
        self
    }

    /// How long a session may lie unused (OWASP ASVS 5.0, 7.3.1). Zero for no limit, the default. A request that
    /// uses the session starts this time anew; that is written down once a minute, or once in a tenth of this
    /// time if that is shorter, so a session may end that much early.
    pub fn idle_timeout(mut self, idle_timeout: Duration) -> Self {
        self.lifetimes.idle_timeout = limit(idle_timeout);
        self
    }

    /// Pre-sessions: a request that asks for a session and has none gets an id in a cookie, with nothing stored.
    /// It gives visitors who have not signed in a CSRF token. The first `save` mints another id. Default: off.
    pub fn save_uninitialized(mut self, on: bool) -> Self {
        self.save_uninitialized = on;
        self
    }

    /// Says whose session it is, going by its data, whenever data is stored: a user's id. `None` for nobody's.
    /// Default: no session has an owner.
    ///
    /// ```
    /// # use cloakroom::{MemoryStore, Secret, Sessions};
    /// #[derive(Clone)]
    /// struct User {
    ///     id: u64,
    /// }
    /// let sessions = Sessions::builder(MemoryStore::new(), Secret::generate()?)
    ///     .owned_by(|user: &User| user.id)
    ///     .build()?;
    /// # Ok::<(), cloakroom::Error>(())
    /// ```
    pub fn owned_by<O: IntoOwner>(
        mut self,
        owner: impl Fn(&T) -> O + Send + Sync + 'static,
    ) -> Self {
        self.owner_of = Some(OwnerOf::new(owner));
        self
    }

    /// How many sessions an owner may have at a time (OWASP ASVS 5.0, 7.1.2): one more ends the oldest ones, or is
    /// refused with `TooManySessions`. Exact, however many sign in at once. Looked at when a session begins, so begin
    /// one with [`resave`](crate::CurrentSession::resave) at sign-in. Default: any number.
    ///
    /// ```
    /// # use cloakroom::{MemoryStore, Secret, Sessions, WhenReached};
    /// # use std::num::NonZeroU32;
    /// let sessions = Sessions::builder(MemoryStore::new(), Secret::generate()?)
    ///     .owned_by(|user: &u64| *user)
    ///     .max_sessions_per_owner(NonZeroU32::new(5).unwrap(), WhenReached::EndOldest)
    ///     .build()?;
    /// # Ok::<(), cloakroom::Error>(())
    /// ```
    pub fn max_sessions_per_owner(mut self, max: NonZeroU32, when_reached: WhenReached) -> Self {
        self.owner_limit = Some(OwnerLimit::new(max, when_reached));
        self
    }

    /// Notes with each new session what the client said of itself, for a page that lists a user's devices: the
    /// `User-Agent`, bounded and cleaned, and its address, from where `address` says. Default: nothing.
    pub fn record_clients(mut self, address: ClientAddress) -> Self {
        self.clients = Some(address);
        self
    }

    /// Gives sessions in use a fresh id now and then (OWASP, Session Management Cheat Sheet, "Renew the Session ID").
    /// Requests in flight find the session by the old id for a moment, and a response that was lost does no harm: the
    /// new id is sent again until it was used once. An old id that is used after that ends the session, with the event
    /// [`ReuseDetected`](Event::ReuseDetected): there are two who have it.
    ///
    /// A renewed id takes a store operation, its first use one more. CSRF tokens die with the id, so do not renew
    /// more often than forms may lie open. Clients must take the cookies that they are sent. Default: off.
    pub fn renew_ids(mut self, renew_ids: RenewIds) -> Self {
        self.renew_ids = Some(renew_ids);
        self
    }

    /// Notes when a session was last used, for a page that lists a user's devices, even if it has no idle
    /// time-out: at most one `touch` a minute. Default: off; with an idle time-out it is noted in any case.
    pub fn track_last_seen(mut self, on: bool) -> Self {
        self.track_last_seen = on;
        self
    }

    /// How often a long-lived connection looks whether its session has
    /// [ended](crate::CurrentSession::ended), if nobody tells it before: one `get` each time. Default: 5 seconds.
    pub fn check_ended_every(mut self, interval: Duration) -> Self {
        self.end_check_interval = interval.max(Duration::from_millis(10));
        self
    }

    /// Answers `Undecodable` for a stored session that does not decode. Default: off, such a session counts as
    /// absent, is reported as an event and left as it is.
    pub fn undecodable_is_an_error(mut self, on: bool) -> Self {
        self.undecodable_is_an_error = on;
        self
    }

    /// Calls `hook` with everything that happens to sessions, in the middle of the request: be quick.
    /// Default: none. `tracing` gets the events in any case.
    pub fn on_event(mut self, hook: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        self.events = Events::to(hook);
        self
    }

    /// Where the time comes from; give the store the same. Default: [`SystemClock`].
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Checks the configuration and derives the keys.
    ///
    /// # Errors
    /// `Configuration` if a browser would refuse the cookie, or if the store cannot do what is asked of it.
    pub fn build(self) -> Result<Sessions<T>, Error> {
        self.ask_the_store()?;
        let cookie = CookieWriter::new(&self.cookie)?;
        let name = cookie.name();
        let mut keys = KeyRing::new(&self.secret, name);
        for secret in &self.previous {
            keys = keys.and_accept(secret, name);
        }
        let secrets = std::iter::once(&self.secret).chain(&self.previous);
        let csrf = CsrfKeys::new(secrets.clone(), name);
        let successors = SuccessorKeys::new(secrets, name);
        let inner = Inner {
            storage: Storage {
                store: self.store,
                clock: self.clock,
                events: self.events,
                undecodable_is_an_error: self.undecodable_is_an_error,
                owner_limit: self.owner_limit,
                watchers: Arc::new(Watchers::default()),
            },
            keys,
            csrf,
            cookie,
            lifetimes: self.lifetimes,
            save_uninitialized: self.save_uninitialized,
            owner_of: self.owner_of,
            queues: Queues::default(),
            clients: self.clients,
            renew_ids: self.renew_ids,
            successors,
            track_last_seen: self.track_last_seen,
            end_check_interval: self.end_check_interval,
        };
        Ok(Sessions {
            inner: Arc::new(inner),
        })
    }

    fn ask_the_store(&self) -> Result<(), Error> {
        let lacking = if self.owner_limit.is_some() && self.store.owner_limits().is_none() {
            "this store cannot limit the sessions of an owner"
        } else if self.renew_ids.is_some() && self.store.renewal().is_none() {
            "this store cannot renew ids"
        } else {
            return Ok(());
        };
        Err(Error::configuration(lacking))
    }
}

// By hand: deriving would ask for `T: Debug`.
impl<T> fmt::Debug for SessionsBuilder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionsBuilder")
            .field("cookie", &self.cookie)
            .field("store", &self.store)
            .field("lifetimes", &self.lifetimes)
            .finish_non_exhaustive()
    }
}
