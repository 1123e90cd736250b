use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use cloakroom_store::{Clock, Store, SystemClock};

use crate::cookie::CookieWriter;
use crate::csrf::CsrfKeys;
use crate::event::{Event, Events};
use crate::lifetimes::{Lifetimes, limit};
use crate::owner::{IntoOwner, OwnerOf};
use crate::request::Queues;
use crate::sessions::{Inner, Sessions};
use crate::storage::Storage;
use crate::{CookieOptions, Error, KeyRing, Secret};

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
    /// `Configuration` if a browser would refuse the cookie.
    pub fn build(self) -> Result<Sessions<T>, Error> {
        let cookie = CookieWriter::new(&self.cookie)?;
        let name = cookie.name();
        let mut keys = KeyRing::new(&self.secret, name);
        for secret in &self.previous {
            keys = keys.and_accept(secret, name);
        }
        let secrets = std::iter::once(&self.secret).chain(&self.previous);
        let csrf = CsrfKeys::new(secrets, name);
        let inner = Inner {
            storage: Storage {
                store: self.store,
                clock: self.clock,
                events: self.events,
                undecodable_is_an_error: self.undecodable_is_an_error,
            },
            keys,
            csrf,
            cookie,
            lifetimes: self.lifetimes,
            save_uninitialized: self.save_uninitialized,
            owner_of: self.owner_of,
            queues: Queues::default(),
        };
        Ok(Sessions {
            inner: Arc::new(inner),
        })
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
