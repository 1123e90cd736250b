use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use cloakroom_store::{SessionKey, Timestamp};

use super::Watcher;
use crate::storage::{Left, Loaded};
use crate::{Sessions, random};

/// Ready when a session has ended. See [`CurrentSession::ended`](crate::CurrentSession::ended).
#[must_use = "it waits for the end of the session when it is awaited"]
pub struct Ended {
    waiting: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Ended {
    pub(crate) fn new(waiting: impl Future<Output = ()> + Send + 'static) -> Self {
        Self {
            waiting: Box::pin(waiting),
        }
    }
}

impl Future for Ended {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.waiting.as_mut().poll(context)
    }
}

impl fmt::Debug for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ended").finish_non_exhaustive()
    }
}

/// Waits until nothing lives under the watched key, nor where a renewal moved it. The store has the last word: a ring
/// only says that it is time to ask, and it is asked now and then without one. Trouble at the store is not an end.
pub(crate) async fn wait<T: Send + Sync + 'static>(sessions: Sessions<T>, mut watcher: Watcher) {
    let inner = &sessions.inner;
    loop {
        // Before asking: a ring from here on is not missed.
        let rung = watcher.rung();
        let expires_at = match inner.storage.load(watcher.key()).await {
            Ok(Loaded::Live(record)) => record.times.expires_at(),
            Ok(Loaded::Nothing) => match moved(&sessions, watcher.key()).await {
                Ok(Loaded::Live(key)) => {
                    let next = sessions.watch(key);
                    drop(rung);
                    watcher = next;
                    continue;
                }
                Ok(Loaded::Nothing) => return,
                Ok(Loaded::Undecodable) | Err(_) => None,
            },
            // It is there, or nobody can tell.
            Ok(Loaded::Undecodable) | Err(_) => None,
        };
        let pause = pause(inner.end_check_interval, expires_at, inner.storage.now());
        if wait_at_most(pause, rung).await && watcher.for_all() {
            // Everybody was woken; not all of them should ask at once.
            sleep(some_of(
                Duration::from_secs(1).min(inner.end_check_interval),
            ))
            .await;
        }
    }
}

/// Where the session went, if its id was renewed.
async fn moved<T: Send + Sync + 'static>(
    sessions: &Sessions<T>,
    key: &SessionKey,
) -> Result<Loaded<SessionKey>, crate::Error> {
    if sessions.inner.renew_ids.is_none() {
        return Ok(Loaded::Nothing);
    }
    let moved = sessions.inner.storage.find_moved(Left::Key(*key)).await?;
    Ok(moved.map(|moved| moved.key))
}

/// Until the session would expire, but not longer than the interval.
fn pause(interval: Duration, expires_at: Option<Timestamp>, now: Timestamp) -> Duration {
    expires_at.map_or(interval, |end| {
        end.since(now).clamp(Duration::from_millis(1), interval)
    })
}

/// Whether it was rung before the time was over.
async fn wait_at_most(pause: Duration, rung: impl Future<Output = ()>) -> bool {
    if tokio::runtime::Handle::try_current().is_err() {
        // No clock to wait by: only rings count.
        rung.await;
        return true;
    }
    tokio::time::timeout(pause, rung).await.is_ok()
}

async fn sleep(pause: Duration) {
    if tokio::runtime::Handle::try_current().is_ok() {
        tokio::time::sleep(pause).await;
    }
}

fn some_of(longest: Duration) -> Duration {
    let mut byte = [0];
    // Not a secret: without randomness all wait equally long.
    let _ = random::fill(&mut byte);
    longest * u32::from(byte[0]) / 256
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_ends_with_the_session_but_never_later_than_the_interval() {
        let now = Timestamp::from_millis(1_000);
        let interval = Duration::from_secs(5);
        let in_two = Some(now.plus(Duration::from_secs(2)));
        let in_ten = Some(now.plus(Duration::from_secs(10)));
        assert_eq!(pause(interval, None, now), interval);
        assert_eq!(pause(interval, in_two, now), Duration::from_secs(2));
        assert_eq!(pause(interval, in_ten, now), interval);
        assert_eq!(pause(interval, Some(now), now), Duration::from_millis(1));
    }
}
