use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::StoreError;

/// What a [`Store`](crate::Store)'s methods return: a future of `Result<R, StoreError>`.
///
/// A store that answers from memory uses [`StoreFuture::ready`], which allocates nothing. Others box an async
/// block with [`StoreFuture::new`]. It may borrow the store, and nothing else that the method was lent: copy the key, which is
/// `Copy`, before.
///
/// ```
/// use cloakroom_store::StoreFuture;
///
/// fn from_memory<'a>() -> StoreFuture<'a, u64> {
///     StoreFuture::ready(Ok(1))
/// }
/// fn from_far_away<'a>(store: &'a u64, key: &u64) -> StoreFuture<'a, u64> {
///     let key = *key;
///     StoreFuture::new(async move { Ok(store + key) })
/// }
/// ```
#[must_use = "a store does nothing until its future is awaited"]
pub struct StoreFuture<'a, R> {
    state: State<'a, R>,
}

enum State<'a, R> {
    // An `Option`, so that the answer can be taken out.
    Ready(Option<Result<R, StoreError>>),
    Boxed(Waiting<'a, R>),
}

/// What [`StoreFuture::into_ready`] leaves to be awaited.
type Waiting<'a, R> = Pin<Box<dyn Future<Output = Result<R, StoreError>> + Send + 'a>>;

const ONCE: &str = "a future is not asked again after it answered";

impl<'a, R> StoreFuture<'a, R> {
    /// An answer that is already there.
    pub fn ready(answer: Result<R, StoreError>) -> Self {
        Self {
            state: State::Ready(Some(answer)),
        }
    }

    /// An answer that has to be waited for.
    pub fn new(future: impl Future<Output = Result<R, StoreError>> + Send + 'a) -> Self {
        Self {
            state: State::Boxed(Box::pin(future)),
        }
    }

    /// The answer if it is [already there](StoreFuture::ready), for callers that do better without waiting; else what
    /// is to be awaited, without room for an answer.
    ///
    /// ```
    /// use cloakroom_store::StoreFuture;
    ///
    /// let from_memory = StoreFuture::ready(Ok(1));
    /// assert_eq!(from_memory.into_ready().ok().unwrap().unwrap(), 1);
    ///
    /// let from_far_away: StoreFuture<'_, u64> = StoreFuture::new(async { Ok(1) });
    /// assert!(from_far_away.into_ready().is_err());
    /// ```
    ///
    /// # Errors
    /// The future, which is still to be awaited.
    ///
    /// # Panics
    /// When it has been polled and has answered.
    pub fn into_ready(self) -> Result<Result<R, StoreError>, Waiting<'a, R>> {
        match self.state {
            State::Ready(answer) => Ok(answer.expect(ONCE)),
            State::Boxed(future) => Err(future),
        }
    }
}

// Nothing in it is pinned in place: the boxed future has its own address, the answer is moved out.
impl<R> Unpin for StoreFuture<'_, R> {}

impl<R> Future for StoreFuture<'_, R> {
    type Output = Result<R, StoreError>;

    /// # Panics
    /// When polled again after it answered, as async blocks do.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.state {
            State::Ready(answer) => Poll::Ready(answer.take().expect(ONCE)),
            State::Boxed(future) => future.as_mut().poll(context),
        }
    }
}

impl<R> fmt::Debug for StoreFuture<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreFuture").finish_non_exhaustive()
    }
}
