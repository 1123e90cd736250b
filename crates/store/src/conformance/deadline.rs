use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::thread;
use std::time::Duration;

/// The future's answer, or `None` if it takes longer. A thread keeps the time, so that no runtime's timer is
/// needed.
pub(crate) async fn within<F: Future>(bound: Duration, future: F) -> Option<F::Output> {
    let over = Arc::new(AtomicBool::new(false));
    let (_answered, waiting) = mpsc::channel::<()>();
    let mut waiting = Some(waiting);
    let mut future = pin!(future);
    poll_fn(move |context| {
        if let Poll::Ready(answer) = future.as_mut().poll(context) {
            return Poll::Ready(Some(answer));
        }
        if over.load(Ordering::SeqCst) {
            return Poll::Ready(None);
        }
        if let Some(waiting) = waiting.take() {
            let over = Arc::clone(&over);
            let waker = context.waker().clone();
            // Ends early when the other end of the channel is dropped, with this future.
            thread::spawn(move || {
                if waiting.recv_timeout(bound) == Err(mpsc::RecvTimeoutError::Timeout) {
                    over.store(true, Ordering::SeqCst);
                    waker.wake();
                }
            });
        }
        Poll::Pending
    })
    .await
}
