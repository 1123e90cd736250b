//! The one place where statements are sent.

use std::future::Future;
use std::time::Duration;

use cloakroom_store::StoreError;
use sqlx::pool::PoolConnection;
use sqlx::{Database, Pool};
use tokio::runtime::Handle;

use crate::dialect::{Answer, Engine, Gate, Pass};
use crate::error::{DbError, DbErrorKind, Failure};
use crate::statement::{Bindings, Statement};

/// How often a statement is sent again that the engine undid in favour of another one.
const ATTEMPTS: u32 = 10;

/// The pool, its gate, and the time that an operation may take.
#[derive(Debug)]
pub(crate) struct Io<DB: Engine> {
    pub(crate) pool: Pool<DB>,
    pub(crate) gate: DB::Gate,
    pub(crate) timeout: Duration,
}

impl<DB: Engine> Io<DB> {
    /// Sends one statement and reads its answer. `Ok(None)`: a unique key is taken, nothing was written.
    pub(crate) async fn try_run(
        &self,
        statement: &Statement,
        bindings: &Bindings,
    ) -> Result<Option<Answer<DB>>, DbError> {
        let mut attempt = 1;
        loop {
            match self.once(statement, bindings).await {
                Ok(answer) => return Ok(Some(answer)),
                Err(Failure::Taken) => return Ok(None),
                Err(Failure::Undone(_)) if attempt < ATTEMPTS => {
                    let pause = fastrand::u64(1..=8 * u64::from(attempt));
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                    attempt += 1;
                }
                Err(failure) => return Err(failure.into_error()),
            }
        }
    }

    /// The same for a statement that cannot run into a key.
    pub(crate) async fn run(
        &self,
        statement: &Statement,
        bindings: &Bindings,
    ) -> Result<Answer<DB>, DbError> {
        let answer = self.try_run(statement, bindings).await?;
        answer.ok_or_else(|| Failure::Taken.into_error())
    }

    async fn once(
        &self,
        statement: &Statement,
        bindings: &Bindings,
    ) -> Result<Answer<DB>, Failure> {
        let pass = self
            .gate
            .enter(statement.writes())
            .await
            .map_err(Failure::Failed)?;
        let connection = self.pool.acquire().await.map_err(Failure::of::<DB>)?;
        let mut lease = Lease::new(connection);
        let values = statement.arguments(bindings);
        let answer = DB::run(lease.connection(), statement.sql(), values).await;
        lease.settled = true;
        drop(lease);
        pass.check().map_err(Failure::Failed)?;
        answer.map_err(|error| {
            let failure = Failure::of::<DB>(error);
            if let Failure::Failed(error) = &failure
                && error.kind() == DbErrorKind::Missing
            {
                self.gate.suspect();
            }
            failure
        })
    }
}

/// Gives an operation its time. An operation that is out of time is dropped where it stands; what was sent may
/// have taken effect.
pub(crate) async fn within<R>(
    timeout: Duration,
    work: impl Future<Output = Result<R, DbError>>,
) -> Result<R, StoreError> {
    if Handle::try_current().is_err() {
        return Err(DbError::no_runtime().into_store_error());
    }
    match tokio::time::timeout(timeout, work).await {
        Ok(result) => result.map_err(DbError::into_store_error),
        Err(_) => Err(DbError::timed_out(timeout).into_store_error()),
    }
}

/// A connection that is closed, not used again, if the operation was dropped before its answer came: by the
/// time-out, or because the caller went away.
struct Lease<DB: Engine> {
    connection: Option<PoolConnection<DB>>,
    // To return a connection, the pool starts a task; a future may be dropped outside the runtime.
    runtime: Handle,
    settled: bool,
}

impl<DB: Engine> Lease<DB> {
    fn new(connection: PoolConnection<DB>) -> Self {
        Self {
            connection: Some(connection),
            runtime: Handle::current(),
            settled: false,
        }
    }

    fn connection(&mut self) -> &mut <DB as Database>::Connection {
        self.connection
            .as_mut()
            .expect("the connection is taken out on drop only")
    }
}

impl<DB: Engine> Drop for Lease<DB> {
    fn drop(&mut self) {
        let _guard = self.runtime.enter();
        if let Some(mut connection) = self.connection.take()
            && !self.settled
            && DB::CLOSE_INTERRUPTED
        {
            connection.close_on_drop();
        }
    }
}
