//! Reads and writes of a store against the clock.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use crate::Failure;
use crate::keep::Keep;

pub const SESSIONS: usize = 1_000;
pub const CLIENTS: [usize; 2] = [1, 64];
/// And whether it writes.
pub const OPERATIONS: [(&str, bool); 2] = [("get", false), ("set", true)];

/// Some 500 bytes.
pub type Data = HashMap<String, String>;

pub fn data() -> Data {
    (0..10).map(|at| (format!("field {at}"), "x".repeat(40))).collect()
}

/// Operations in a second, with that many clients at once.
pub async fn clock<K: Keep>(
    keep: &Arc<K>,
    operations: usize,
    clients: usize,
    write: bool,
) -> Result<f64, Failure> {
    let each = operations / clients;
    let start = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for client in 0..clients {
        let keep = Arc::clone(keep);
        tasks.spawn(async move {
            for operation in 0..each {
                let session = (client + operation * 64) % SESSIONS;
                if write {
                    keep.set(session).await?;
                } else {
                    keep.get(session).await?;
                }
            }
            Ok::<_, Failure>(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok((each * clients) as f64 / start.elapsed().as_secs_f64())
}
