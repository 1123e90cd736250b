//! What concerns all sessions, or all of one owner.

use cloakroom_store::{Entry, Enumerate, Owner, SessionKey};

use super::Storage;
use crate::event::Event;
use crate::{Error, ErrorKind};

impl<T: Send + Sync + 'static> Storage<T> {
    pub(crate) async fn all(&self) -> Result<Vec<Entry<T>>, Error> {
        let enumerate = self.enumerate()?;
        self.call("all", || enumerate.all()).await
    }

    pub(crate) async fn visit(
        &self,
        visitor: &mut (dyn FnMut(Entry<T>) + Send),
    ) -> Result<(), Error> {
        let enumerate = self.enumerate()?;
        self.call("visit", || enumerate.visit(visitor)).await
    }

    pub(crate) async fn count(&self) -> Result<u64, Error> {
        let enumerate = self.enumerate()?;
        self.call("count", || enumerate.count()).await
    }

    pub(crate) async fn clear(&self) -> Result<u64, Error> {
        let enumerate = self.enumerate()?;
        let count = self.call("clear", || enumerate.clear()).await?;
        self.events.emit(|| Event::Cleared { count });
        self.watchers.wake_all();
        Ok(count)
    }

    pub(crate) async fn purge_expired(&self) -> Result<u64, Error> {
        let enumerate = self.enumerate()?;
        let purged = self.call("purge_expired", || enumerate.purge_expired());
        let count = purged.await?;
        if count > 0 {
            self.events.emit(|| Event::Purged { count });
            self.watchers.wake_all();
        }
        Ok(count)
    }

    pub(crate) async fn list_by_owner(&self, owner: &Owner) -> Result<Vec<Entry<T>>, Error> {
        let enumerate = self.enumerate()?;
        self.call("list_by_owner", || enumerate.list_by_owner(owner))
            .await
    }

    pub(crate) async fn destroy_by_owner(
        &self,
        owner: &Owner,
        except: &[SessionKey],
    ) -> Result<u64, Error> {
        let enumerate = self.enumerate()?;
        let ended = || enumerate.destroy_by_owner(owner, except);
        let count = self.call("destroy_by_owner", ended).await?;
        if count > 0 {
            self.events.emit(|| Event::OwnerDestroyed { count });
            // Whose sessions are watched is not known here; they look for themselves.
            self.watchers.wake_all();
        }
        Ok(count)
    }

    fn enumerate(&self) -> Result<&dyn Enumerate<T>, Error> {
        let enumerate = self.store.enumerate();
        enumerate.ok_or_else(|| Error::new(ErrorKind::Unsupported))
    }
}
