use std::future::Future;

use cloakroom_store::StoreError;

use super::Storage;
use crate::Error;
use crate::event::Event;

impl<T: Send + Sync + 'static> Storage<T> {
    /// Waits for a store's answer; its error is reported and becomes this crate's.
    pub(super) async fn call<R>(
        &self,
        operation: &'static str,
        answer: impl Future<Output = Result<R, StoreError>>,
    ) -> Result<R, Error> {
        let answer = timed(operation, answer).await;
        answer.map_err(|error| self.failed(error))
    }

    pub(super) fn failed(&self, error: StoreError) -> Error {
        let error = Error::store(error);
        self.events.emit(|| Event::StoreFailed { error: &error });
        error
    }
}

#[cfg(feature = "metrics")]
pub(super) use crate::event::measured as timed;

/// Nobody wants to know how long it takes.
#[cfg(not(feature = "metrics"))]
pub(super) fn timed<F>(_operation: &'static str, answer: F) -> F {
    answer
}
