//! What can be done with one request's session. Each verb takes its turn, asks the store once, and writes down
//! what came of it; which store operation fits which state is decided here and nowhere else.

use std::sync::Arc;

use cloakroom_store::{ClientInfo, Expect, Owner, Record, RotateOutcome, SessionKey, SetOutcome};

use crate::event::Event;
use crate::lifetimes::{Lifetimes, touch_due};
use crate::request::Exchange;
use crate::request::state::{CookieChange, Live, Phase, PreSession};
use crate::storage::Loaded;
use crate::{Error, ErrorKind, SessionId};

/// What a new session is to be, apart from its data.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub(super) lifetimes: Lifetimes,
    /// Overrides what `owned_by` says.
    pub(super) owner: Option<Owner>,
    /// What the client said of itself.
    pub(super) client: Option<ClientInfo>,
    /// Somebody just proved who they are.
    pub(super) authenticated: bool,
}

impl<T: Send + Sync + 'static> Exchange<T> {
    /// Asks the store, if that has not been done.
    pub(super) async fn load(&self) -> Result<(), Error> {
        if !self.consult().needs_loading() {
            return Ok(());
        }
        let _turn = self.turn.lock().await;
        let presented = match &self.state().phase {
            Phase::Presented(id) => Some(id.clone()),
            _ => None,
        };
        if let Some(id) = presented {
            let phase = self.load_presented(id).await?;
            self.state().phase = phase;
        }
        self.begin_pre_session()
    }

    async fn load_presented(&self, id: SessionId) -> Result<Phase<T>, Error> {
        let key = id.key();
        Ok(match self.inner().storage.load(&key).await? {
            Loaded::Live(record) => Phase::Live(Live {
                id,
                key,
                record,
                is_new: false,
            }),
            Loaded::Undecodable => Phase::Undecodable(id),
            Loaded::Nothing => {
                self.sessions.emit(|| Event::NotFound {
                    handle: key.handle(),
                });
                // A dead id will do for a pre-session: nothing is ever stored under it, and no cookie is sent
                // that could overwrite the one of a login that is just happening.
                Phase::Absent(if self.inner().save_uninitialized {
                    PreSession::Id(id)
                } else {
                    PreSession::None
                })
            }
        })
    }

    fn begin_pre_session(&self) -> Result<(), Error> {
        let mut state = self.state();
        let wanted = self.inner().save_uninitialized && !state.responded;
        if wanted && matches!(state.phase, Phase::Absent(PreSession::None)) {
            state.phase = Phase::Absent(PreSession::Id(SessionId::random()?));
            state.cookie = CookieChange::Send;
        }
        Ok(())
    }

    /// Reads the live session again.
    pub(super) async fn reload(&self) -> Result<(), Error> {
        let _turn = self.turn.lock().await;
        match self.live_or_none()? {
            Some(live) => self.reload_live(live).await.map(drop),
            None => Ok(()),
        }
    }

    /// The caller has the turn.
    pub(super) async fn reload_live(&self, mut live: Live<T>) -> Result<Live<T>, Error> {
        match self.inner().storage.load(&live.key).await? {
            Loaded::Live(record) => {
                live.record = record;
                self.state().phase = Phase::Live(live.clone());
                Ok(live)
            }
            Loaded::Nothing | Loaded::Undecodable => Err(self.found_gone(&live)),
        }
    }

    /// `save` and `overwrite`, which differ in what they expect of a live session.
    pub(super) async fn write(
        &self,
        data: T,
        expect: impl FnOnce(u64) -> Expect,
    ) -> Result<(), Error> {
        let _turn = self.turn.lock().await;
        let data = Arc::new(data);
        match self.live_or_none()? {
            Some(live) => {
                let expect = expect(live.record.version);
                self.write_live(live, data, expect).await
            }
            None => {
                let origin = self.unauthenticated();
                // What does not decode is left alone: a release that is rolled back may read it again.
                self.mint(data, origin, None).await
            }
        }
    }

    /// Begins a session, unless another verb of this request has begun one by the time that it is this one's
    /// turn: then nothing is done.
    pub(super) async fn begin<R>(&self, make: impl FnOnce() -> (T, R)) -> Result<Option<R>, Error> {
        let _turn = self.turn.lock().await;
        if self.live_or_none()?.is_some() {
            return Ok(None);
        }
        let (data, answer) = make();
        let origin = self.unauthenticated();
        self.mint(Arc::new(data), origin, None).await?;
        Ok(Some(answer))
    }

    pub(super) async fn resave(&self, data: T, origin: Origin) -> Result<(), Error> {
        drop(self.consult());
        let _turn = self.turn.lock().await;
        // Before anything ends: `ResponseStarted` says that nothing was done.
        self.refuse_after_response()?;
        self.end_ambiguous().await?;
        let ending = self.state().key_to_end();
        self.mint(Arc::new(data), origin, ending).await
    }

    pub(super) async fn rotate(&self) -> Result<(), Error> {
        let _turn = self.turn.lock().await;
        let Some(mut live) = self.live_or_none()? else {
            return Err(Error::new(ErrorKind::NoSession));
        };
        self.refuse_after_response()?;

        let inner = self.inner();
        let id = SessionId::random()?;
        let (from, to) = (live.key, id.key());
        let mut times = live.record.times;
        times.last_seen_at = inner.storage.now();
        let (found, version) = match inner.storage.rotate(&from, &to, times).await? {
            RotateOutcome::Moved { found, version } => (found, version),
            RotateOutcome::Gone => return Err(self.found_gone(&live)),
            // Two equal random ids, or a store that breaks its laws.
            _ => return Err(Error::new(ErrorKind::Internal)),
        };
        self.sessions.emit(|| Event::Rotated {
            from: from.handle(),
            to: to.handle(),
        });

        let current = found == live.record.version;
        live.id = id;
        live.key = to;
        // The data of an older version must not pass for that of the newer one, should reading it fail or be
        // given up below: no version is 0, so a write conflicts.
        live.record.version = if current { version } else { 0 };
        live.record.times = times;
        live.is_new = true;
        self.created(live.clone()).await?;
        if !current {
            // Somebody wrote since this request read it: the data as it is now.
            self.reload_live(live).await?;
        }
        Ok(())
    }

    pub(super) async fn destroy(&self) -> Result<(), Error> {
        drop(self.consult());
        let _turn = self.turn.lock().await;
        self.end().await?;
        self.state().ended();
        Ok(())
    }

    pub(super) async fn logout(&self) -> Result<(), Error> {
        drop(self.consult());
        let _turn = self.turn.lock().await;
        self.end().await?;
        self.state().logged_out();
        Ok(())
    }

    async fn end(&self) -> Result<(), Error> {
        self.end_ambiguous().await?;
        let key = self.state().key_to_end();
        if let Some(key) = key {
            self.inner().storage.destroy(&key).await?;
        }
        Ok(())
    }

    async fn end_ambiguous(&self) -> Result<(), Error> {
        let keys = self.state().ambiguous_keys();
        for key in keys {
            self.inner().storage.destroy(&key).await?;
        }
        Ok(())
    }

    pub(super) fn touch_due(&self) -> bool {
        let state = self.state();
        let now = || self.inner().storage.now();
        !state.written
            && state.live().is_some_and(|live| {
                live.record.times.idle_timeout.is_some() && touch_due(&live.record.times, now())
            })
    }

    /// Trouble here is not the request's: the session keeps the end that it has.
    pub(super) async fn touch(&self) {
        let _turn = self.turn.lock().await;
        if !self.touch_due() {
            return;
        }
        let Some(mut live) = self.state().live().cloned() else {
            return;
        };
        let storage = &self.inner().storage;
        live.record.times.last_seen_at = storage.now();
        // An error has been reported as an event; a session that ended meanwhile stays ended.
        if let Ok(true) = storage
            .touch(&live.key, live.record.times.last_seen_at)
            .await
        {
            self.sessions.emit(|| Event::Touched {
                handle: live.key.handle(),
            });
            self.state().wrote(live);
        }
    }

    /// Stores a session under a fresh id and ends the other one in the same step. The caller has the turn.
    async fn mint(
        &self,
        data: Arc<T>,
        origin: Origin,
        ending: Option<SessionKey>,
    ) -> Result<(), Error> {
        self.refuse_after_response()?;
        let storage = &self.inner().storage;
        let id = SessionId::random()?;
        let key = id.key();
        let mut record = self.new_record(data, origin)?;

        let outcome = match ending {
            Some(from) => storage.replace(&from, &key, record.clone()).await?,
            None => storage.set(&key, record.clone(), Expect::Absent).await?,
        };
        let SetOutcome::Stored(version) = outcome else {
            // Two equal random ids, or a store that breaks its laws.
            return Err(Error::new(ErrorKind::Internal));
        };
        if let Some(from) = ending {
            self.sessions.emit(|| Event::Destroyed {
                handle: from.handle(),
            });
        }
        self.sessions.emit(|| Event::Created {
            handle: key.handle(),
        });
        record.version = version;
        self.created(Live {
            id,
            key,
            record,
            is_new: true,
        })
        .await
    }

    /// Notes a session that has just got its id. If the response was handed over meanwhile nobody will learn
    /// that id, so the session is ended again.
    async fn created(&self, live: Live<T>) -> Result<(), Error> {
        let key = live.key;
        {
            let mut state = self.state();
            if !state.responded {
                state.created(live);
                return Ok(());
            }
            state.ended();
        }
        // Should this fail, it lies there until it expires.
        let _ = self.inner().storage.destroy(&key).await;
        Err(Error::new(ErrorKind::ResponseStarted))
    }

    /// Writes over a live session. The caller has the turn.
    pub(super) async fn write_live(
        &self,
        mut live: Live<T>,
        data: Arc<T>,
        expect: Expect,
    ) -> Result<(), Error> {
        let inner = self.inner();
        if inner.owner_of.is_some() {
            live.record.owner = self.owner_of(&data)?;
        }
        live.record.data = data;
        live.record.times.last_seen_at = inner.storage.now();
        match inner
            .storage
            .set(&live.key, live.record.clone(), expect)
            .await?
        {
            SetOutcome::Stored(version) => {
                live.record.version = version;
                self.state().wrote(live);
                Ok(())
            }
            SetOutcome::Gone => Err(self.found_gone(&live)),
            SetOutcome::Conflict(_) => {
                self.sessions.emit(|| Event::Conflict {
                    handle: live.key.handle(),
                });
                Err(Error::new(ErrorKind::Conflict))
            }
            _ => Err(Error::new(ErrorKind::Internal)),
        }
    }

    /// The live session; none if there was none when this request came, or if it ended it itself.
    pub(super) fn live_or_none(&self) -> Result<Option<Live<T>>, Error> {
        match &self.state().phase {
            Phase::Live(live) => Ok(Some(live.clone())),
            Phase::Gone => Err(Error::new(ErrorKind::Gone)),
            _ => Ok(None),
        }
    }

    /// A session that nobody signed in to.
    pub(super) fn unauthenticated(&self) -> Origin {
        Origin {
            lifetimes: self.inner().lifetimes,
            owner: None,
            client: None,
            authenticated: false,
        }
    }

    fn new_record(&self, data: Arc<T>, origin: Origin) -> Result<Record<T>, Error> {
        let now = self.inner().storage.now();
        let owner = match origin.owner {
            Some(owner) => Some(owner),
            None => self.owner_of(&data)?,
        };
        let mut times = origin.lifetimes.times(now);
        times.authenticated_at = origin.authenticated.then_some(now);
        let mut record = Record::new(data, times);
        record.browser_session = origin.lifetimes.browser_session;
        record.owner = owner;
        record.client = origin.client.map(Arc::new);
        Ok(record)
    }

    fn owner_of(&self, data: &T) -> Result<Option<Owner>, Error> {
        match &self.inner().owner_of {
            Some(owner_of) => owner_of.of(data).map_err(Error::owner),
            None => Ok(None),
        }
    }

    fn found_gone(&self, live: &Live<T>) -> Error {
        self.sessions.emit(|| Event::Gone {
            handle: live.key.handle(),
        });
        self.state().gone();
        Error::new(ErrorKind::Gone)
    }

    fn refuse_after_response(&self) -> Result<(), Error> {
        if self.state().responded {
            return Err(Error::new(ErrorKind::ResponseStarted));
        }
        Ok(())
    }
}
