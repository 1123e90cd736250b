//! Sessions that begin.

use std::sync::Arc;

use cloakroom_store::{ClientInfo, Owner, Record, SessionKey};

use crate::client_address::client_info;
use crate::lifetimes::Lifetimes;
use crate::request::Exchange;
use crate::request::state::{Live, State};
use crate::storage::Admission;
use crate::{Error, ErrorKind, SessionId};

/// What a new session is to be, apart from its data.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub(super) lifetimes: Lifetimes,
    /// Overrides what `owned_by` says.
    pub(super) owner: Option<Owner>,
    /// What the client said of itself.
    pub(super) client: Option<Arc<ClientInfo>>,
    /// Somebody just proved who they are.
    pub(super) authenticated: bool,
}

impl<T: Send + Sync + 'static> Exchange<T> {
    /// Stores a session under a fresh id. The caller has the turn.
    pub(super) async fn mint(&self, data: Arc<T>, origin: Origin) -> Result<(), Error> {
        refuse_after_response(&self.state())?;
        let mut live = self.new_live(data, origin)?;
        self.store_new(&mut live, None).await?;
        let key = live.key;
        match self.created(live) {
            true => Ok(()),
            false => Err(self.taken_back(&key).await),
        }
    }

    /// Stores it, and ends the other one in the same step.
    pub(super) async fn store_new(
        &self,
        live: &mut Live<T>,
        ending: Option<&SessionKey>,
    ) -> Result<(), Error> {
        let storage = &self.inner().storage;
        let begun = storage.begin(ending, &live.key, live.record.clone());
        live.record.version = match begun.await? {
            Admission::Stored(version) => version,
            Admission::Refused => return Err(Error::new(ErrorKind::TooManySessions)),
            // Two equal random ids, or a store that breaks its laws.
            Admission::Exists => return Err(Error::new(ErrorKind::Internal)),
        };
        Ok(())
    }

    /// Notes a session that has just got its id. Not if the response was handed over meanwhile: then it is to be
    /// [taken back](Self::taken_back).
    #[inline(always)] // So that what is large is copied once.
    pub(super) fn created(&self, live: Live<T>) -> bool {
        let mut state = self.state();
        match state.responded {
            true => state.ended(),
            false => state.created(live),
        }
        !state.responded
    }

    /// Nobody will learn the id of that session, so it is ended again. What the caller is told.
    pub(super) async fn taken_back(&self, key: &SessionKey) -> Error {
        // Should this fail, it lies there until it expires. Boxed, as it is rare.
        let _ = Box::pin(self.inner().storage.destroy(key)).await;
        Error::new(ErrorKind::ResponseStarted)
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

    /// What is to be stored. Inlined, as it is large: so it is made where it is to lie.
    #[inline(always)]
    pub(super) fn new_live(&self, data: Arc<T>, origin: Origin) -> Result<Live<T>, Error> {
        let id = SessionId::random()?;
        Ok(Live {
            key: id.key(),
            id,
            record: self.new_record(data, origin)?,
            is_new: true,
            by_old_id: false,
        })
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
        record.client = match (origin.client, &self.inner().clients) {
            (Some(said), _) => Some(said),
            (None, Some(address)) => Some(Arc::new(client_info(self.head(), address))),
            (None, None) => None,
        };
        Ok(record)
    }

    pub(super) fn owner_of(&self, data: &T) -> Result<Option<Owner>, Error> {
        match &self.inner().owner_of {
            Some(owner_of) => owner_of.of(data).map_err(Error::owner),
            None => Ok(None),
        }
    }
}

pub(super) fn refuse_after_response<T>(state: &State<T>) -> Result<(), Error> {
    match state.responded {
        true => Err(Error::new(ErrorKind::ResponseStarted)),
        false => Ok(()),
    }
}
