use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use cloakroom_store::{StoreError, StoreFuture};

use super::Storage;
use crate::Error;
use crate::event::{Event, Stopwatch};

/// A store that was asked for something.
#[must_use = "a store does nothing until it is waited for"]
pub(crate) struct Call<F> {
    answer: F,
    watch: Stopwatch,
}

/// One that may have answered already.
pub(crate) type Asked<'a, R> = Call<StoreFuture<'a, R>>;

/// One that has not: smaller, as it has no room for an answer.
pub(crate) type Waiting<'a, R> =
    Call<Pin<Box<dyn Future<Output = Result<R, StoreError>> + Send + 'a>>>;

impl<'a, R> Asked<'a, R> {
    /// Asks now. A store in this process may have done all its work when it has been asked, so that is timed as well.
    #[inline]
    pub(super) fn ask(operation: &'static str, ask: impl FnOnce() -> StoreFuture<'a, R>) -> Self {
        let watch = Stopwatch::start(operation);
        Self {
            answer: ask(),
            watch,
        }
    }

    /// The answer if it is there already; else what is to be waited for.
    #[inline]
    pub(super) fn into_ready(self) -> Result<Result<R, StoreError>, Waiting<'a, R>> {
        let Self { answer, watch } = self;
        match answer.into_ready() {
            Ok(answer) => {
                watch.stop(answer.is_ok());
                Ok(answer)
            }
            Err(answer) => Err(Call { answer, watch }),
        }
    }
}

impl<R, F: Future<Output = Result<R, StoreError>> + Unpin> Future for Call<F> {
    type Output = Result<R, StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let answered = Pin::new(&mut self.answer).poll(context);
        if let Poll::Ready(answer) = &answered {
            self.watch.stop(answer.is_ok());
        }
        answered
    }
}

impl<T: Send + Sync + 'static> Storage<T> {
    /// Asks a store for something and waits for the answer; its error is reported and becomes this crate's.
    pub(super) async fn call<'a, R>(
        &self,
        operation: &'static str,
        ask: impl FnOnce() -> StoreFuture<'a, R>,
    ) -> Result<R, Error> {
        let answer = match Call::ask(operation, ask).into_ready() {
            Ok(answer) => answer,
            Err(waiting) => waiting.await,
        };
        self.judged(answer)
    }

    pub(super) fn judged<R>(&self, answer: Result<R, StoreError>) -> Result<R, Error> {
        answer.map_err(|error| self.failed(error))
    }

    pub(super) fn failed(&self, error: StoreError) -> Error {
        let error = Error::store(error);
        self.events.emit(|| Event::StoreFailed { error: &error });
        error
    }
}
