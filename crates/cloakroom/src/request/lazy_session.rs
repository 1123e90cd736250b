use std::fmt;
use std::sync::Arc;

use crate::request::resave::Resave;
use crate::request::spare::keep;
use crate::request::state::State;
use crate::request::{Exchange, ResponseEffect};
use crate::{Carrier, CurrentSession, Error, Sessions};

/// The session of one request before anything was loaded.
///
/// Take it instead of [`CurrentSession`] where what is stored does not matter: signing out costs one store
/// operation with it, signing in one or two. Clones share one session.
pub struct LazySession<T> {
    exchange: Arc<Exchange<T>>,
}

impl<T: Send + Sync + 'static> LazySession<T> {
    pub(crate) fn new(exchange: Arc<Exchange<T>>) -> Self {
        Self { exchange }
    }

    #[cfg(test)]
    pub(super) fn exchange(&self) -> &Arc<Exchange<T>> {
        &self.exchange
    }

    /// The session, loaded: one store operation if a cookie with a good signature came, none otherwise, and
    /// none the second time.
    ///
    /// # Errors
    /// `Unavailable` if the store cannot tell; `Undecodable` only if so configured. Neither says that nobody
    /// is signed in.
    pub async fn load(&self) -> Result<CurrentSession<T>, Error> {
        self.exchange.load().await?;
        Ok(CurrentSession::new(Arc::clone(&self.exchange)))
    }

    /// The session's data, loaded as [`load`](LazySession::load) does. `None` if there is no session.
    ///
    /// ```
    /// # use cloakroom::{Error, LazySession};
    /// async fn greeting(session: &LazySession<String>) -> Result<String, Error> {
    ///     let name = session.data().await?;
    ///     Ok(name.map_or("hello".to_owned(), |name| format!("hello, {name}")))
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`load`](LazySession::load).
    pub async fn data(&self) -> Result<Option<Arc<T>>, Error> {
        let data = |state: &State<T>| state.live().map(|live| Arc::clone(&live.record.data));
        self.exchange.load_and(data).await
    }

    /// As [`CurrentSession::resave`], without loading the old session first.
    pub fn resave(&self, data: T) -> Resave<'_, T> {
        Resave::new(&self.exchange, data)
    }

    /// As [`CurrentSession::destroy`].
    ///
    /// # Errors
    /// `Unavailable` if the store did not answer; the session may be live still.
    pub async fn destroy(&self) -> Result<(), Error> {
        self.exchange.destroy().await
    }

    /// As [`CurrentSession::logout`].
    ///
    /// # Errors
    /// `Unavailable` if the store did not answer; the session may be live still, and the cookie stays.
    pub async fn logout(&self) -> Result<(), Error> {
        self.exchange.logout().await
    }

    /// For adapters: whether [`finish`](LazySession::finish) has to speak to the store. If not,
    /// [`respond`](LazySession::respond) does the same without waiting.
    #[must_use]
    pub fn touch_due(&self) -> bool {
        self.exchange.touch_due()
    }

    /// For adapters: notes that the session was used, if that is due, and says what the response needs. To be
    /// called once, when the handler has answered and before any header is sent.
    pub async fn finish(&self) -> ResponseEffect {
        self.exchange.touch().await;
        self.respond()
    }

    /// For adapters: what the response needs, when no touch is due.
    pub fn respond(&self) -> ResponseEffect {
        let mut state = self.exchange.state();
        self.exchange.respond(&mut state)
    }

    /// For adapters: [`respond`](LazySession::respond) if no [touch is due](LazySession::touch_due), both in one
    /// step. `None` if one is: then [`finish`](LazySession::finish).
    pub fn respond_now(&self) -> Option<ResponseEffect> {
        self.exchange.respond_now()
    }

    /// For adapters: the request is answered. Its memory serves another request, if nothing else has this session
    /// still; dropping it instead costs no more than that.
    pub fn done(self) {
        keep(self.exchange);
    }

    /// For adapters: whether it is one of these sessions, or of others that keep the same type. Clones of a [`Sessions`]
    /// are the same.
    #[must_use]
    pub fn is_of(&self, sessions: &Sessions<T>) -> bool {
        Arc::ptr_eq(&self.exchange.sessions().inner, &sessions.inner)
    }

    /// For adapters: what carries the id.
    #[must_use]
    pub fn carrier(&self) -> &Carrier {
        &self.exchange.inner().carrier
    }
}

// Whatever `T` is, as an adapter calls it from a destructor.
impl<T> LazySession<T> {
    /// For adapters: the request ended without a response, because it was given up or the service behind failed. From here on
    /// verbs that mint an id are refused with [`ResponseStarted`](crate::ErrorKind::ResponseStarted), as nobody would
    /// learn it; those that need none work on. After a response it changes nothing.
    pub fn abandon(&self) {
        self.exchange.state().responded = true;
    }
}

impl<T> Clone for LazySession<T> {
    fn clone(&self) -> Self {
        Self {
            exchange: Arc::clone(&self.exchange),
        }
    }
}

impl<T> fmt::Debug for LazySession<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LazySession").finish_non_exhaustive()
    }
}
