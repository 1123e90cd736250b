use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cloakroom_store::{Announcements, Ending, Listening};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::task::AbortHandle;

use crate::error::RedisStoreError;
use crate::layout::from_member;
use crate::store::{Inner, RedisStore};

/// How long after a connection ended or could not be made another one is tried: at first, and at most.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How often a server from which nothing is heard is asked whether it is still there.
const INTERVAL: Duration = Duration::from_secs(10);

impl<T> Announcements for RedisStore<T>
where
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    fn listen(&self, listener: Box<dyn Fn(Ending) + Send + Sync>) -> Listening {
        let ear = Arc::new(Ear {
            listener,
            deaf: AtomicBool::new(false),
        });
        let listening = keep_listening(Arc::clone(&self.inner), Arc::clone(&ear));
        let task = self.inner.runtime.spawn(listening).abort_handle();
        Listening::until_dropped(Ears { ear, task })
    }
}

struct Ear {
    listener: Box<dyn Fn(Ending) + Send + Sync>,
    /// Set when nobody listens any more.
    deaf: AtomicBool,
}

impl Ear {
    fn hear(&self, ending: Ending) {
        if !self.deaf.load(Ordering::Acquire) {
            (self.listener)(ending);
        }
    }
}

/// Ends the listening with itself.
struct Ears {
    ear: Arc<Ear>,
    task: AbortHandle,
}

impl Drop for Ears {
    fn drop(&mut self) {
        self.ear.deaf.store(true, Ordering::Release);
        self.task.abort();
    }
}

async fn keep_listening(inner: Arc<Inner>, ear: Arc<Ear>) {
    // Not all processes listen to the same server of a cluster.
    let mut turn = dice() as usize;
    let mut pause = PAUSE;
    loop {
        match listen(&inner, &ear, turn).await {
            Ok(()) => pause = PAUSE,
            Err(error) if pause == PAUSE => {
                tracing::warn!(%error, "endings of sessions are not heard for now");
            }
            Err(error) => tracing::debug!(%error, "endings of sessions are still not heard"),
        }
        turn = turn.wrapping_add(1);
        // Not all at once after a restart.
        tokio::time::sleep(pause / 2 + pause.mul_f64(f64::from(dice()) / f64::from(u32::MAX)) / 2)
            .await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Listens until the connection ends.
async fn listen(inner: &Inner, ear: &Arc<Ear>, turn: usize) -> Result<(), RedisStoreError> {
    let link = inner.server.any(turn, inner.patience.deadline()).await?;
    let hearing = Arc::clone(ear);
    let hear = move |text: &[u8]| {
        // Anybody may publish anything.
        let ending = from_member(text).map_or(Ending::Unknown, Ending::Of);
        hearing.hear(ending);
    };
    let mut subscription = link.subscribe(&inner.layout.channel(), hear).await?;
    ear.hear(Ending::Unknown);
    subscription.lasts(INTERVAL).await;
    Ok(())
}

fn dice() -> u32 {
    RandomState::new().hash_one(0) as u32
}
