//! A second process that others overtake.

use std::time::Duration;

use cloakroom_redis::RedisStore;
use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinHandle, block_in_place, yield_now};

use super::{Bench, Data};

/// It gets no further than it is let: its runtime goes on only while somebody waits for it. For tests on several
/// threads.
pub(crate) struct Slow {
    pub(crate) store: RedisStore<Data>,
    /// `None` when it is dropped.
    runtime: Option<Runtime>,
}

impl Slow {
    /// The same sessions, connections of its own.
    pub(crate) fn beside(bench: &Bench, url: &str) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let store = RedisStore::builder(url)
            .prefix(bench.store.prefix().clone())
            .clock(bench.clock.clone());
        let store = block_in_place(|| runtime.block_on(store.connect()));
        Self {
            store: store.unwrap(),
            runtime: Some(runtime),
        }
    }

    /// Something that it is going to do. Nothing happens yet.
    pub(crate) fn begin<R: Send + 'static>(
        &self,
        work: impl Future<Output = R> + Send + 'static,
    ) -> JoinHandle<R> {
        self.runtime().spawn(work)
    }

    /// What has been answered by now is heard, and the next thing is asked.
    pub(crate) fn step(&self) {
        block_in_place(|| {
            self.runtime().block_on(yield_now());
            // Until it is answered.
            std::thread::sleep(Duration::from_millis(1));
        });
    }

    pub(crate) fn finish<R>(&self, work: JoinHandle<R>) -> R {
        block_in_place(|| self.runtime().block_on(work)).unwrap()
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().unwrap()
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        // A runtime must not be waited for within another one.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
