//! The sessions of this session's owner.

use cloakroom_store::{Owner, SessionKey};

use crate::request::Exchange;
use crate::request::state::Live;
use crate::{Error, SessionInfo};

impl<T: Send + Sync + 'static> Exchange<T> {
    /// The live sessions of this one's owner, this one among them.
    pub(super) async fn devices(&self) -> Result<Vec<SessionInfo<T>>, Error> {
        let (live, owner) = self.owned()?;
        let Some(owner) = owner else {
            return Ok(Vec::new());
        };
        let entries = self.inner().storage.list_by_owner(&owner).await?;
        let own = self.own_key(&live).await?;
        let info = |entry| SessionInfo::new(entry, Some(&own));
        Ok(entries.into_iter().map(info).collect())
    }

    /// Ends all but this one. How many were live.
    pub(super) async fn destroy_others(&self) -> Result<u64, Error> {
        let (live, owner) = self.owned()?;
        let Some(owner) = owner else {
            return Ok(0);
        };
        let storage = &self.inner().storage;
        let own = self.own_key(&live).await?;
        storage.destroy_by_owner(&owner, Some(&own)).await
    }

    /// Ends all of them. How many were live.
    pub(super) async fn destroy_everywhere(&self) -> Result<u64, Error> {
        let (_, owner) = self.owned()?;
        let count = match owner {
            Some(owner) => self.inner().storage.destroy_by_owner(&owner, None).await?,
            None => 0,
        };
        // This one is among them, unless it moved or changed hands meanwhile. The cookie goes in any case.
        self.logout().await?;
        Ok(count)
    }

    /// Where this session is now: another request of this browser may have renewed its id since.
    async fn own_key(&self, live: &Live<T>) -> Result<SessionKey, Error> {
        Ok(self.moved(&live.key).await?.unwrap_or(live.key))
    }

    fn owned(&self) -> Result<(Box<Live<T>>, Option<Owner>), Error> {
        let live = self.live()?;
        let owner = live.record.owner.clone();
        Ok((live, owner))
    }
}
