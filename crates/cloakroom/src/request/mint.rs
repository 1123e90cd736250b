//! Sessions that begin.

use std::sync::Arc;

use cloakroom_store::{ClientInfo, Owner, Record, SessionKey};

use crate::client_address::client_info;
use crate::lifetimes::Lifetimes;
use crate::request::Exchange;
use crate::request::state::{Live, State};
use crate::storage::{Admission, Beginning};
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

/// A session with a fresh id, on its way into the store.
pub(super) struct Minting<'a, T> {
    pub(super) id: SessionId,
    pub(super) key: SessionKey,
    pub(super) record: Record<T>,
    /// The key of the one that ends.
    pub(super) ending: Option<SessionKey>,
    pub(super) stored: Beginning<'a>,
}

impl<T: Send + Sync + 'static> Exchange<T> {
    /// Stores a session under a fresh id. The caller has the turn.
    pub(super) async fn mint(&self, data: Arc<T>, origin: Origin) -> Result<(), Error> {
        refuse_after_response(&self.state())?;
        let minting = self.begin_minting(data, origin, None)?;
        self.minted(minting).await
    }

    /// Begins to store it, and to end the other one in the same step. The caller has the turn.
    #[inline(always)] // It is large: so it is made where it is to lie.
    pub(super) fn begin_minting(
        &self,
        data: Arc<T>,
        origin: Origin,
        ending: Option<SessionKey>,
    ) -> Result<Minting<'_, T>, Error> {
        let id = SessionId::random()?;
        let key = id.key();
        let record = self.new_record(data, origin)?;
        let storage = &self.inner().storage;
        let stored = storage.begin(ending.as_ref(), &key, record.clone());
        Ok(Minting {
            id,
            key,
            record,
            ending,
            stored,
        })
    }

    /// What came of it.
    pub(super) async fn minted(&self, mut minting: Minting<'_, T>) -> Result<(), Error> {
        let (ending, key) = (minting.ending, minting.key);
        let storage = &self.inner().storage;
        let begun = storage.begun(&mut minting.stored, ending.as_ref(), &key);
        let admission = begun.await?;
        if let Some(from) = ending {
            admission.stored()?;
            self.end_moved_for(&key, &from).await?;
        }
        let (id, record) = (minting.id, minting.record);
        self.admitted_or_taken_back(id, key, record, admission)
            .await
    }

    pub(super) async fn admitted_or_taken_back(
        &self,
        id: SessionId,
        key: SessionKey,
        record: Record<T>,
        admission: Admission,
    ) -> Result<(), Error> {
        match self.admitted(id, key, record, admission)? {
            true => Ok(()),
            false => Err(self.taken_back(&key).await),
        }
    }

    /// What was to end in favour of that session may have moved in this moment. Where that cannot be told, the new
    /// session ends again before anybody learns of it: the caller hears that nobody was signed in.
    pub(super) async fn end_moved_for(
        &self,
        key: &SessionKey,
        ending: &SessionKey,
    ) -> Result<(), Error> {
        let ended = self.end_moved(ending).await;
        if ended.is_err() {
            // As in `taken_back`.
            let _ = Box::pin(self.inner().storage.destroy(key)).await;
        }
        ended
    }

    /// The store has answered. False if the session is to be [taken back](Self::taken_back).
    #[inline(always)] // As above.
    pub(super) fn admitted(
        &self,
        id: SessionId,
        key: SessionKey,
        mut record: Record<T>,
        admission: Admission,
    ) -> Result<bool, Error> {
        record.version = admission.stored()?;
        Ok(self.created(Live {
            id,
            key,
            record,
            is_new: true,
            by_old_id: false,
        }))
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

    /// What is to be stored.
    #[inline(always)] // As above.
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
