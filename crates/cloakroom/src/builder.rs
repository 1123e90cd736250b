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
use crate::request::Queues;
use crate::sessions::{Inner, Sessions};
use crate::storage::Storage;
use crate::successors::SuccessorKeys;
use crate::{Carrier, ClientAddress, CookieOptions, Error, IdHeader, KeyRing, RenewIds, Secret};

/// Configures [`Sessions`]. See [`Sessions::builder`].
#[must_use = "nothing is configured until `build` is called"]
pub struct SessionsBuilder<T> {
    store: Arc<dyn Store<T>>,
    secret: Secret,
    previous: Vec<Secret>,
    cookie: Option<CookieOptions>,
    id_header: Option<IdHeader>,
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
            cookie: None,
            id_header: None,
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
        self.cookie = Some(options);
        self
    }

    /// Carries the signed id in that header instead of a cookie, for clients that are no browsers: native applications,
    /// command lines, other servers. Default: a cookie.
    ///
    /// Requests bring the value in the header. A response that begins a session or gives it another id sends the new
    /// value in the response's header, to be used from then on; one that signs out sends it empty. With either comes
    /// `Cache-Control: no-store`, and `Vary` names the request's header. Cookies are neither read nor set. A value is good
    /// for this header only: that of a cookie is worth nothing in it, and the other way round.
    ///
    /// No browser sends the header by itself, so no other site can make one act for its user, and requests need no
    /// [CSRF token](crate::CurrentSession::csrf_token). In return nothing keeps the value from scripts: do not use this
    /// for pages, and have clients keep the value where the system keeps secrets. It needs TLS as a cookie does, which
    /// nothing enforces here.
    ///
    /// An application for both has two `Sessions` over one store, each around its own routes:
    ///
    /// ```
    /// use cloakroom::{IdHeader, MemoryStore, Secret, Sessions};
    /// use std::sync::Arc;
    ///
    /// let (store, secret) = (Arc::new(MemoryStore::new()), Secret::generate()?);
    /// let pages: Sessions<String> = Sessions::builder(Arc::clone(&store), secret.clone()).build()?;
    /// let api: Sessions<String> = Sessions::builder(store, secret)
    ///     .id_in_header(IdHeader::bearer())
    ///     .build()?;
    /// # Ok::<(), cloakroom::Error>(())
    /// ```
    pub fn id_in_header(mut self, header: IdHeader) -> Self {
        self.id_header = Some(header);
        self
    }

    /// Still accepts cookies that this earlier secret signed; they are signed anew when a cookie is next sent.
    /// May be called several times. Default: none.
    ///
    /// Where instances are changed one after another, each gets the new secret as a previous one first, and only then as
    /// the one that signs: an instance that does not know it takes its cookies for forged.
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

    /// The cookie goes when the browser closes: no `Max-Age`. The limits on the server hold all the same, and browsers that
    /// restore their windows restore such cookies, too. For one session, [`Resave`](crate::Resave) says otherwise.
    /// Default: off, the cookie lasts as long as the session may.
    pub fn browser_session(mut self, on: bool) -> Self {
        self.lifetimes.browser_session = on;
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
    /// `Configuration` if a browser would refuse the cookie, if both a cookie and a header are to carry the id, or if the
    /// store cannot do what is asked of it.
    pub fn build(self) -> Result<Sessions<T>, Error> {
        self.ask_the_store()?;
        let (carrier, cookie) = self.carrier()?;
        let mut keys = KeyRing::bound_to(&self.secret, (&carrier).into());
        for secret in &self.previous {
            keys = keys.and_accept_in(secret, (&carrier).into());
        }
        let secrets = std::iter::once(&self.secret).chain(&self.previous);
        let csrf = CsrfKeys::new(secrets.clone(), &carrier);
        let successors = SuccessorKeys::new(secrets, &carrier);
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
            carrier,
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

    fn carrier(&self) -> Result<(Carrier, Option<CookieWriter>), Error> {
        let Some(header) = &self.id_header else {
            let options = self.cookie.clone().unwrap_or_default();
            let cookie = CookieWriter::new(&options, self.lifetimes.cookie_max_age())?;
            return Ok((Carrier::Cookie(cookie.name().clone()), Some(cookie)));
        };
        let address = self.clients.as_ref().and_then(ClientAddress::field);
        let contradiction = if self.cookie.is_some() {
            "the id is in a header, and there are options for a cookie: for both, build two `Sessions` over one store"
        } else if address == Some(header.request_name()) {
            "one header cannot carry both the id and the client's address"
        } else {
            return Ok((Carrier::Header(header.clone()), None));
        };
        Err(Error::configuration(contradiction))
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
            .field("id_header", &self.id_header)
            .field("store", &self.store)
            .field("lifetimes", &self.lifetimes)
            .finish_non_exhaustive()
    }
}
