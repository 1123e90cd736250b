use cloakroom_store::Entry;

use crate::request::Exchange;
use crate::{Error, ErrorKind};

impl<T: Send + Sync + 'static> Exchange<T> {
    /// The other live sessions of this one's owner.
    pub(super) async fn others(&self) -> Result<Vec<Entry<T>>, Error> {
        let Some(live) = self.live_or_none()? else {
            return Err(Error::new(ErrorKind::NoSession));
        };
        let Some(owner) = &live.record.owner else {
            return Ok(Vec::new());
        };
        let mut entries = self.sessions.list_by_owner(owner).await?;
        entries.retain(|entry| entry.key != live.key);
        Ok(entries)
    }

    /// Ends them. How many were live.
    pub(super) async fn destroy_others(&self) -> Result<u64, Error> {
        let Some(live) = self.live_or_none()? else {
            return Err(Error::new(ErrorKind::NoSession));
        };
        let Some(owner) = &live.record.owner else {
            return Ok(0);
        };
        let storage = &self.inner().storage;
        let ended = storage
            .enumerate()?
            .destroy_by_owner(owner, Some(&live.key));
        ended.await.map_err(|error| storage.failed(error))
    }
}
