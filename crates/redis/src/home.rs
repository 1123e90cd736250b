//! Where connections are driven.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long the store's runtime may take to begin with something, at most. After that it is idle or blocked.
const BEGINS: Duration = Duration::from_millis(500);

/// The runtime in which the store was made, where its connections are driven.
///
/// All operations share a connection, and whatever opens it drives it. Where each worker has a runtime of its own, as under
/// actix, a handler that blocks its thread would hold up the operations of all other workers, if its own happened to
/// have opened the connection. The runtime in which the store was made runs no handlers there. But it may be idle by now, or
/// gone; then whoever needs a connection drives it.
pub(crate) struct Home {
    runtime: Option<Handle>,
    begins: Duration,
    /// What was driven there was silent. The next connection is driven elsewhere, lest that was the reason.
    silent: AtomicBool,
}

impl Home {
    /// For operations that have so long: most of that is left for whoever has to do it here.
    pub(crate) fn in_runtime(runtime: Option<Handle>, operation: Duration) -> Self {
        Self {
            runtime,
            begins: BEGINS.min(operation / 8),
            silent: AtomicBool::new(false),
        }
    }

    pub(crate) fn was_silent(&self) {
        self.silent.store(true, Ordering::Relaxed);
    }

    /// Does something there, or else here. It is begun anew then, so nothing of a first attempt may be left. Whether it was
    /// done there.
    pub(crate) async fn run<R, F>(&self, work: impl Fn() -> F) -> (R, bool)
    where
        R: Send + 'static,
        F: Future<Output = R> + Send + 'static,
    {
        if !self.silent.swap(false, Ordering::Relaxed)
            && let Some(runtime) = &self.runtime
        {
            // It ends with the set, if nobody waits for it any more.
            let mut tasks = JoinSet::new();
            let (begins, begun) = oneshot::channel();
            let work = work();
            let there = async move {
                // Whoever waits for it may have gone.
                let _ = begins.send(());
                work.await
            };
            tasks.spawn_on(there, runtime);
            if let Ok(Ok(())) = timeout(self.begins, begun).await
                && let Some(Ok(done)) = tasks.join_next().await
            {
                return (done, true);
            }
        }
        (work().await, false)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use std::sync::Mutex;
    use std::thread::{ThreadId, current};

    use tokio::runtime::{Builder, Runtime};

    use super::*;

    fn idle() -> Runtime {
        Builder::new_current_thread().enable_all().build().unwrap()
    }

    /// A runtime that runs begins within this, however busy the machine is.
    const LONG: Duration = Duration::from_secs(3_600);
    const SHORT: Duration = Duration::from_millis(8);

    impl Home {
        fn that_begins_within(begins: Duration, runtime: Option<Handle>) -> Self {
            Self {
                begins,
                ..Self::in_runtime(runtime, LONG)
            }
        }
    }

    /// Which thread did something that was asked for here.
    fn run(home: &Home) -> ThreadId {
        let done = idle().block_on(home.run(|| async {
            tokio::task::yield_now().await;
            current().id()
        }));
        assert_eq!(done.1, done.0 != current().id());
        done.0
    }

    #[test]
    fn most_of_an_operations_time_is_left() {
        let begins = |millis| Home::in_runtime(None, Duration::from_millis(millis)).begins;
        assert_eq!(begins(80), Duration::from_millis(10));
        assert_eq!(begins(5_000), Duration::from_millis(500));
    }

    #[test]
    fn a_runtime_that_runs_does_it() {
        let theirs = Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .unwrap();
        let home = Home::that_begins_within(LONG, Some(theirs.handle().clone()));
        assert_ne!(run(&home), current().id());
        home.was_silent();
        assert_eq!(run(&home), current().id());
        assert_ne!(run(&home), current().id());
    }

    #[test]
    fn whoever_asks_does_it_where_no_runtime_runs() {
        let here = current().id();
        assert_eq!(run(&Home::in_runtime(None, LONG)), here);
        let theirs = idle();
        let home = Home::that_begins_within(SHORT, Some(theirs.handle().clone()));
        assert_eq!(run(&home), here);
        theirs.shutdown_background();
        assert_eq!(run(&home), here);
    }

    #[test]
    fn whoever_asks_does_it_if_the_runtime_ends_meanwhile() {
        let theirs = Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .unwrap();
        let home = Home::that_begins_within(LONG, Some(theirs.handle().clone()));
        let theirs = Mutex::new(Some(theirs));
        let asked = home.run(|| {
            let theirs = theirs.lock().unwrap().take();
            async move {
                if let Some(theirs) = theirs {
                    theirs.shutdown_background();
                    std::future::pending::<()>().await;
                }
                current().id()
            }
        });
        assert_eq!(idle().block_on(asked), (current().id(), false));
    }
}
