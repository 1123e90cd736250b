//! Asking the store what is under the id that came.

use cloakroom_store::SessionKey;

use crate::event::Event;
use crate::request::Exchange;
use crate::request::state::{CookieChange, Live, Phase, PreSession, State};
use crate::storage::{Left, Loaded, Moved};
use crate::{Error, ErrorKind, RenewIds, SessionId};

/// What an id leads to.
enum Either<T> {
    /// A session; and the id that it was given by a renewal whose response was lost.
    Live(Box<Live<T>>, Option<Box<SessionId>>),
    /// One under this key, which had the id so long ago that nobody should come with it any more.
    Reused(SessionKey),
}

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
        if presented.is_none() {
            let several = self.state().several().map(<[_]>::to_vec);
            if let Some(ids) = several {
                // Boxed, as this is rare: the future of a usual request stays small.
                Box::pin(self.load_one_of(ids)).await?;
            }
        }
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

    /// Several ids came, as a browser sends them that has cookies for two domains or paths, or for a partition and for
    /// none: from before a change of configuration, or planted. The one that lives, if no other does.
    async fn load_one_of(&self, ids: Vec<SessionId>) -> Result<(), Error> {
        let mut found: Vec<(Phase<T>, Option<Box<SessionId>>)> = Vec::new();
        let mut reused = Vec::new();
        for id in &ids {
            let (live, resend) = match self.load_either(id).await? {
                Loaded::Live(Either::Live(live, resend)) => (live, resend),
                Loaded::Live(Either::Reused(key)) => {
                    reused.push((id, key));
                    continue;
                }
                Loaded::Undecodable => {
                    found.push((Phase::Undecodable(id.clone()), None));
                    continue;
                }
                Loaded::Nothing => continue,
            };
            match found.iter_mut().find(|(it, _)| is_under(it, &live.key)) {
                None => found.push((Phase::Live(*live), resend)),
                // Two ids of one session: the newer one says more.
                Some(there) if !live.by_old_id => *there = (Phase::Live(*live), None),
                Some(_) => {}
            }
        }
        // An id that was given up long ago is no copy's where it lies beside one that is good.
        if found.is_empty() {
            for (id, key) in reused {
                self.end_reused(id, &key).await?;
            }
        }
        let mut state = self.state();
        state.phase = match (found.pop(), found.is_empty()) {
            (Some((only, resend)), true) => {
                state.resend = resend;
                only
            }
            (Some(_), false) => {
                self.sessions().emit(|| Event::AmbiguousCookies);
                Phase::Ambiguous(ids)
            }
            (None, _) => {
                for id in &ids {
                    let handle = id.key().handle();
                    self.sessions().emit(|| Event::NotFound { handle });
                }
                // The same one, in whatever order they come.
                let id = ids.into_iter().min_by_key(SessionId::key);
                Phase::Absent(self.pre_session_on(id))
            }
        };
        Ok(())
    }

    /// What is under an id, or where the session of that id went.
    async fn load_either(&self, id: &SessionId) -> Result<Loaded<Either<T>>, Error> {
        let (key, storage) = (id.key(), &self.inner().storage);
        let renewal = match (storage.load(&key).await?, self.inner().renew_ids) {
            (Loaded::Nothing, Some(renewal)) => renewal,
            (Loaded::Live(record), _) => {
                let live = Live {
                    id: id.clone(),
                    key,
                    record,
                    is_new: false,
                    by_old_id: false,
                };
                return Ok(Loaded::Live(Either::Live(Box::new(live), None)));
            }
            (Loaded::Undecodable, _) => return Ok(Loaded::Undecodable),
            (Loaded::Nothing, None) => return Ok(Loaded::Nothing),
        };
        self.find_moved(id, renewal).await
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
        let phase = match self.load_moved(&id, renewal).await? {
            Loaded::Live(live) => Phase::Live(*live),
            Loaded::Undecodable => Phase::Undecodable(id),
            Loaded::Nothing => return Ok(false),
        };
        self.state().phase = phase;
        Ok(true)
    }

    /// Nothing lives under the presented id, which has this key.
    fn found_nothing(&self, key: SessionKey) {
        self.sessions().emit(|| Event::NotFound {
            handle: key.handle(),
        });
        let mut state = self.state();
        if let Some(id) = state.presented_id().cloned() {
            state.phase = Phase::Absent(self.pre_session_on(Some(id)));
        }
    }

    /// A dead id will do for a pre-session: nothing is ever stored under it, and no cookie is sent that could overwrite
    /// the one of a login that is just happening.
    fn pre_session_on(&self, dead: Option<SessionId>) -> PreSession {
        match dead.filter(|_| self.inner().save_uninitialized) {
            Some(id) => PreSession::Id(id),
            None => PreSession::None,
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
    ) -> Result<Loaded<Box<Live<T>>>, Error> {
        Ok(match self.find_moved(id, renewal).await? {
            Loaded::Live(Either::Live(live, resend)) => {
                self.state().resend = resend;
                Loaded::Live(live)
            }
            Loaded::Live(Either::Reused(key)) => {
                self.end_reused(id, &key).await?;
                Loaded::Nothing
            }
            Loaded::Undecodable => Loaded::Undecodable,
            Loaded::Nothing => Loaded::Nothing,
        })
    }

    async fn find_moved(
        &self,
        id: &SessionId,
        renewal: RenewIds,
    ) -> Result<Loaded<Either<T>>, Error> {
        let (storage, successors) = (&self.inner().storage, &self.inner().successors);
        let left = Left::Id(id.clone(), successors);
        let found = storage.find_moved(left).await?;
        Ok(found.map(|moved| {
            if !moved.is_good(renewal, storage.now()) {
                return Either::Reused(moved.key);
            }
            let mut next = successors.candidates(id);
            let resend = match moved.is_unconfirmed() {
                true => next.find(|next| next.key() == moved.key).map(Box::new),
                false => None,
            };
            let Moved { key, record, .. } = moved;
            let live = Live {
                id: id.clone(),
                key,
                record,
                is_new: false,
                by_old_id: true,
            };
            Either::Live(Box::new(live), resend)
        }))
    }

    /// Two have the session that is under this key now: somebody came with an id that it had long ago.
    async fn end_reused(&self, id: &SessionId, key: &SessionKey) -> Result<(), Error> {
        let storage = &self.inner().storage;
        self.sessions().emit(|| Event::ReuseDetected {
            handle: id.key().handle(),
        });
        storage.destroy(key).await?;
        storage.destroy_moved(Left::Key(*key)).await?;
        Ok(())
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
            Phase::Gone(_) => Err(Error::new(ErrorKind::Gone)),
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
        self.state().gone(live.id.clone());
        Error::new(ErrorKind::Gone)
    }
}

fn is_under<T>(phase: &Phase<T>, key: &SessionKey) -> bool {
    matches!(phase, Phase::Live(live) if live.key == *key)
}
