//! Asking the store what is under the id that came.

use cloakroom_store::SessionKey;

use crate::event::Event;
use crate::request::Exchange;
use crate::request::state::{CookieChange, Live, Phase, PreSession, State};
use crate::storage::{Left, Loaded, Moved};
use crate::{Error, ErrorKind, RenewIds, SessionId};

impl<T: Send + Sync + 'static> Exchange<T> {
    /// Asks the store, if that has not been done.
    pub(super) fn load(&self) -> impl Future<Output = Result<(), Error>> + Send {
        self.load_and(|_| ())
    }

    /// The same, and reads something of what is there then: under the lock that it was put there with, as each costs
    /// what a few hundred bytes of copying do.
    pub(super) async fn load_and<R>(&self, read: impl Fn(&State<T>) -> R) -> Result<R, Error> {
        let (turn, mut presented) = {
            let state = self.consult();
            if !state.needs_loading() {
                return Ok(read(&state));
            }
            (self.try_turn(), state.presented_id().map(SessionId::key))
        };
        let _turn = match turn {
            Some(turn) => turn,
            None => {
                let turn = self.turn().await;
                presented = self.state().presented_id().map(SessionId::key);
                turn
            }
        };
        if let Some(key) = presented {
            let found = |record| {
                let mut state = self.state();
                state.found(key, record);
                read(&state)
            };
            match self.inner().storage.load_and(&key, found).await? {
                Loaded::Live(read) => return Ok(read),
                Loaded::Undecodable => self.found_undecodable(),
                Loaded::Nothing => {
                    let moved = match self.inner().renew_ids {
                        // Boxed, as this is rare: the future of a usual request stays small.
                        Some(renewal) => Box::pin(self.found_moved(renewal)).await?,
                        None => false,
                    };
                    if !moved {
                        self.found_nothing(key);
                    }
                }
            }
        }
        if self.inner().save_uninitialized {
            self.begin_pre_session()?;
        }
        Ok(read(&self.state()))
    }

    fn found_undecodable(&self) {
        let mut state = self.state();
        if let Some(id) = state.presented_id().cloned() {
            state.phase = Phase::Undecodable(id);
        }
    }

    /// Whether the session of the presented id lives under another, since it was renewed.
    async fn found_moved(&self, renewal: RenewIds) -> Result<bool, Error> {
        let Some(id) = self.state().presented_id().cloned() else {
            return Ok(false);
        };
        let moved = self.load_moved(&id, renewal).await?;
        let is_found = moved.is_some();
        if let Some(live) = moved {
            self.state().phase = Phase::Live(*live);
        }
        Ok(is_found)
    }

    /// Nothing lives under the presented id, which has this key.
    fn found_nothing(&self, key: SessionKey) {
        self.sessions().emit(|| Event::NotFound {
            handle: key.handle(),
        });
        let mut state = self.state();
        if let Some(id) = state.presented_id().cloned() {
            // A dead id will do for a pre-session: nothing is ever stored under it, and no cookie is sent
            // that could overwrite the one of a login that is just happening.
            state.phase = Phase::Absent(match self.inner().save_uninitialized {
                true => PreSession::Id(id),
                false => PreSession::None,
            });
        }
    }

    fn begin_pre_session(&self) -> Result<(), Error> {
        let mut state = self.state();
        if !state.responded && matches!(state.phase, Phase::Absent(PreSession::None)) {
            state.phase = Phase::Absent(PreSession::Id(SessionId::random()?));
            state.cookie = CookieChange::Send;
        }
        Ok(())
    }

    /// Reads the live session again.
    pub(super) async fn reload(&self) -> Result<(), Error> {
        let _turn = self.turn().await;
        match self.live_or_none()? {
            Some(live) => self.reload_live(live).await.map(drop),
            None => Ok(()),
        }
    }

    /// The caller has the turn.
    pub(super) async fn reload_live(&self, mut live: Box<Live<T>>) -> Result<Box<Live<T>>, Error> {
        loop {
            match self.inner().storage.load(&live.key).await? {
                Loaded::Live(record) => {
                    live.record = record;
                    self.state().phase = Phase::Live(Live::clone(&live));
                    return Ok(live);
                }
                Loaded::Undecodable => return Err(self.found_gone(&live)),
                Loaded::Nothing => match self.moved(&live.key).await? {
                    Some(key) => (live.key, live.by_old_id) = (key, true),
                    None => return Err(self.found_gone(&live)),
                },
            }
        }
    }

    /// After a renewal: the session that had this id. Ends it if the id turns up long after it was given up.
    async fn load_moved(
        &self,
        id: &SessionId,
        renewal: RenewIds,
    ) -> Result<Option<Box<Live<T>>>, Error> {
        let storage = &self.inner().storage;
        let left = Left::Id(id.clone(), &self.inner().successors);
        let Some(moved) = storage.find_moved(left).await? else {
            return Ok(None);
        };
        if !moved.is_good(renewal, storage.now()) {
            self.sessions().emit(|| Event::ReuseDetected {
                handle: id.key().handle(),
            });
            storage.destroy(&moved.key).await?;
            storage.destroy_moved(Left::Key(moved.key)).await?;
            return Ok(None);
        }
        if moved.is_unconfirmed() {
            let mut next = self.inner().successors.candidates(id);
            self.state().resend = next.find(|next| next.key() == moved.key).map(Box::new);
        }
        let Moved { key, record, .. } = moved;
        Ok(Some(Box::new(Live {
            id: id.clone(),
            key,
            record,
            is_new: false,
            by_old_id: true,
        })))
    }

    /// Where a session went that was live when this request read it, if its id was renewed a moment ago.
    pub(super) async fn moved(&self, key: &SessionKey) -> Result<Option<SessionKey>, Error> {
        let Some(renewal) = self.inner().renew_ids else {
            return Ok(None);
        };
        let storage = &self.inner().storage;
        let trail = storage.follow(key).await?;
        let recent = trail.filter(|trail| renewal.in_grace(trail.moved_at, storage.now()));
        Ok(recent.map(|trail| trail.to))
    }

    /// The live session; none if there was none when this request came, or if it ended it itself.
    pub(super) fn live_or_none(&self) -> Result<Option<Box<Live<T>>>, Error> {
        self.read_live_or_none(|live| Box::new(live.clone()))
    }

    /// The same for what needs one.
    pub(super) fn live(&self) -> Result<Box<Live<T>>, Error> {
        self.read_live(|live| Box::new(live.clone()))
    }

    /// Something of the live session, which is not copied for it.
    pub(super) fn read_live<R>(&self, read: impl FnOnce(&Live<T>) -> R) -> Result<R, Error> {
        self.read_live_or_none(read)?
            .ok_or_else(|| Error::new(ErrorKind::NoSession))
    }

    pub(super) fn read_live_or_none<R>(
        &self,
        read: impl FnOnce(&Live<T>) -> R,
    ) -> Result<Option<R>, Error> {
        match &self.state().phase {
            Phase::Live(live) => Ok(Some(read(live))),
            Phase::Gone => Err(Error::new(ErrorKind::Gone)),
            _ => Ok(None),
        }
    }

    pub(super) fn found_gone(&self, live: &Live<T>) -> Error {
        let expired = live.record.times.expired_at(self.inner().storage.now());
        let handle = || live.key.handle();
        self.sessions().emit(|| match expired {
            true => Event::Expired { handle: handle() },
            false => Event::Gone { handle: handle() },
        });
        self.state().gone();
        Error::new(ErrorKind::Gone)
    }
}
