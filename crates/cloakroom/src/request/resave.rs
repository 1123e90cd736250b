use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use cloakroom_store::{ClientInfo, Owner};

use crate::Error;
use crate::lifetimes::limit;
use crate::request::Exchange;
use crate::request::mint::Origin;

/// A fresh session to be stored: `.await` it, after setting what shall differ from the configuration for this
/// session alone.
///
/// ```
/// # use cloakroom::{CurrentSession, Error};
/// # use std::time::Duration;
/// async fn sign_in(session: &CurrentSession<String>, remember: bool) -> Result<(), Error> {
///     let fresh = session.resave("ada".to_owned());
///     if remember {
///         fresh.max_age(Duration::from_secs(90 * 86_400)).await
///     } else {
///         fresh.browser_session().await
///     }
/// }
/// ```
#[must_use = "nothing is stored until it is awaited"]
pub struct Resave<'a, T> {
    exchange: &'a Exchange<T>,
    data: T,
    origin: Origin,
}

impl<'a, T: Send + Sync + 'static> Resave<'a, T> {
    pub(super) fn new(exchange: &'a Exchange<T>, data: T) -> Self {
        let origin = Origin {
            authenticated: true,
            ..exchange.unauthenticated()
        };
        Self {
            exchange,
            data,
            origin,
        }
    }

    /// How long this session lasts at most. Zero for no limit. Default: as configured.
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.origin.lifetimes.max_age = limit(max_age);
        self
    }

    /// How long this session may lie unused. Zero for no limit. Default: as configured.
    pub fn idle_timeout(mut self, idle_timeout: Duration) -> Self {
        self.origin.lifetimes.idle_timeout = limit(idle_timeout);
        self
    }

    /// The cookie goes when the browser closes: no `Max-Age`. The limits on the server hold all the same.
    /// Default: the cookie lasts as long as the session may.
    pub fn browser_session(mut self) -> Self {
        self.origin.lifetimes.browser_session = true;
        self
    }

    /// Whose session it is. Default: what [`owned_by`](crate::SessionsBuilder::owned_by) says. Use one or the
    /// other: where `owned_by` is configured, it is asked again with the next write, and its answer then counts.
    pub fn owner(mut self, owner: Owner) -> Self {
        self.origin.owner = Some(owner);
        self
    }

    /// What the client said of itself, for a page that lists a user's devices. Default: what
    /// [`record_clients`](crate::SessionsBuilder::record_clients) records.
    pub fn client(mut self, client: ClientInfo) -> Self {
        self.origin.client = Some(Arc::new(client));
        self
    }
}

impl<'a, T: Send + Sync + 'static> IntoFuture for Resave<'a, T> {
    type Output = Result<(), Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.exchange.resave(Arc::new(self.data), self.origin))
    }
}

impl<T> fmt::Debug for Resave<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resave").finish_non_exhaustive()
    }
}
