use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

/// The future's answer, or `None` if it takes longer. A thread keeps the time, so that no runtime's timer is
/// needed.
pub(crate) async fn within<F: Future>(bound: Duration, future: F) -> Option<F::Output> {
    let alarm = Arc::new(Mutex::new(Alarm::default()));
    // Dropped with this future; the thread then ends early.
    let (_answered, waiting) = mpsc::channel::<()>();
    let mut waiting = Some(waiting);
    let mut future = pin!(future);
    poll_fn(|context| {
        if let Poll::Ready(answer) = future.as_mut().poll(context) {
            return Poll::Ready(Some(answer));
        }
        let mut set = alarm.lock().unwrap_or_else(PoisonError::into_inner);
        if set.rang {
            return Poll::Ready(None);
        }
        set.waker = Some(context.waker().clone());
        if let Some(waiting) = waiting.take() {
            let alarm = Arc::clone(&alarm);
            thread::spawn(move || {
                if waiting.recv_timeout(bound) == Err(mpsc::RecvTimeoutError::Timeout) {
                    ring(&alarm);
                }
            });
        }
        Poll::Pending
    })
    .await
}

#[derive(Default)]
struct Alarm {
    rang: bool,
    waker: Option<Waker>,
}

fn ring(alarm: &Mutex<Alarm>) {
    let mut alarm = alarm.lock().unwrap_or_else(PoisonError::into_inner);
    alarm.rang = true;
    if let Some(waker) = alarm.waker.take() {
        waker.wake();
    }
}
