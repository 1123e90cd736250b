//! Operations of several steps, each in a task of its own.

use std::future::Future;

use tokio::runtime::Handle;
use tracing::Instrument;

use crate::error::RedisStoreError;

/// Has these steps go on to their end, also if nobody waits for it any more: dropping the answer cuts nothing.
///
/// They run where the caller does, since that runtime certainly runs. The one in which the store was made may be
/// idle by now, or gone.
pub(crate) fn uncut<R: Send + 'static>(
    steps: impl Future<Output = Result<R, RedisStoreError>> + Send + 'static,
) -> impl Future<Output = Result<R, RedisStoreError>> {
    // What they log belongs to the request.
    let steps = steps.in_current_span();
    // Begun at once, so that the steps take no room in what is awaited.
    let task = Handle::try_current().map(|runtime| runtime.spawn(steps));
    async {
        let task = task.map_err(|_| RedisStoreError::no_runtime())?;
        // What a panic said is not passed on: it may quote anything.
        let ended = task.await;
        ended.unwrap_or_else(|_| Err(RedisStoreError::cut_off()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use std::future::{pending, poll_fn};
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use cloakroom_store::StoreErrorKind;
    use tokio::runtime::{Builder, Runtime};
    use tokio::sync::oneshot;

    use super::*;
    use crate::RedisStoreErrorKind;

    fn runtime() -> Runtime {
        Builder::new_current_thread().build().unwrap()
    }

    fn assert_cut_off(error: RedisStoreError) {
        assert_eq!(error.kind(), RedisStoreErrorKind::CutOff);
        assert!(!format!("{error} {error:?}").contains("secret"));
        let error = error.into_store_error();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    }

    #[test]
    fn steps_go_on_when_their_caller_is_gone() {
        runtime().block_on(async {
            let (go_on, may_go_on) = oneshot::channel();
            let (done, is_done) = oneshot::channel();
            {
                let mut caller = pin!(uncut(async move {
                    may_go_on.await.unwrap();
                    done.send(()).unwrap();
                    Ok(())
                }));
                let polled = poll_fn(|context| Poll::Ready(caller.as_mut().poll(context))).await;
                assert!(polled.is_pending());
            }
            go_on.send(()).unwrap();
            is_done.await.unwrap();
        });
    }

    #[test]
    fn what_they_answer_is_answered() {
        let runtime = runtime();
        let answer = runtime.block_on(async { uncut(async { Ok(7) }).await });
        assert_eq!(answer.unwrap(), 7);
        let answer = runtime
            .block_on(async { uncut(async { Err::<(), _>(RedisStoreError::unexpected()) }).await });
        assert_eq!(answer.unwrap_err().kind(), RedisStoreErrorKind::Other);
    }

    #[test]
    fn a_panic_is_an_error_that_does_not_quote_it() {
        let panics = async { uncut::<()>(async { panic!("secret") }).await };
        assert_cut_off(runtime().block_on(panics).unwrap_err());
    }

    #[test]
    fn the_end_of_their_runtime_is_an_error() {
        let theirs = runtime();
        let caller = {
            let _entered = theirs.enter();
            uncut::<()>(pending())
        };
        theirs.shutdown_background();
        assert_cut_off(runtime().block_on(caller).unwrap_err());
    }

    #[test]
    fn no_runtime_is_an_error() {
        let mut caller = pin!(uncut(async { Ok(()) }));
        let mut context = Context::from_waker(Waker::noop());
        let Poll::Ready(Err(error)) = caller.as_mut().poll(&mut context) else {
            panic!("it waits for a runtime that is not there");
        };
        assert_eq!(error.kind(), RedisStoreErrorKind::NoRuntime);
    }
}
