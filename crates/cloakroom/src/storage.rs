//! The only room from which a store is spoken to: errors become this crate's, trouble becomes an event, and
//! what a store should not have shown, an expired record, is not shown.

use std::sync::Arc;

use cloakroom_store::{
    Clock, Enumerate, Expect, Record, RotateOutcome, SessionKey, SetOutcome, Store, StoreError,
    StoreErrorKind, Times, Timestamp,
};

use crate::event::{Event, Events};
use crate::{Error, ErrorKind};

pub(crate) struct Storage<T> {
    pub(crate) store: Arc<dyn Store<T>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: Events,
    pub(crate) undecodable_is_an_error: bool,
}

/// What is under a key.
pub(crate) enum Loaded<T> {
    Live(Record<T>),
    Nothing,
    /// Something that does not decode. It counts as absent, but it is there.
    Undecodable,
}

impl<T: Send + Sync + 'static> Storage<T> {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) async fn load(&self, key: &SessionKey) -> Result<Loaded<T>, Error> {
        match self.store.get(key).await {
            Ok(Some(record)) if record.times.expired_at(self.now()) => {
                self.events.emit(|| Event::Expired {
                    handle: key.handle(),
                });
                Ok(Loaded::Nothing)
            }
            Ok(Some(record)) => Ok(Loaded::Live(record)),
            Ok(None) => Ok(Loaded::Nothing),
            Err(error) if error.kind() == StoreErrorKind::Undecodable => {
                let error = Error::store(error);
                self.events.emit(|| Event::Undecodable {
                    handle: key.handle(),
                    error: &error,
                });
                if self.undecodable_is_an_error {
                    Err(error)
                } else {
                    Ok(Loaded::Undecodable)
                }
            }
            Err(error) => Err(self.failed(error)),
        }
    }

    pub(crate) async fn set(
        &self,
        key: &SessionKey,
        record: Record<T>,
        expect: Expect,
    ) -> Result<SetOutcome, Error> {
        let outcome = self.store.set(key, record, expect).await;
        outcome.map_err(|error| self.failed(error))
    }

    pub(crate) async fn replace(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        record: Record<T>,
    ) -> Result<SetOutcome, Error> {
        let outcome = self.store.replace(from, to, record).await;
        outcome.map_err(|error| self.failed(error))
    }

    pub(crate) async fn rotate(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        times: Times,
    ) -> Result<RotateOutcome, Error> {
        let outcome = self.store.rotate(from, to, times).await;
        outcome.map_err(|error| self.failed(error))
    }

    pub(crate) async fn touch(
        &self,
        key: &SessionKey,
        last_seen_at: Timestamp,
    ) -> Result<bool, Error> {
        let live = self.store.touch(key, last_seen_at);
        live.await.map_err(|error| self.failed(error))
    }

    pub(crate) async fn destroy(&self, key: &SessionKey) -> Result<bool, Error> {
        let live = self.store.destroy(key).await;
        let live = live.map_err(|error| self.failed(error))?;
        if live {
            self.events.emit(|| Event::Destroyed {
                handle: key.handle(),
            });
        }
        Ok(live)
    }

    pub(crate) fn enumerate(&self) -> Result<&dyn Enumerate<T>, Error> {
        let enumerate = self.store.enumerate();
        enumerate.ok_or_else(|| Error::new(ErrorKind::Unsupported))
    }

    pub(crate) fn failed(&self, error: StoreError) -> Error {
        let error = Error::store(error);
        self.events.emit(|| Event::StoreFailed { error: &error });
        error
    }
}
