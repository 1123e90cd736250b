use std::convert::Infallible;
use std::fmt;
use std::future::{Future, ready};
use std::sync::Arc;
use std::time::Duration;

use cloakroom_store::{Expect, Handle, Owner, Record, Timestamp};

use crate::request::Exchange;
use crate::request::resave::Resave;
use crate::request::state::{Live, Phase};
use crate::{CsrfToken, Ended, Error, ErrorKind, SessionId, SessionInfo};

/// The session during one request, loaded.
///
/// Whatever changes it is written when it is awaited, before the response starts: `Ok` means stored. Clones
/// share one session; what one of them writes, all of them read.
///
/// | verb | does | if the session ended meanwhile | if another request changed it |
/// |---|---|---|---|
/// | [`save`](Self::save) | stores; a fresh id if there was no session | `Gone` | `Conflict` |
/// | [`update`](Self::update) | reads, changes and stores in one step | `Gone` | runs again on the newer data |
/// | [`overwrite`](Self::overwrite) | stores, whatever another request wrote | `Gone` | the last one wins |
/// | [`resave`](Self::resave) | stores under a fresh id, ends the old session: for sign-in | a fresh session | a fresh session |
/// | [`rotate`](Self::rotate) | a fresh id for the same data | `Gone` | keeps what the other wrote |
/// | [`destroy`](Self::destroy) | ends it, keeps the cookie | fine | fine |
/// | [`logout`](Self::logout) | ends it and removes the cookie | fine | fine |
pub struct CurrentSession<T> {
    exchange: Arc<Exchange<T>>,
}

impl<T: Send + Sync + 'static> CurrentSession<T> {
    pub(crate) fn new(exchange: Arc<Exchange<T>>) -> Self {
        Self { exchange }
    }

    /// The data, as it was when this request last read or wrote it. `None` if there is no session.
    #[must_use]
    pub fn data(&self) -> Option<Arc<T>> {
        self.of_live(|live| Arc::clone(&live.record.data))
    }

    /// The id: of the session, or of the pre-session. Not to be shown to anybody.
    #[must_use]
    pub fn id(&self) -> Option<SessionId> {
        self.exchange.state().id().cloned()
    }

    /// The public name of the session, for logs and lists.
    #[must_use]
    pub fn handle(&self) -> Option<Handle> {
        self.of_live(|live| live.key.handle())
    }

    /// When the session began.
    #[must_use]
    pub fn created_at(&self) -> Option<Timestamp> {
        self.of_live(|live| live.record.times.created_at)
    }

    /// When its user proved who they are: with the last [`resave`](Self::resave) that was not
    /// [`not_fresh`](Resave::not_fresh), or [`reauthenticate`](Self::reauthenticate). `None` if never.
    #[must_use]
    pub fn authenticated_at(&self) -> Option<Timestamp> {
        self.of_live(|live| live.record.times.authenticated_at)?
    }

    /// When it ends if it is not used again. `None` if there is no session, or one without limits.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.of_live(|live| live.record.times.expires_at())?
    }

    /// Whose session it is.
    #[must_use]
    pub fn owner(&self) -> Option<Owner> {
        self.of_live(|live| live.record.owner.clone())?
    }

    /// Everything that is stored of it.
    #[must_use]
    pub fn record(&self) -> Option<Record<T>> {
        self.of_live(|live| live.record.clone())
    }

    /// Whether this request gave the session its id.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.of_live(|live| live.is_new).unwrap_or(false)
    }

    /// A token for forms and scripts, bound to the session or pre-session; another text each time. `None` if
    /// there is neither. Where visitors need one before they sign in, turn on
    /// [`save_uninitialized`](crate::SessionsBuilder::save_uninitialized). If this response
    /// [renews](crate::SessionsBuilder::renew_ids) the id, the token is for the new one.
    ///
    /// # Errors
    /// `Randomness` if the generator fails.
    pub fn csrf_token(&self) -> Result<Option<CsrfToken>, Error> {
        self.exchange.csrf_token()
    }

    /// Whether [`csrf_token`](Self::csrf_token) gave that text to this session. Compared in constant time.
    #[must_use]
    pub fn verify_csrf_token(&self, token: &str) -> bool {
        self.exchange.verify_csrf_token(token)
    }

    /// Stores the data: over the session as this request read it, or as a new one under a fresh id.
    ///
    /// # Errors
    /// `Gone` if it ended since it was read, `Conflict` if another request wrote it; nothing was stored.
    /// `Unavailable`: it is unknown. Also `TooLarge`, `Full`, `TooManySessions` where it begins one, `Randomness`,
    /// `ResponseStarted`, and `Internal` for an owner's name that cannot be one.
    pub async fn save(&self, data: T) -> Result<(), Error> {
        self.exchange.write(data, Expect::Version).await
    }

    /// Stores the data, whatever another request wrote meanwhile.
    ///
    /// # Errors
    /// As [`save`](Self::save), but never `Conflict`.
    pub async fn overwrite(&self, data: T) -> Result<(), Error> {
        self.exchange.write(data, |_| Expect::Present).await
    }

    /// Stores the data as a new session under a fresh id and ends the old one. Use it when somebody has proved who they
    /// are (OWASP ASVS 5.0, 7.2.4): an id that somebody planted or saw before is worth nothing afterwards. All limits
    /// begin anew, and [`require_fresh`](Self::require_fresh) passes, unless [`not_fresh`](Resave::not_fresh) says
    /// otherwise. For a change of privilege without such a proof use [`rotate`](Self::rotate). `.await` the answer, after
    /// setting lifetimes or an owner for this session alone.
    ///
    /// # Errors
    /// `Unavailable`: it is unknown whether the old session ended; no cookie is sent. Also `TooLarge`, `Full`,
    /// `TooManySessions`, `Randomness`, `ResponseStarted`, and `Internal` for an owner's name that cannot be one.
    pub fn resave(&self, data: T) -> Resave<'_, T> {
        Resave::new(&self.exchange, data)
    }

    /// Gives the session a fresh id. The old one is dead at once. For a change of privilege, followed by
    /// [`update`](Self::update): what limits the session, and when its user signed in, stay.
    ///
    /// Not to be dropped half way, by a time-out around it for instance, if a response is sent all the same: the store may
    /// have moved the session to an id that this request then does not know. The same goes for
    /// [`resave`](Self::resave) and [`reauthenticate`](Self::reauthenticate).
    ///
    /// # Errors
    /// `NoSession` if there is none, `Gone` if it ended since it was read. Also `Unavailable`, `Randomness`,
    /// `ResponseStarted`.
    pub async fn rotate(&self) -> Result<(), Error> {
        self.exchange.rotate(|_, _| {}).await
    }

    /// Notes that the user has just proved anew who they are: a fresh id as with [`rotate`](Self::rotate),
    /// [`authenticated_at`](Self::authenticated_at) is now, and the absolute limit and the idle one begin anew, each
    /// as long as it was at sign-in (NIST SP 800-63B-4, section 5.2).
    ///
    /// # Errors
    /// As [`rotate`](Self::rotate).
    pub async fn reauthenticate(&self) -> Result<(), Error> {
        self.exchange.reauthenticate().await
    }

    /// Refuses unless the user proved who they are less than this time ago: before changes of password, payments and
    /// the like (OWASP ASVS 5.0, 7.5.1 and 7.5.3). Ask for the password, call
    /// [`reauthenticate`](Self::reauthenticate), and it passes.
    ///
    /// It goes by what this request read, which may be old when the body has arrived, as slowly as its sender likes.
    /// [`rotate`](Self::rotate), or [`reload`](Self::reload), right before the change tells whether the session was
    /// ended since.
    ///
    /// # Errors
    /// `NotFresh` (403) if that was longer ago or never, `NoSession` if nobody is signed in, `Gone` if the session
    /// ended.
    pub fn require_fresh(&self, within: Duration) -> Result<(), Error> {
        let authenticated_at = |live: &Live<T>| live.record.times.authenticated_at;
        let proved = self.exchange.read_live(authenticated_at)?;
        let now = self.exchange.inner().storage.now();
        // A moment to come is as far away: after a clock was set back, what was proved before it is not fresh for that long.
        if proved.is_some_and(|at| now.since(at).max(at.since(now)) < within) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::NotFresh))
    }

    /// Ready when this session has ended: signed out, revoked, expired or moved to another id by a rotation. For
    /// websockets and event streams, which outlive the request that opened them; it may be moved into a task, and keeps
    /// none of the request's memory, as the session itself does. A [renewal](crate::SessionsBuilder::renew_ids) is not
    /// an end. Without a session it is ready at once.
    ///
    /// What ends the session in this process wakes it at once; what does so in another one, when the store
    /// [announces](cloakroom_store::Announcements) it, or else with the next look at the store, at most
    /// [`check_ended_every`](crate::SessionsBuilder::check_ended_every) later. A store that does not answer is
    /// no end. Needs a Tokio runtime for all but ends in this process.
    ///
    /// ```
    /// # use cloakroom::CurrentSession;
    /// async fn stream(session: CurrentSession<String>) {
    ///     let ended = session.ended();
    ///     tokio::spawn(async move {
    ///         ended.await;
    ///         // Close the connection.
    ///     });
    /// }
    /// ```
    pub fn ended(&self) -> Ended {
        let sessions = self.exchange.sessions().clone();
        let watcher = self.of_live(|live| sessions.watch(live.key));
        Ended::new(async move {
            if let Some(watcher) = watcher {
                crate::ended::wait(sessions, watcher).await;
            }
        })
    }

    /// Ends the session. The browser keeps the cookie, which is worth nothing. A later [`save`](Self::save) of
    /// the same request begins a new one.
    ///
    /// # Errors
    /// `Unavailable` if the store did not answer; the session may be live still.
    pub async fn destroy(&self) -> Result<(), Error> {
        self.exchange.destroy().await
    }

    /// Ends the session and removes the cookie.
    ///
    /// # Errors
    /// `Unavailable` if the store did not answer; the session may be live still, and the cookie stays.
    pub async fn logout(&self) -> Result<(), Error> {
        self.exchange.logout().await
    }

    /// Reads the session again, after a `Conflict` for instance. Does nothing if there is none.
    ///
    /// # Errors
    /// `Gone` if it ended, `Unavailable` if the store cannot tell; `Undecodable` only if so configured.
    pub async fn reload(&self) -> Result<(), Error> {
        self.exchange.reload().await
    }

    /// The other live sessions of this session's owner, the oldest first: a user's other devices. None if it has
    /// no owner: see [`owned_by`](crate::SessionsBuilder::owned_by). Like all verbs about them it asks the store first
    /// whether this session lives still, one `get`: a request may have gone on since its session was ended.
    ///
    /// # Errors
    /// `NoSession` if there is none, `Gone` if it ended, `Unsupported` if the store does not
    /// [enumerate](cloakroom_store::Store::enumerate), `Unavailable` if it did not answer.
    pub async fn others(&self) -> Result<Vec<SessionInfo<T>>, Error> {
        let mut devices = self.exchange.devices().await?;
        devices.retain(|device| !device.is_current());
        Ok(devices)
    }

    /// All live sessions of this session's owner, the oldest first, this one
    /// [marked](SessionInfo::is_current): a page "your devices".
    ///
    /// # Errors
    /// As [`others`](Self::others).
    pub async fn devices(&self) -> Result<Vec<SessionInfo<T>>, Error> {
        self.exchange.devices().await
    }

    /// Ends one of this session's owner's sessions, by the handle that a list of devices shows. Whether there
    /// was one; a handle of somebody else's session is not. `false` is not "it has ended": a session that moved to a
    /// fresh id since, by a [renewal](crate::SessionsBuilder::renew_ids) for one, has another handle. List them again.
    ///
    /// # Errors
    /// As [`others`](Self::others).
    pub async fn destroy_device(&self, handle: Handle) -> Result<bool, Error> {
        self.exchange.destroy_device(handle).await
    }

    /// Ends them and keeps this one, after a change of password for instance (OWASP ASVS 5.0, 7.4.3). How many
    /// were live.
    ///
    /// # Errors
    /// As [`others`](Self::others).
    pub async fn destroy_others(&self) -> Result<u64, Error> {
        self.exchange.destroy_others().await
    }

    /// Signs the user out everywhere: ends all sessions of this session's owner, this one among them, and removes
    /// the cookie. How many were live; 0 if it has no owner, and then only this one ends.
    ///
    /// # Errors
    /// As [`others`](Self::others). Not all of them may have ended then; the cookie stays.
    pub async fn logout_everywhere(&self) -> Result<u64, Error> {
        self.exchange.destroy_everywhere().await
    }

    fn of_live<R>(&self, read: impl FnOnce(&Live<T>) -> R) -> Option<R> {
        self.exchange.state().live().map(read)
    }
}

impl<T: Clone + Send + Sync + 'static> CurrentSession<T> {
    /// Reads, changes and stores in one step: no update is lost, however many requests do so at once. The
    /// closure runs again on the newer data when another request wrote first, so it should do nothing else.
    ///
    /// ```
    /// # use cloakroom::{CurrentSession, Error};
    /// async fn add(session: &CurrentSession<Vec<String>>, item: String) -> Result<usize, Error> {
    ///     session
    ///         .update(|cart| {
    ///             cart.push(item.clone());
    ///             cart.len()
    ///         })
    ///         .await
    /// }
    /// ```
    ///
    /// # Errors
    /// `NoSession` if there is none, `Gone` if it ended. `Conflict` only if other processes were faster 64
    /// times in a row. Also `Unavailable`, `TooLarge`.
    pub async fn update<R>(&self, mut change: impl FnMut(&mut T) -> R) -> Result<R, Error> {
        let changed = self.exchange.update(|mut data| {
            let answer = change(&mut data);
            ready(Ok::<_, Infallible>((data, answer)))
        });
        changed.await.map(|Ok(answer)| answer)
    }

    /// As [`update`](Self::update), with a closure that may decide against it: on its `Err` nothing is stored.
    ///
    /// # Errors
    /// The outer one as [`update`](Self::update), the inner one is the closure's.
    pub async fn try_update<R, E>(
        &self,
        mut change: impl FnMut(&mut T) -> Result<R, E>,
    ) -> Result<Result<R, E>, Error> {
        let changed = self.exchange.update(|mut data| {
            let answer = change(&mut data);
            ready(answer.map(|answer| (data, answer)))
        });
        changed.await
    }

    /// As [`update`](Self::update), with a closure that waits for something: it takes the data and answers it
    /// changed. Other updates of this session in this process wait meanwhile once they collide, so keep it
    /// short. Call no verb of this request's session in it: that would wait for this one to end, for ever.
    ///
    /// # Errors
    /// As [`update`](Self::update).
    pub async fn update_async<F, Fut>(&self, mut change: F) -> Result<(), Error>
    where
        F: FnMut(T) -> Fut,
        Fut: Future<Output = T>,
    {
        let changed = self.exchange.update(|data| {
            let changed = change(data);
            async move { Ok::<_, Infallible>((changed.await, ())) }
        });
        changed.await.map(|Ok(())| ())
    }

    /// As [`update`](Self::update), and begins a session with `T::default()` if there is none.
    ///
    /// # Errors
    /// As [`update`](Self::update) and [`save`](Self::save), but never `NoSession`.
    pub async fn update_or_default<R>(
        &self,
        mut change: impl FnMut(&mut T) -> R,
    ) -> Result<R, Error>
    where
        T: Default,
    {
        let absent = !matches!(self.exchange.state().phase, Phase::Live(_) | Phase::Gone(_));
        if absent {
            let begun = self.exchange.begin(|| {
                let mut data = T::default();
                let answer = change(&mut data);
                (data, answer)
            });
            if let Some(answer) = begun.await? {
                return Ok(answer);
            }
        }
        self.update(change).await
    }
}

impl<T> Clone for CurrentSession<T> {
    fn clone(&self) -> Self {
        Self {
            exchange: Arc::clone(&self.exchange),
        }
    }
}

impl<T> fmt::Debug for CurrentSession<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CurrentSession").finish_non_exhaustive()
    }
}
