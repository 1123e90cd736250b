//! Jobs on their way to the threads that do them.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::ticket::Overdue;
use crate::error::DbError;

/// A queue with a number of threads at its end. Everybody in it, and everybody being served, can be given up
/// when the time is over: a thread may be stuck in the operating system.
pub(crate) struct Lane<J> {
    state: Mutex<State<J>>,
    /// Told that there is work, or none ever again.
    work: Condvar,
    timeout: Duration,
}

struct State<J> {
    waiting: VecDeque<Waiting<J>>,
    /// For each thread, what it is at.
    running: Vec<Vec<Awaited>>,
    /// How many threads sleep, and how many of those have been told to get up: telling costs a system call.
    idle: usize,
    called: usize,
    open: bool,
}

struct Waiting<J> {
    awaited: Awaited,
    job: J,
}

/// Somebody who waits for an answer, and since when.
struct Awaited {
    since: Instant,
    answer: Arc<dyn Overdue>,
}

/// What a thread is to do next.
pub(crate) enum Next {
    /// The jobs that were handed to it.
    Work,
    /// Nothing came before the moment that it named.
    Nothing,
    /// To end.
    End,
}

impl<J> Lane<J> {
    pub(crate) fn new(threads: usize, timeout: Duration) -> Self {
        Self {
            state: Mutex::new(State {
                waiting: VecDeque::new(),
                running: (0..threads).map(|_| Vec::new()).collect(),
                idle: 0,
                called: 0,
                open: true,
            }),
            work: Condvar::new(),
            timeout,
        }
    }

    /// Queues a job. Whether the lane was empty before, and nobody may be watching its time. A closed lane drops
    /// the job, which answers it.
    pub(crate) fn submit(&self, job: J, answer: Arc<dyn Overdue>) -> bool {
        let since = Instant::now();
        let awaited = Awaited { since, answer };
        let mut state = self.lock();
        if !state.open {
            drop(state);
            drop(job);
            return false;
        }
        let was_empty = state.oldest().is_none();
        state.waiting.push_back(Waiting { awaited, job });
        let call = state.idle > state.called;
        state.called += usize::from(call);
        drop(state);
        if call {
            self.work.notify_one();
        }
        was_empty
    }

    /// Hands up to `most` jobs to that thread, which is done with those that it had. Waits for one, until the
    /// moment named, if any. Once the lane is closed it hands out what is left.
    pub(crate) fn take(
        &self,
        thread: usize,
        jobs: &mut Vec<J>,
        most: usize,
        until: Option<Instant>,
    ) -> Next {
        let mut state = self.lock();
        state.running[thread].clear();
        loop {
            if !state.waiting.is_empty() {
                let count = state.waiting.len().min(most);
                let State {
                    waiting, running, ..
                } = &mut *state;
                for taken in waiting.drain(..count) {
                    running[thread].push(taken.awaited);
                    jobs.push(taken.job);
                }
                return Next::Work;
            }
            if !state.open {
                return Next::End;
            }
            state.idle += 1;
            let late;
            (state, late) = match until {
                None => (
                    self.work
                        .wait(state)
                        .unwrap_or_else(PoisonError::into_inner),
                    false,
                ),
                Some(until) => {
                    let left = until.saturating_duration_since(Instant::now());
                    let (state, waited) = self
                        .work
                        .wait_timeout(state, left)
                        .unwrap_or_else(PoisonError::into_inner);
                    (state, waited.timed_out())
                }
            };
            state.idle -= 1;
            state.called = state.called.saturating_sub(1);
            if late && state.waiting.is_empty() && state.open {
                return Next::Nothing;
            }
        }
    }

    /// Tells everybody who has waited too long. When to look again; `None` if nobody waits.
    pub(crate) fn give_up_overdue(&self, now: Instant) -> Option<Instant> {
        let mut overdue = Vec::new();
        let mut state = self.lock();
        let is_overdue = |awaited: &Awaited| now.duration_since(awaited.since) >= self.timeout;
        // What nobody waits for any more is not begun.
        let mut dropped = Vec::new();
        while state
            .waiting
            .front()
            .is_some_and(|front| is_overdue(&front.awaited))
        {
            dropped.extend(state.waiting.pop_front());
        }
        for running in &mut state.running {
            overdue.extend(running.extract_if(.., |awaited| is_overdue(awaited)));
        }
        let oldest = state.oldest();
        drop(state);
        for awaited in overdue
            .iter()
            .chain(dropped.iter().map(|waiting| &waiting.awaited))
        {
            awaited.answer.give_up(DbError::timed_out(self.timeout));
        }
        oldest.map(|since| since + self.timeout)
    }

    /// Takes no more jobs. The threads finish what is queued, and end.
    pub(crate) fn close(&self) {
        self.lock().open = false;
        self.work.notify_all();
    }

    /// For a thread that ends, for whatever reason: nobody shall wait for it.
    pub(crate) fn abandon(&self) {
        let mut state = self.lock();
        state.open = false;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        // Dropping a job answers it.
        drop(waiting);
        self.work.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<J> State<J> {
    fn oldest(&self) -> Option<Instant> {
        let running = self.running.iter().filter_map(|jobs| jobs.first());
        let waiting = self.waiting.front().map(|waiting| &waiting.awaited);
        running.chain(waiting).map(|awaited| awaited.since).min()
    }
}
