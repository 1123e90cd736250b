use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cloakroom_store::{
    AdmitOutcome, Enumerate, Expect, ManualClock, OwnerLimit, OwnerLimits, Record, Renewal,
    RotateOutcome, SessionKey, SetOutcome, Store, StoreError, StoreErrorKind, StoreFuture, Times,
    Timestamp, Trail,
};

use crate::{
    CurrentSession, Error, Event, LazySession, MemoryStore, Secret, Sessions, SessionsBuilder,
};

pub(super) type Cart = Vec<String>;

pub(super) fn cart(items: &[&str]) -> Cart {
    items.iter().map(ToString::to_string).collect()
}

/// Sessions over a memory store that is watched, with a clock that is moved by hand.
pub(super) struct Fixture {
    pub(super) sessions: Sessions<Cart>,
    pub(super) store: Watched,
    pub(super) clock: ManualClock,
    pub(super) events: Arc<Mutex<Vec<String>>>,
}

impl Fixture {
    pub(super) fn new() -> Self {
        Self::with(|builder| builder)
    }

    pub(super) fn with(
        configure: impl FnOnce(SessionsBuilder<Cart>) -> SessionsBuilder<Cart>,
    ) -> Self {
        let clock = ManualClock::at(Timestamp::from_millis(1_700_000_000_000));
        let store = Watched::new(MemoryStore::builder().clock(clock.clone()).build());
        let events = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&events);
        let builder = Sessions::builder(store.clone(), Secret::generate().unwrap())
            .clock(clock.clone())
            .on_event(move |event| log.lock().unwrap().push(name(event)));
        Self {
            sessions: configure(builder).build().unwrap(),
            store,
            clock,
            events,
        }
    }

    /// A request with that `Cookie` field; empty for none.
    pub(super) fn request(&self, cookie: &str) -> LazySession<Cart> {
        self.sessions.for_request([cookie.to_owned()])
    }

    /// The same, and its session.
    pub(super) async fn open(&self, cookie: &str) -> (LazySession<Cart>, CurrentSession<Cart>) {
        let request = self.request(cookie);
        let session = request.load().await.unwrap();
        (request, session)
    }

    /// A cookie under which these items are stored.
    pub(super) async fn signed_in(&self, items: &[&str]) -> String {
        let request = self.request("");
        request.resave(cart(items)).await.unwrap();
        sent(&request).await.expect("a session was created")
    }

    /// What is stored under a cookie, as a new request sees it.
    pub(super) async fn stored(&self, cookie: &str) -> Option<Cart> {
        let (_, session) = self.open(cookie).await;
        session.data().map(|data| (*data).clone())
    }

    /// The names of the events so far, and forgets them.
    pub(super) fn events(&self) -> Vec<String> {
        std::mem::take(&mut self.events.lock().unwrap())
    }

    pub(super) fn clock_now(&self) -> Timestamp {
        cloakroom_store::Clock::now(&self.clock)
    }

    pub(super) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

/// The `name=value` that the response sends, as the next request would carry it.
pub(super) async fn sent(request: &LazySession<Cart>) -> Option<String> {
    let effect = request.finish().await;
    let cookie = effect.set_cookie()?;
    cookie.split(';').next().map(ToOwned::to_owned)
}

/// Everything of the `Set-Cookie` that the response sends.
pub(super) async fn set_cookie(request: &LazySession<Cart>) -> Option<String> {
    request.finish().await.set_cookie().map(ToOwned::to_owned)
}

pub(super) fn kind(result: Result<(), Error>) -> crate::ErrorKind {
    result.expect_err("this cannot succeed").kind()
}

fn name(event: &Event<'_>) -> String {
    let text = format!("{event:?}");
    text.split([' ', '{']).next().unwrap_or_default().to_owned()
}

/// A store that writes down what it was asked, and that can be taken away.
#[derive(Clone)]
pub(super) struct Watched {
    inner: MemoryStore<Cart>,
    calls: Arc<Mutex<Vec<&'static str>>>,
    down: Arc<AtomicBool>,
    /// What is not answered, though the rest is.
    failing: Arc<Mutex<Option<&'static str>>>,
    /// No record decodes.
    garbled: Arc<AtomicBool>,
    /// Each answer lets others run before it comes.
    slow: Arc<AtomicBool>,
}

impl Watched {
    fn new(inner: MemoryStore<Cart>) -> Self {
        Self {
            inner,
            calls: Arc::default(),
            down: Arc::default(),
            failing: Arc::default(),
            garbled: Arc::default(),
            slow: Arc::default(),
        }
    }

    /// The calls so far, and forgets them.
    pub(super) fn calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    pub(super) fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    pub(super) fn set_failing(&self, call: Option<&'static str>) {
        *self.failing.lock().unwrap() = call;
    }

    pub(super) fn set_garbled(&self, garbled: bool) {
        self.garbled.store(garbled, Ordering::SeqCst);
    }

    pub(super) fn set_slow(&self, slow: bool) {
        self.slow.store(slow, Ordering::SeqCst);
    }

    /// What the memory store answers, which is not even asked while the store is down.
    fn answer<'a, R: Send + 'a>(
        &self,
        call: &'static str,
        ask: impl FnOnce() -> StoreFuture<'a, R>,
    ) -> StoreFuture<'a, R> {
        self.calls.lock().unwrap().push(call);
        let fails = *self.failing.lock().unwrap() == Some(call);
        if fails || self.down.load(Ordering::SeqCst) {
            let error = StoreError::new(StoreErrorKind::Unavailable, "taken away by the test");
            return StoreFuture::ready(Err(error));
        }
        let answer = ask();
        if self.slow.load(Ordering::SeqCst) {
            return StoreFuture::new(async move {
                tokio::task::yield_now().await;
                answer.await
            });
        }
        answer
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watched")
    }
}

impl Store<Cart> for Watched {
    fn get(&self, key: &SessionKey) -> StoreFuture<'_, Option<Record<Cart>>> {
        if self.garbled.load(Ordering::SeqCst) {
            let found = self.inner.get(key);
            let garbled = async move {
                match found.await? {
                    Some(_) => Err(StoreError::new(StoreErrorKind::Undecodable, "by the test")),
                    None => Ok(None),
                }
            };
            return self.answer("get", || StoreFuture::new(garbled));
        }
        self.answer("get", || self.inner.get(key))
    }

    fn set(
        &self,
        key: &SessionKey,
        record: Record<Cart>,
        expect: Expect,
    ) -> StoreFuture<'_, SetOutcome> {
        self.answer("set", || self.inner.set(key, record, expect))
    }

    fn destroy(&self, key: &SessionKey) -> StoreFuture<'_, bool> {
        self.answer("destroy", || self.inner.destroy(key))
    }

    fn touch(&self, key: &SessionKey, last_seen_at: Timestamp) -> StoreFuture<'_, bool> {
        self.answer("touch", || self.inner.touch(key, last_seen_at))
    }

    fn rotate(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        times: Times,
    ) -> StoreFuture<'_, RotateOutcome> {
        self.answer("rotate", || self.inner.rotate(from, to, times))
    }

    fn replace(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        record: Record<Cart>,
    ) -> StoreFuture<'_, SetOutcome> {
        self.answer("replace", || self.inner.replace(from, to, record))
    }

    fn enumerate(&self) -> Option<&dyn Enumerate<Cart>> {
        self.inner.enumerate()
    }

    fn owner_limits(&self) -> Option<&dyn OwnerLimits<Cart>> {
        Some(self)
    }

    fn renewal(&self) -> Option<&dyn Renewal> {
        Some(self)
    }
}

impl OwnerLimits<Cart> for Watched {
    fn admit(
        &self,
        ending: Option<&SessionKey>,
        key: &SessionKey,
        record: Record<Cart>,
        limit: OwnerLimit,
    ) -> StoreFuture<'_, AdmitOutcome> {
        let limits = self.inner.owner_limits().unwrap();
        self.answer("admit", || limits.admit(ending, key, record, limit))
    }
}

impl Renewal for Watched {
    fn renew(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        times: Times,
        trail_ends_at: Timestamp,
    ) -> StoreFuture<'_, RotateOutcome> {
        let renewal = self.inner.renewal().unwrap();
        self.answer("renew", || renewal.renew(from, to, times, trail_ends_at))
    }

    fn follow(&self, key: &SessionKey) -> StoreFuture<'_, Option<Trail>> {
        let renewal = self.inner.renewal().unwrap();
        self.answer("follow", || renewal.follow(key))
    }
}
