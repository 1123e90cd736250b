//! The sessions of this session's owner.

use cloakroom_store::{Owner, SessionKey};

use crate::request::Exchange;
use crate::request::state::Live;
use crate::{Error, SessionId, SessionInfo};

/// How often one session may be renewed while its owner's others are ended.
const RENEWALS_MEANWHILE: usize = 8;

/// How many renewals ago a request may have got its id.
const RENEWALS_BEFORE: usize = 64;

impl<T: Send + Sync + 'static> Exchange<T> {
    /// The live sessions of this one's owner, this one among them.
    pub(super) async fn devices(&self) -> Result<Vec<SessionInfo<T>>, Error> {
        let (live, owner) = self.owned()?;
        let Some(owner) = owner else {
            return Ok(Vec::new());
        };
        let entries = self.inner().storage.list_by_owner(&owner).await?;
        let own = self.own_keys(&live).await?;
        let info = |entry| SessionInfo::new(entry, &own);
        Ok(entries.into_iter().map(info).collect())
    }

    /// Ends all but this one. How many were live.
    pub(super) async fn destroy_others(&self) -> Result<u64, Error> {
        let (live, owner) = self.owned()?;
        let Some(owner) = owner else {
            return Ok(0);
        };
        let storage = &self.inner().storage;
        let own = self.own_keys(&live).await?;
        storage.destroy_by_owner(&owner, &own).await
    }

    /// Ends all of them. How many were live.
    pub(super) async fn destroy_everywhere(&self) -> Result<u64, Error> {
        let (_, owner) = self.owned()?;
        let count = match owner {
            Some(owner) => self.inner().storage.destroy_by_owner(&owner, &[]).await?,
            None => 0,
        };
        // This one is among them, unless it moved or changed hands meanwhile. The cookie goes in any case.
        self.logout().await?;
        Ok(count)
    }

    /// The keys under which this session is or may be a moment later: another request of this browser may have renewed
    /// its id since it was read, and may be about to. A renewed id follows from the one before it.
    async fn own_keys(&self, live: &Live<T>) -> Result<Vec<SessionKey>, Error> {
        let own = self.moved(&live.key).await?.unwrap_or(live.key);
        let mut keys = vec![own];
        if self.inner().renew_ids.is_some() {
            let mut id = self.id_of(live, &own);
            for _ in 0..RENEWALS_MEANWHILE {
                id = self.inner().successors.successor(&id);
                keys.push(id.key());
            }
        }
        Ok(keys)
    }

    /// The id whose key that is: the one that this request knows, or one that followed it.
    fn id_of(&self, live: &Live<T>, key: &SessionKey) -> SessionId {
        let successors = &self.inner().successors;
        let mut id = live.id.clone();
        for _ in 0..RENEWALS_BEFORE {
            if id.key() == *key {
                break;
            }
            let is_it = |next: &SessionId| next.key() == *key;
            let next = successors.candidates(&id).find(is_it);
            id = next.unwrap_or_else(|| successors.successor(&id));
        }
        id
    }

    fn owned(&self) -> Result<(Box<Live<T>>, Option<Owner>), Error> {
        let live = self.live()?;
        let owner = live.record.owner.clone();
        Ok((live, owner))
    }
}
