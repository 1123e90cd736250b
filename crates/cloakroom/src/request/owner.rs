//! The sessions of this session's owner.

use cloakroom_store::{Handle, Owner, Record, SessionKey};

use crate::request::Exchange;
use crate::request::state::Live;
use crate::storage::Loaded;
use crate::{Error, SessionId, SessionInfo};

/// How often one session may be renewed while its owner's others are ended.
const RENEWALS_MEANWHILE: usize = 8;

/// How many renewals ago a request may have got its id.
const RENEWALS_BEFORE: usize = 64;

impl<T: Send + Sync + 'static> Exchange<T> {
    /// The live sessions of this one's owner, this one among them.
    pub(super) async fn devices(&self) -> Result<Vec<SessionInfo<T>>, Error> {
        let (live, owner) = self.owned().await?;
        let Some(owner) = owner else {
            return Ok(Vec::new());
        };
        let entries = self.inner().storage.list_by_owner(&owner).await?;
        let own = self.own_keys(&live);
        let info = |entry| SessionInfo::new(entry, &own);
        Ok(entries.into_iter().map(info).collect())
    }

    /// Ends the one of that handle. Whether there was one.
    pub(super) async fn destroy_device(&self, handle: Handle) -> Result<bool, Error> {
        match self.owned().await? {
            (_, Some(owner)) => self.sessions().destroy_by_handle(&owner, handle).await,
            (_, None) => Ok(false),
        }
    }

    /// Ends all but this one. How many were live.
    pub(super) async fn destroy_others(&self) -> Result<u64, Error> {
        let (live, owner) = self.owned().await?;
        let Some(owner) = owner else {
            return Ok(0);
        };
        let storage = &self.inner().storage;
        storage
            .destroy_by_owner(&owner, &self.own_keys(&live))
            .await
    }

    /// Ends all of them. How many were live.
    pub(super) async fn destroy_everywhere(&self) -> Result<u64, Error> {
        let (_, owner) = self.owned().await?;
        let count = match owner {
            Some(owner) => self.inner().storage.destroy_by_owner(&owner, &[]).await?,
            None => 0,
        };
        // This one is among them, unless it moved or changed hands meanwhile. The cookie goes in any case.
        self.logout().await?;
        Ok(count)
    }

    /// This session, where it is now, and whose it is. Asks the store, as what this request read may be old: whoever was
    /// signed out while the request went on, by its user perhaps, sees and ends nobody's sessions any more.
    async fn owned(&self) -> Result<(Box<Live<T>>, Option<Owner>), Error> {
        // Another verb of this request may be about to move the session, which is not to look like its end.
        let _turn = self.turn().await;
        let mut live = self.live()?;
        loop {
            let owner = |record: Record<T>| record.owner;
            match self.inner().storage.load_and(&live.key, owner).await? {
                Loaded::Live(owner) => return Ok((live, owner)),
                Loaded::Undecodable => return Err(self.found_gone(&live)),
                Loaded::Nothing => match self.moved(&live.key).await? {
                    Some(key) => live.key = key,
                    None => return Err(self.found_gone(&live)),
                },
            }
        }
    }

    /// The keys under which this session is or may be a moment later: another request of this browser may be about to
    /// renew its id. A renewed id follows from the one before it.
    fn own_keys(&self, live: &Live<T>) -> Vec<SessionKey> {
        let mut keys = vec![live.key];
        if self.inner().renew_ids.is_some() {
            let mut id = self.id_of(live);
            for _ in 0..RENEWALS_MEANWHILE {
                id = self.inner().successors.successor(&id);
                keys.push(id.key());
            }
        }
        keys
    }

    /// The id that the session has where it is now: the one that this request knows, or one that followed it.
    pub(super) fn id_of(&self, live: &Live<T>) -> SessionId {
        let successors = &self.inner().successors;
        let mut id = live.id.clone();
        for _ in 0..RENEWALS_BEFORE {
            if id.key() == live.key {
                break;
            }
            let is_it = |next: &SessionId| next.key() == live.key;
            let next = successors.candidates(&id).find(is_it);
            id = next.unwrap_or_else(|| successors.successor(&id));
        }
        id
    }
}
