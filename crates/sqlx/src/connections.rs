//! Connections on their way from one operation to the next.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{Connection, Database, Pool};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::dialect::Engine;
use crate::error::{DbErrorKind, Failure};
use crate::lingering::Lingering;

/// For how long a connection is kept between operations before the pool has it back. So long may somebody else wait
/// for it who shares the pool.
const KEPT: Duration = Duration::from_millis(10);

/// How long after one connection to a server that is of no use was closed the next one may be. With many writes and no
/// primary anywhere, each of them would log in anew.
const LEAVING: Duration = Duration::from_millis(100);

/// The pool's connections, as one store uses them. The pool asks each connection that it gets back whether it is still
/// alive, which costs the server a message and this process a task for each statement. So a connection goes from one
/// operation to the next, and to the pool only after a while, or when nobody here has a use for it and somebody else
/// may.
pub(crate) struct Connections<DB: Engine> {
    pool: Pool<DB>,
    /// As many as the pool has connections at most: who waits for one is served in the order of arrival.
    lanes: Semaphore,
    /// How many wait for a lane.
    waiting: AtomicUsize,
    kept: Arc<Kept<DB>>,
    /// When the last connection to a server that is of no use was closed.
    left_at: Mutex<Option<Instant>>,
    lingering: Arc<Lingering>,
}

/// Between two operations. The last one is taken first: its part of the server is still warm.
struct Kept<DB: Engine>(Mutex<Shelf<DB>>);

struct Shelf<DB: Engine> {
    connections: Vec<Held<DB>>,
    /// Whether a task gives back what nobody takes.
    swept: bool,
}

impl<DB: Engine> Connections<DB> {
    /// For operations that may take so long.
    pub(crate) fn of(pool: Pool<DB>, timeout: Duration) -> Self {
        let most = pool.options().get_max_connections();
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        Self {
            pool,
            lanes: Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS)),
            waiting: AtomicUsize::new(0),
            kept: Arc::new(Kept(Mutex::new(Shelf {
                connections: Vec::new(),
                swept: false,
            }))),
            left_at: Mutex::new(None),
            lingering: Arc::new(Lingering::new(timeout, most)),
        }
    }

    pub(crate) fn pool(&self) -> &Pool<DB> {
        &self.pool
    }

    /// A connection for one operation.
    pub(crate) async fn lease(&self) -> Result<Lease<'_, DB>, Failure> {
        let lane = match self.lanes.try_acquire() {
            Ok(lane) => lane,
            Err(_) => {
                let _one_more = Waiting::new(&self.waiting);
                let lane = self.lanes.acquire().await;
                lane.expect("this semaphore is never closed")
            }
        };
        let kept = self.kept.lock().connections.pop();
        let held = match kept {
            Some(held) => held,
            None => {
                // In a box, as that future is big and seldom needed.
                let connection = Box::pin(self.pool.acquire()).await;
                Held::new(connection.map_err(Failure::of::<DB>)?)
            }
        };
        Ok(Lease {
            connections: self,
            held: Some(held),
            turn: None,
            end: End::Unknown,
            _lane: lane,
        })
    }

    /// Whether a connection to a server that is of no use may be closed now.
    fn may_leave(&self) -> bool {
        let mut left_at = self.left_at.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let may = may_leave(*left_at, now);
        if may {
            *left_at = Some(now);
        }
        may
    }

    /// Closes a connection when the server has answered what was asked last. It keeps its place in the pool until then,
    /// and its turn, if it has one.
    fn linger(&self, mut held: Held<DB>, turn: Option<Turn>) {
        let mut closed = self.pool.close_event();
        let lingering = Arc::clone(&self.lingering);
        if let Some(connection) = &mut held.connection {
            // At once, so that it is not used again either if the runtime ends.
            connection.close_on_drop();
        }
        held.runtime.clone().spawn(async move {
            if let Some(connection) = &mut held.connection {
                // A ping comes after all answers before it. Whoever closes the pool waits for this connection.
                lingering.wait(closed.do_until(connection.ping())).await;
            }
            drop(held);
            drop(turn);
        });
    }

    /// Keeps a connection for the next operation, or gives it back.
    fn put(&self, held: Held<DB>) {
        if held.since.elapsed() >= KEPT || self.pool.is_closed() {
            return;
        }
        let wanted = self.waiting.load(Ordering::Relaxed) > 0;
        // Another user of the pool has no reason to wait for this one.
        let spare = || {
            self.pool.num_idle() > 0 || self.pool.size() < self.pool.options().get_max_connections()
        };
        if !wanted && !spare() {
            return;
        }
        let (runtime, due) = (held.runtime.clone(), held.since + KEPT);
        let mut shelf = self.kept.lock();
        shelf.connections.push(held);
        if !shelf.swept {
            shelf.swept = true;
            drop(shelf);
            let sweeper = Sweeper {
                kept: Arc::downgrade(&self.kept),
                done: false,
            };
            runtime.spawn(sweeper.run(due));
        }
    }
}

impl<DB: Engine> fmt::Debug for Connections<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").finish_non_exhaustive()
    }
}

impl<DB: Engine> Kept<DB> {
    fn lock(&self) -> MutexGuard<'_, Shelf<DB>> {
        // Nothing that panics runs under this lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives back what was kept long enough. When the next is due, if anything is left.
    fn sweep(&self) -> Option<Instant> {
        let mut shelf = self.lock();
        let over: Vec<_> = shelf
            .connections
            .extract_if(.., |held| held.since.elapsed() >= KEPT)
            .collect();
        let next = shelf.connections.iter().map(|held| held.since + KEPT).min();
        shelf.swept = next.is_some();
        drop(shelf);
        drop(over);
        next
    }
}

/// Runs while connections are kept.
struct Sweeper<DB: Engine> {
    kept: Weak<Kept<DB>>,
    done: bool,
}

impl<DB: Engine> Sweeper<DB> {
    async fn run(mut self, due: Instant) {
        let mut due = Some(due);
        while let Some(next) = due {
            tokio::time::sleep_until(next).await;
            due = self.kept.upgrade().and_then(|kept| kept.sweep());
        }
        self.done = true;
    }
}

impl<DB: Engine> Drop for Sweeper<DB> {
    /// If it goes with its runtime, what it would have swept goes at once, and the next operation starts another one.
    fn drop(&mut self) {
        if !self.done
            && let Some(kept) = self.kept.upgrade()
        {
            let mut shelf = kept.lock();
            shelf.swept = false;
            let left = std::mem::take(&mut shelf.connections);
            drop(shelf);
            drop(left);
        }
    }
}

/// Counts one who waits, for as long as it does.
pub(crate) struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    pub(crate) fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection of the pool's that goes back to it when this is dropped.
struct Held<DB: Engine> {
    connection: Option<PoolConnection<DB>>,
    // To return a connection, the pool starts a task; a future may be dropped outside the runtime.
    runtime: Handle,
    since: Instant,
}

impl<DB: Engine> Held<DB> {
    fn new(connection: PoolConnection<DB>) -> Self {
        Self {
            connection: Some(connection),
            runtime: Handle::current(),
            since: Instant::now(),
        }
    }
}

impl<DB: Engine> Drop for Held<DB> {
    fn drop(&mut self) {
        let _guard = self.runtime.enter();
        drop(self.connection.take());
    }
}

/// How an operation ended, as far as its connection is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It was dropped before its answer came, by the time-out or because the caller went away.
    Unknown,
    /// The server takes no writes, or is one that knows nothing of what was prepared. It may have become a replica, which
    /// answers a ping like any other, so the pool would keep the connection. A new one finds the server that is the
    /// primary now.
    Useless,
    /// With another error: the pool has to see whether the connection is still good.
    Failed,
    Well,
}

impl End {
    fn of<R>(answer: &Result<R, Failure>) -> Self {
        match answer {
            Ok(_) => Self::Well,
            Err(Failure::Failed(error)) => match error.kind() {
                DbErrorKind::ReadOnly | DbErrorKind::Unreachable => Self::Useless,
                _ => Self::Failed,
            },
            Err(_) => Self::Failed,
        }
    }
}

/// A place among those operations of which only some may be under way at a time.
pub(crate) type Turn = Arc<OwnedSemaphorePermit>;

/// A connection for one operation. It is closed, not used again, unless it is told how the operation ended, and then
/// too if the server is of no use. Before it is closed, the server gets time to answer.
pub(crate) struct Lease<'a, DB: Engine> {
    connections: &'a Connections<DB>,
    held: Option<Held<DB>>,
    turn: Option<Turn>,
    end: End,
    _lane: SemaphorePermit<'a>,
}

impl<DB: Engine> Lease<'_, DB> {
    pub(crate) fn connection(&mut self) -> &mut <DB as Database>::Connection {
        let held = self.held.as_mut();
        let connection = held.and_then(|held| held.connection.as_mut());
        connection.expect("the connection is taken out on drop only")
    }

    /// Holds this turn until the server has answered.
    pub(crate) fn in_turn(&mut self, turn: Option<Turn>) {
        self.turn = turn;
    }

    /// The whole answer was read, and no transaction is left open.
    pub(crate) fn settle<R>(mut self, answer: &Result<R, Failure>) {
        self.end = End::of(answer);
    }
}

impl<DB: Engine> Drop for Lease<'_, DB> {
    fn drop(&mut self) {
        let Some(mut held) = self.held.take() else {
            return;
        };
        match self.end {
            End::Well => self.connections.put(held),
            End::Failed => {}
            _ if !DB::CLOSE_UNFIT => {}
            End::Unknown => self.connections.linger(held, self.turn.take()),
            End::Useless if !self.connections.may_leave() => {}
            End::Useless => {
                if let Some(connection) = &mut held.connection {
                    connection.close_on_drop();
                }
            }
        }
    }
}

fn may_leave(left_at: Option<Instant>, now: Instant) -> bool {
    left_at.is_none_or(|left_at| now.duration_since(left_at) >= LEAVING)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_connections_a_second_may_be_left() {
        let left_at = Instant::now();
        assert!(may_leave(None, left_at));
        let mut now = left_at;
        let mut last = Some(left_at);
        let mut left = 0;
        while now < left_at + Duration::from_secs(1) {
            now += Duration::from_millis(1);
            if may_leave(last, now) {
                (last, left) = (Some(now), left + 1);
            }
        }
        assert_eq!(left, 10);
    }
}
