//! Ending the session, and noting its end.

use cloakroom_store::SessionKey;

use crate::Error;
use crate::request::Exchange;
use crate::storage::Left;

impl<T: Send + Sync + 'static> Exchange<T> {
    pub(super) async fn destroy(&self) -> Result<(), Error> {
        drop(self.consult());
        let _turn = self.turn().await;
        self.end().await?;
        self.state().ended();
        Ok(())
    }

    pub(super) async fn logout(&self) -> Result<(), Error> {
        drop(self.consult());
        let _turn = self.turn().await;
        self.end().await?;
        self.state().logged_out();
        Ok(())
    }

    async fn end(&self) -> Result<(), Error> {
        self.end_several().await?;
        let key = self.state().key_to_end();
        if let Some(key) = key {
            self.end_under(&key).await?;
        }
        Ok(())
    }

    /// Ends what is under a key, or was and moved on when its id was renewed: whoever signs out with an id that is
    /// being renewed at this moment is signed out.
    async fn end_under(&self, key: &SessionKey) -> Result<(), Error> {
        let storage = &self.inner().storage;
        if !storage.destroy(key).await? {
            self.end_moved(key).await?;
        }
        Ok(())
    }

    pub(super) async fn end_moved(&self, key: &SessionKey) -> Result<(), Error> {
        let inner = self.inner();
        if inner.renew_ids.is_some() {
            let id = self.state().id_under(key);
            let left = id.map_or(Left::Key(*key), |id| Left::Id(id, &inner.successors));
            // Boxed, as this is rare: the future of a usual sign-in stays small.
            Box::pin(inner.storage.destroy_moved(left)).await?;
        }
        Ok(())
    }

    pub(super) async fn end_several(&self) -> Result<(), Error> {
        let keys = self.state().several_to_end();
        for key in keys {
            Box::pin(self.end_under(&key)).await?;
        }
        Ok(())
    }
}
