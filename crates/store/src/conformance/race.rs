//! Many futures at once, with nothing but `std`: polled in place, or given to the harness's spawner.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::dice::Dice;
use super::harness::Spawner;

pub(crate) type Racer<R> = Pin<Box<dyn Future<Output = R> + Send>>;

/// Runs all racers from a common start. Their answers, in the racers' order.
///
/// Without a spawner they take turns on the caller's task, in an order that the dice choose anew each time.
pub(crate) async fn race<R: Send + 'static>(
    spawner: Option<&Spawner>,
    dice: Dice,
    racers: Vec<Racer<R>>,
) -> Vec<R> {
    let Some(spawner) = spawner else {
        return TakingTurns::new(racers, dice).await;
    };
    let gate = Gate::new(racers.len());
    let finishes = racers.into_iter().map(|racer| {
        let finish = Arc::new(Mutex::new(Finish::Running(None)));
        let mut line = FinishingLine(Some(Arc::clone(&finish)));
        let gate = Arc::clone(&gate);
        spawner(Box::pin(async move {
            gate.pass().await;
            line.cross(racer.await);
        }));
        Box::pin(finished(finish)) as Racer<R>
    });
    TakingTurns::new(finishes.collect(), dice).await
}

/// Lets the other racers go first, that many times.
pub(crate) async fn pause(turns: usize) {
    for _ in 0..turns {
        let mut yielded = false;
        poll_fn(|context| {
            if yielded {
                return Poll::Ready(());
            }
            yielded = true;
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

struct TakingTurns<R> {
    racers: Vec<(usize, Racer<R>)>,
    answers: Vec<Option<R>>,
    dice: Dice,
}

impl<R> TakingTurns<R> {
    fn new(racers: Vec<Racer<R>>, dice: Dice) -> Self {
        Self {
            answers: racers.iter().map(|_| None).collect(),
            racers: racers.into_iter().enumerate().collect(),
            dice,
        }
    }
}

impl<R> Unpin for TakingTurns<R> {}

impl<R> Future for TakingTurns<R> {
    type Output = Vec<R>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Vec<R>> {
        let this = &mut *self;
        this.dice.shuffle(&mut this.racers);
        let answers = &mut this.answers;
        this.racers
            .retain_mut(|(at, racer)| match racer.as_mut().poll(context) {
                Poll::Ready(answer) => {
                    answers[*at] = Some(answer);
                    false
                }
                Poll::Pending => true,
            });
        if this.racers.is_empty() {
            Poll::Ready(answers.drain(..).flatten().collect())
        } else {
            Poll::Pending
        }
    }
}

/// Opens when all have arrived, so that racers on threads really meet.
struct Gate(Mutex<(usize, Vec<Waker>)>);

impl Gate {
    fn new(missing: usize) -> Arc<Self> {
        Arc::new(Self(Mutex::new((missing, Vec::new()))))
    }

    async fn pass(&self) {
        let mut arrived = false;
        poll_fn(|context| {
            let mut gate = locked(&self.0);
            if !arrived {
                arrived = true;
                gate.0 -= 1;
            }
            if gate.0 == 0 {
                gate.1.drain(..).for_each(Waker::wake);
                return Poll::Ready(());
            }
            gate.1.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

enum Finish<R> {
    Running(Option<Waker>),
    Answered(R),
    Lost,
}

/// Reports a racer that never answers, because it panicked or its runtime dropped it.
struct FinishingLine<R>(Option<Arc<Mutex<Finish<R>>>>);

impl<R> FinishingLine<R> {
    fn cross(&mut self, answer: R) {
        self.end(Finish::Answered(answer));
    }

    fn end(&mut self, end: Finish<R>) {
        let Some(finish) = self.0.take() else { return };
        let before = std::mem::replace(&mut *locked(&finish), end);
        if let Finish::Running(Some(waker)) = before {
            waker.wake();
        }
    }
}

impl<R> Drop for FinishingLine<R> {
    fn drop(&mut self) {
        self.end(Finish::Lost);
    }
}

async fn finished<R>(finish: Arc<Mutex<Finish<R>>>) -> R {
    poll_fn(|context| {
        let mut finish = locked(&finish);
        let waiting = Finish::Running(Some(context.waker().clone()));
        match std::mem::replace(&mut *finish, waiting) {
            Finish::Running(_) => Poll::Pending,
            Finish::Answered(answer) => Poll::Ready(answer),
            Finish::Lost => panic!("a spawned future panicked or was dropped before it answered"),
        }
    })
    .await
}

fn locked<V>(mutex: &Mutex<V>) -> MutexGuard<'_, V> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
