use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use cloakroom_store::Expect;

use crate::request::Exchange;
use crate::request::state::Live;
use crate::{Error, ErrorKind, random};

/// How often an update is tried. Within one process updates of one session queue up once they collide, so each
/// further attempt means that another process wrote in between, and that process has made progress.
const ATTEMPTS: u32 = 64;

impl<T: Clone + Send + Sync + 'static> Exchange<T> {
    /// Reads, changes, writes; when somebody wrote in between, reads again and runs the closure on the newer
    /// data. The closure's own error aborts, with nothing written.
    ///
    /// The first attempt is optimistic: two store operations with the load. After a collision the session's
    /// updates within this process queue, so that 64 requests at once do not run against each other.
    pub(super) async fn update<R, E, F, Fut>(&self, mut change: F) -> Result<Result<R, E>, Error>
    where
        F: FnMut(T) -> Fut,
        Fut: Future<Output = Result<(T, R), E>>,
    {
        let _turn = self.turn().await;
        let queues = &self.inner().queues;
        let mut place = None;
        for attempt in 0..ATTEMPTS {
            let key = self.read_live(|live| live.key)?;
            if attempt > 0 || queues.is_contended(&key) {
                match place {
                    None => place = Some(queues.queue(key).await),
                    Some(_) => back_off(attempt).await,
                }
                // Boxed, as this is rare: the future of an update that meets nobody stays small.
                Box::pin(self.reload_live(self.live()?)).await?;
            }
            let now = |live: &Live<T>| (live.record.version, Arc::clone(&live.record.data));
            let (version, data) = self.read_live(now)?;
            let (data, answer) = match change((*data).clone()).await {
                Ok(changed) => changed,
                Err(abort) => return Ok(Err(abort)),
            };
            self.read_times_by_old_id().await?;
            let mut writing = self.write_live(Arc::new(data), |_| Expect::Version(version))?;
            if !writing.has_begun() {
                return Err(Error::new(ErrorKind::NoSession));
            }
            match self.written(&mut writing).await {
                Ok(()) => return Ok(Ok(answer)),
                Err(error) if error.kind() == ErrorKind::Conflict => continue,
                Err(error) => return Err(error),
            }
        }
        Err(Error::new(ErrorKind::Conflict))
    }
}

/// Waits a random part of a time that doubles with each attempt, 50 ms at most.
async fn back_off(attempt: u32) {
    let limit = 1_u64 << attempt.min(6);
    let mut byte = [0];
    // Not a secret: without randomness the waits are merely all alike.
    let _ = random::fill(&mut byte);
    let millis = limit.min(50) * u64::from(byte[0]) / 256;
    // On a runtime that is not Tokio's the store's own delay is the pause.
    if tokio::runtime::Handle::try_current().is_ok() {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
}
