//! An answer that one thread gives and one task awaits, on any runtime.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::error::DbError;

/// Both ends.
pub(crate) fn ticket<R>() -> (Giver<R>, Ticket<R>) {
    let slot = Arc::new(Slot {
        state: Mutex::new(State::Waiting(None)),
    });
    (Giver(Arc::clone(&slot)), Ticket(slot))
}

/// Whoever gives the answer. Dropped without one, it answers that the store is closed.
pub(crate) struct Giver<R>(Arc<Slot<R>>);

impl<R> Giver<R> {
    /// A second answer is ignored: the first may have been that the time is up.
    pub(crate) fn give(self, answer: Result<R, DbError>) {
        self.0.give(answer);
    }
}

impl<R: Send + 'static> Giver<R> {
    pub(crate) fn overdue(&self) -> Arc<dyn Overdue> {
        Arc::clone(&self.0) as Arc<dyn Overdue>
    }
}

impl<R> Drop for Giver<R> {
    fn drop(&mut self) {
        if matches!(*self.0.lock(), State::Waiting(_)) {
            self.0.give(Err(DbError::closed()));
        }
    }
}

/// Whoever awaits it.
#[must_use = "an answer is there to be awaited"]
pub(crate) struct Ticket<R>(Arc<Slot<R>>);

impl<R> Future for Ticket<R> {
    type Output = Result<R, DbError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.0.lock();
        match &mut *state {
            State::Waiting(waker) => {
                match waker {
                    Some(known) if known.will_wake(context.waker()) => {}
                    _ => *waker = Some(context.waker().clone()),
                }
                Poll::Pending
            }
            State::Answered(_) => match std::mem::replace(&mut *state, State::Over) {
                State::Answered(answer) => Poll::Ready(answer),
                State::Waiting(_) | State::Over => unreachable!("looked at under the same lock"),
            },
            State::Over => panic!("a ticket is not polled after it answered"),
        }
    }
}

/// An answer that may be given up.
pub(crate) trait Overdue: Send + Sync {
    /// Answers with this error, if nothing was answered yet.
    fn give_up(&self, error: DbError);
}

struct Slot<R> {
    state: Mutex<State<R>>,
}

enum State<R> {
    Waiting(Option<Waker>),
    Answered(Result<R, DbError>),
    Over,
}

impl<R> Slot<R> {
    fn lock(&self) -> MutexGuard<'_, State<R>> {
        // Each change is one assignment, so a panic elsewhere leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give(&self, answer: Result<R, DbError>) {
        let mut state = self.lock();
        let State::Waiting(waker) = &mut *state else {
            return;
        };
        let waker = waker.take();
        *state = State::Answered(answer);
        // Not while locked: the task may run at once on another thread.
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<R: Send> Overdue for Slot<R> {
    fn give_up(&self, error: DbError) {
        self.give(Err(error));
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;
    use crate::error::DbErrorKind;

    fn poll<R>(ticket: &mut Ticket<R>) -> Poll<Result<R, DbError>> {
        pin!(ticket).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn the_first_answer_counts() {
        let (giver, mut ticket) = ticket();
        assert!(poll(&mut ticket).is_pending());
        giver.overdue().give_up(DbError::closed());
        giver.give(Ok(1));
        let Poll::Ready(Err(error)) = poll(&mut ticket) else {
            panic!("it was given up");
        };
        assert_eq!(error.kind(), DbErrorKind::Closed);
    }

    #[test]
    fn a_giver_that_vanishes_leaves_nobody_waiting() {
        let (giver, mut ticket) = ticket::<u32>();
        drop(giver);
        assert!(matches!(poll(&mut ticket), Poll::Ready(Err(_))));
    }
}
