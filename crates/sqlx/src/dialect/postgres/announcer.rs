use std::time::Duration;

use cloakroom_store::{Announcements, Ending, Listening, SessionKey};
use sqlx::PgPool;
use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use crate::TableName;

/// Between two attempts to connect: at first, and at most.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(10)];
/// After so much silence the server is asked whether the connection is still there.
const SILENCE: Duration = Duration::from_secs(30);
/// How long it may take to connect, and to say so.
const PATIENCE: Duration = Duration::from_secs(10);

/// Hears what the statements of this and other processes tell with `pg_notify`.
#[derive(Debug)]
pub struct PgAnnouncer {
    /// Says where the server is. The listeners have connections of their own.
    pool: PgPool,
    channel: String,
    runtime: Handle,
}

impl PgAnnouncer {
    /// Inside a runtime.
    pub(super) fn new(pool: &PgPool, table: &TableName) -> Self {
        Self {
            pool: pool.clone(),
            channel: format!("{table}_endings"),
            runtime: Handle::current(),
        }
    }
}

impl Announcements for PgAnnouncer {
    fn listen(&self, listener: Box<dyn Fn(Ending) + Send + Sync>) -> Listening {
        let (pool, channel) = (self.pool.clone(), self.channel.clone());
        let task = self.runtime.spawn(async move {
            // An application that closes its pool wants no connection any more.
            let mut closed = pool.close_event();
            let _ = closed.do_until(listen(&pool, &channel, &*listener)).await;
        });
        Listening::until_dropped(EndOnDrop(task.abort_handle()))
    }
}

struct EndOnDrop(AbortHandle);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn listen(pool: &PgPool, channel: &str, listener: &(dyn Fn(Ending) + Send + Sync)) {
    let [first, longest] = PAUSES;
    let mut pause = first;
    loop {
        match connect(pool, channel).await {
            Ok(connection) => {
                pause = first;
                // Nobody knows what happened before.
                listener(Ending::Unknown);
                let error = pass_on(connection, listener).await;
                let error = error.map(tracing::field::display);
                tracing::debug!(
                    error,
                    "the connection that hears of ended sessions was lost"
                );
            }
            Err(error) => {
                tracing::debug!(%error, "no connection to hear of ended sessions; trying again");
            }
        }
        tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64())).await;
        pause = longest.min(pause * 2);
    }
}

async fn connect(pool: &PgPool, channel: &str) -> Result<PgListener, sqlx::Error> {
    let options = (*pool.connect_options()).clone();
    // A pool of one, for the driver's listener wants one.
    let own = PgPoolOptions::new()
        .max_connections(1)
        .max_lifetime(None)
        .idle_timeout(None)
        .acquire_timeout(PATIENCE)
        .connect_lazy_with(options);
    let mut listener = PgListener::connect_with(&own).await?;
    // By this one: it says that something may have been missed.
    listener.eager_reconnect(false);
    match timeout(PATIENCE, listener.listen(channel)).await {
        Ok(listening) => listening.map(|()| listener),
        Err(_) => Err(sqlx::Error::PoolTimedOut),
    }
}

/// Until the connection is lost.
async fn pass_on(
    mut connection: PgListener,
    listener: &(dyn Fn(Ending) + Send + Sync),
) -> Option<sqlx::Error> {
    loop {
        match timeout(SILENCE, connection.try_recv()).await {
            Ok(Ok(Some(told))) => {
                if let Some(ending) = understand(told.payload()) {
                    listener(ending);
                }
            }
            Ok(Ok(None)) => return None,
            Ok(Err(error)) => return Some(error),
            // A server that vanished without a word is noticed by asking it.
            Err(_) => {
                match timeout(PATIENCE, sqlx::query("SELECT 1").execute(&mut connection)).await {
                    Ok(Ok(_)) => {}
                    Ok(Err(error)) => return Some(error),
                    Err(_) => return Some(sqlx::Error::PoolTimedOut),
                }
            }
        }
    }
}

/// The key of a session, in hexadecimal digits; nothing, if any session may be meant.
fn understand(payload: &str) -> Option<Ending> {
    if payload.is_empty() {
        return Some(Ending::Unknown);
    }
    if payload.len() != 64 || !payload.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut key = [0; 32];
    for (at, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&payload[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(Ending::Of(SessionKey::from_bytes(key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_understood_and_rubbish_is_not() {
        let key = std::array::from_fn(|at| at as u8 * 7);
        let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        let of = Ending::Of(SessionKey::from_bytes(key));
        assert_eq!(understand(&hex), Some(of));
        assert_eq!(understand(""), Some(Ending::Unknown));
        for rubbish in ["ab", &hex[1..], &"+f".repeat(32), &"é".repeat(32)] {
            assert_eq!(understand(rubbish), None, "{rubbish:?}");
        }
    }
}
