use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::Notify;

/// Whose turn it is to speak to the store. As a rule nobody else wants it, and then a turn is two atomic operations, and
/// nobody is woken: a tenth of what a mutex costs that hands itself on in order.
#[derive(Debug)]
pub(super) struct Turns {
    state: AtomicU8,
    given_back: Notify,
}

const FREE: u8 = 0;
const TAKEN: u8 = 1;
/// Taken, and somebody may wait.
const AWAITED: u8 = 2;

/// Until it is dropped.
#[must_use = "it ends when it is dropped"]
pub(super) struct Turn<'a>(&'a Turns);

impl Turns {
    pub(super) const fn new() -> Self {
        Self {
            state: AtomicU8::new(FREE),
            given_back: Notify::const_new(),
        }
    }

    /// If nobody has it.
    pub(super) fn try_take(&self) -> Option<Turn<'_>> {
        let taken = self
            .state
            .compare_exchange(FREE, TAKEN, Ordering::Acquire, Ordering::Relaxed);
        // Not `then_some`: a turn that is made and dropped would give back what somebody else has.
        taken.is_ok().then(|| Turn(self))
    }

    pub(super) async fn take(&self) -> Turn<'_> {
        match self.try_take() {
            Some(turn) => turn,
            // Boxed, as this is rare: the future of a usual turn stays small.
            None => Box::pin(self.wait()).await,
        }
    }

    async fn wait(&self) -> Turn<'_> {
        loop {
            // Either it was free, and whoever has waited takes it as if others still did, since they may; or whoever has
            // it wakes somebody when it is given back.
            if self.state.swap(AWAITED, Ordering::Acquire) == FREE {
                return Turn(self);
            }
            // Given back between the line above and this one: that is remembered until somebody waits.
            self.given_back.notified().await;
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.0.state.swap(FREE, Ordering::Release) == AWAITED {
            // Whoever is woken and finds it taken again says so and waits again. Whoever is woken and goes away wakes the
            // next.
            self.0.given_back.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::AtomicU32;
    use std::task::{Context, Waker};

    fn is_waiting<F: Future>(future: std::pin::Pin<&mut F>) -> bool {
        future
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_pending()
    }

    #[tokio::test]
    async fn the_next_has_its_turn_when_the_one_before_is_over() {
        let turns = Turns::new();
        let first = turns.take().await;
        let mut second = pin!(turns.take());
        assert!(is_waiting(second.as_mut()));
        drop(first);
        drop(second.await);
        // What was remembered of the turns before is no turn.
        let third = turns.take().await;
        assert!(is_waiting(pin!(turns.take())));
        drop(third);
        drop(turns.take().await);
    }

    #[tokio::test]
    async fn one_who_goes_away_while_waiting_holds_up_nobody() {
        let turns = Turns::new();
        let first = turns.take().await;
        let mut gone = Box::pin(turns.take());
        let mut patient = pin!(turns.take());
        assert!(is_waiting(gone.as_mut()) && is_waiting(patient.as_mut()));
        // It is woken, and goes without looking.
        drop(first);
        drop(gone);
        drop(patient.await);
    }

    #[tokio::test]
    async fn one_who_has_waited_does_not_forget_those_who_wait_still() {
        let turns = Turns::new();
        let first = turns.take().await;
        let mut second = pin!(turns.take());
        let mut third = pin!(turns.take());
        assert!(is_waiting(second.as_mut()) && is_waiting(third.as_mut()));
        drop(first);
        let second = second.await;
        assert!(turns.try_take().is_none());
        drop(second);
        drop(third.await);
    }

    #[tokio::test]
    async fn one_who_comes_in_between_is_waited_for() {
        let turns = Turns::new();
        let first = turns.take().await;
        let mut woken = pin!(turns.take());
        assert!(is_waiting(woken.as_mut()));
        drop(first);
        let between = turns.take().await;
        assert!(is_waiting(woken.as_mut()));
        drop(between);
        drop(woken.await);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn only_one_at_a_time_and_everybody_once() {
        const TASKS: u32 = 16;
        const TURNS: u32 = if cfg!(miri) { 5 } else { 500 };
        let shared = Arc::new((Turns::new(), AtomicU32::new(0), AtomicU32::new(0)));
        let tasks: Vec<_> = (0..TASKS)
            .map(|_| Arc::clone(&shared))
            .map(|shared| {
                tokio::spawn(async move {
                    let (turns, inside, all) = &*shared;
                    for _ in 0..TURNS {
                        let _turn = turns.take().await;
                        assert_eq!(inside.fetch_add(1, Ordering::Relaxed), 0);
                        tokio::task::yield_now().await;
                        inside.fetch_sub(1, Ordering::Relaxed);
                        all.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(shared.2.load(Ordering::Relaxed), TASKS * TURNS);
    }
}
