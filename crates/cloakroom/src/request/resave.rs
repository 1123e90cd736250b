use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use cloakroom_store::{ClientInfo, Owner, SessionKey};

use crate::Error;
use crate::lifetimes::limit;
use crate::request::Exchange;
use crate::request::mint::{Minting, Origin, refuse_after_response};

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
    asked: Option<(T, Origin)>,
    waiting: Option<Waiting<'a>>,
}

type Waiting<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;

impl<'a, T: Send + Sync + 'static> Resave<'a, T> {
    pub(super) fn new(exchange: &'a Exchange<T>, data: T) -> Self {
        let origin = Origin {
            authenticated: true,
            ..exchange.unauthenticated()
        };
        Self {
            exchange,
            asked: Some((data, origin)),
            waiting: None,
        }
    }

    /// How long this session lasts at most. Zero for no limit. Default: as configured.
    pub fn max_age(self, max_age: Duration) -> Self {
        self.but(|origin| origin.lifetimes.max_age = limit(max_age))
    }

    /// How long this session may lie unused. Zero for no limit. Default: as configured.
    pub fn idle_timeout(self, idle_timeout: Duration) -> Self {
        self.but(|origin| origin.lifetimes.idle_timeout = limit(idle_timeout))
    }

    /// The cookie goes when the browser closes: no `Max-Age`. The limits on the server hold all the same.
    /// Default: as [configured](crate::SessionsBuilder::browser_session).
    pub fn browser_session(self) -> Self {
        self.but(|origin| origin.lifetimes.browser_session = true)
    }

    /// The cookie lasts as long as the session may, also when the browser was closed. Default: as
    /// [configured](crate::SessionsBuilder::browser_session).
    pub fn persistent(self) -> Self {
        self.but(|origin| origin.lifetimes.browser_session = false)
    }

    /// Nobody has proved just now who they are: [`require_fresh`](crate::CurrentSession::require_fresh) refuses until they
    /// do. For a session that is carried over from elsewhere. Default: it counts as a sign-in.
    pub fn not_fresh(self) -> Self {
        self.but(|origin| origin.authenticated = false)
    }

    /// Whose session it is. Default: what [`owned_by`](crate::SessionsBuilder::owned_by) says. Use one or the
    /// other: where `owned_by` is configured, it is asked again with the next write, and its answer then counts.
    pub fn owner(self, owner: Owner) -> Self {
        self.but(|origin| origin.owner = Some(owner))
    }

    /// What the client said of itself, for a page that lists a user's devices. Default: what
    /// [`record_clients`](crate::SessionsBuilder::record_clients) records.
    pub fn client(self, client: ClientInfo) -> Self {
        self.but(|origin| origin.client = Some(Arc::new(client)))
    }

    fn but(mut self, change: impl FnOnce(&mut Origin)) -> Self {
        if let Some((_, origin)) = &mut self.asked {
            change(origin);
        }
        self
    }
}

// Neither the data nor what is waited for is pinned in place.
impl<T> Unpin for Resave<'_, T> {}

impl<T: Send + Sync + 'static> Future for Resave<'_, T> {
    type Output = Result<(), Error>;

    /// # Panics
    /// When polled again after it answered, as async blocks do.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let waiting = match &mut this.waiting {
            Some(waiting) => waiting,
            None => {
                let asked = this.asked.take();
                let (data, origin) = asked.expect("a future is not polled after it answered");
                match this.exchange.resave(Arc::new(data), origin) {
                    Ok(Some(waiting)) => this.waiting.insert(waiting),
                    Ok(None) => return Poll::Ready(Ok(())),
                    Err(error) => return Poll::Ready(Err(error)),
                }
            }
        };
        waiting.as_mut().poll(context)
    }
}

impl<T> fmt::Debug for Resave<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resave").finish_non_exhaustive()
    }
}

impl<T: Send + Sync + 'static> Exchange<T> {
    /// A store in memory answers at once: then it is done here, and nothing is put together that could wait. What there
    /// is else to wait for.
    fn resave(&self, data: Arc<T>, origin: Origin) -> Result<Option<Waiting<'_>>, Error> {
        drop(self.consult());
        let Some(turn) = self.try_turn() else {
            return Ok(Some(Box::pin(self.resave_later(data, origin))));
        };
        let (several, ending) = self.may_resave()?;
        if several {
            drop(turn);
            return Ok(Some(Box::pin(self.resave_later(data, origin))));
        }
        let Minting {
            id,
            key,
            record,
            ending,
            stored,
        } = self.begin_minting(data, origin, ending)?;
        let storage = &self.inner().storage;
        match storage.begun_already(stored, ending.as_ref(), &key) {
            Ok(admission) => {
                let admission = admission?;
                if let (Some(from), Some(_)) = (ending, self.inner().renew_ids) {
                    admission.stored()?;
                    return Ok(Some(Box::pin(async move {
                        let _turn = turn;
                        self.end_moved_for(&key, &from).await?;
                        self.admitted_or_taken_back(id, key, record, admission)
                            .await
                    })));
                }
                Ok(match self.admitted(id, key, record, admission)? {
                    false => Some(Box::pin(async move { Err(self.taken_back(&key).await) })),
                    true => None,
                })
            }
            Err(stored) => {
                let minting = Minting {
                    id,
                    key,
                    record,
                    ending,
                    stored,
                };
                Ok(Some(Box::pin(async move {
                    let _turn = turn;
                    self.minted(minting).await
                })))
            }
        }
    }

    async fn resave_later(&self, data: Arc<T>, origin: Origin) -> Result<(), Error> {
        let _turn = self.turn().await;
        let (several, ending) = self.may_resave()?;
        if several {
            self.end_several().await?;
        }
        let minting = self.begin_minting(data, origin, ending)?;
        self.minted(minting).await
    }

    /// Whether several ids are to be ended, or else the key of the one session that is. Before anything ends:
    /// `ResponseStarted` says that nothing was done.
    fn may_resave(&self) -> Result<(bool, Option<SessionKey>), Error> {
        let state = self.state();
        refuse_after_response(&state)?;
        Ok((state.has_several(), state.key_to_end()))
    }
}
