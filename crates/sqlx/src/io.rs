//! The one place where statements are sent.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use cloakroom_store::StoreError;
use sqlx::{Connection, Transaction};
use tokio::runtime::Handle;

use crate::connections::{Connections, Turn};
use crate::dialect::{Answer, Engine, Gate, Pass};
use crate::error::{DbError, DbErrorKind, Failure};
use crate::statement::{Bindings, Statement};

/// How often a statement is sent again that the engine undid in favour of another one. All pauses between take less than
/// a second, on average.
const ATTEMPTS: u32 = 20;

/// The connections, the gate before them, and the time that an operation may take.
#[derive(Debug)]
pub(crate) struct Io<DB: Engine> {
    pub(crate) connections: Connections<DB>,
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
        match self.once(statement, bindings).await {
            Ok(answer) => Ok(Some(answer)),
            Err(Failure::Taken) => Ok(None),
            // In a box of its own: a future has room for all that it may come to, and is copied several times.
            Err(failure) => Box::pin(self.again(statement, bindings, failure)).await,
        }
    }

    /// The same for a statement that failed before.
    async fn again(
        &self,
        statement: &Statement,
        bindings: &Bindings,
        mut failure: Failure,
    ) -> Result<Option<Answer<DB>>, DbError> {
        let mut attempts = Attempts::default();
        loop {
            attempts.after(failure).await?;
            // The isolation that is the default here may be why it was undone, and on a busy row would be each time.
            let sent = match statement.before() {
                None => self.once_together(&Alone(statement, bindings)).await,
                Some(_) => self.once(statement, bindings).await,
            };
            failure = match sent {
                Ok(answer) => return Ok(Some(answer)),
                Err(Failure::Taken) => return Ok(None),
                Err(failure) => failure,
            };
        }
    }

    /// Statements that take effect together or not at all. `Ok(None)`: a unique key is taken, nothing was
    /// written.
    pub(crate) async fn try_together<W: Together<DB>>(
        &self,
        work: &W,
    ) -> Result<Option<W::Answer>, DbError> {
        let mut attempts = Attempts::default();
        loop {
            match self.once_together(work).await {
                Ok(answer) => return Ok(Some(answer)),
                Err(Failure::Taken) => return Ok(None),
                Err(failure) => attempts.after(failure).await?,
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
        let mut lease = self.connections.lease().await?;
        if let Some(before) = statement.before() {
            let sent = DB::run(lease.connection(), before.into(), Vec::new()).await;
            sent.map_err(Failure::of::<DB>)?;
        }
        let answer = send::<DB>(lease.connection(), statement, bindings).await;
        lease.settle(&answer);
        leave(pass).await?;
        answer.inspect_err(|failure| self.look_into(failure))
    }

    async fn once_together<W: Together<DB>>(&self, work: &W) -> Result<W::Answer, Failure> {
        let pass = self.gate.enter(true).await.map_err(Failure::Failed)?;
        let mut lease = self.connections.lease().await?;
        lease.in_turn(work.turn());
        let (answer, settled) = transact::<DB, W>(lease.connection(), work).await;
        match settled {
            true => lease.settle(&answer),
            false => drop(lease),
        }
        leave(pass).await?;
        answer.inspect_err(|failure| self.look_into(failure))
    }

    fn look_into(&self, failure: &Failure) {
        if let Failure::Failed(error) = failure
            && error.kind() == DbErrorKind::Missing
        {
            self.gate.suspect();
        }
    }
}

/// Says whether the answer counts. Who waits for this pass sends first what is ready to be sent, so that the database
/// works while this operation goes on.
async fn leave(pass: impl Pass) -> Result<(), Failure> {
    let checked = pass.check();
    if pass.give_back() {
        tokio::task::yield_now().await;
    }
    checked.map_err(Failure::Failed)
}

/// Statements that take effect together or not at all.
pub(crate) trait Together<DB: Engine>: Sync {
    /// What they come to.
    type Answer: Send;

    /// Sends them. Called again, from the start, if the engine undid them in favour of others, or if this answers
    /// [`Failure::Undone`].
    fn steps(
        &self,
        connection: &mut DB::Connection,
    ) -> impl Future<Output = Result<End<Self::Answer>, Failure>> + Send;

    /// What the connection has to hold, too, until the server has answered.
    fn turn(&self) -> Option<Turn> {
        None
    }
}

/// How statements that belong together end, unless one failed.
pub(crate) enum End<R> {
    /// With all that they wrote.
    Keep(R),
    /// As if none had been sent.
    Undo(R),
}

/// One statement, in a transaction of ours: at the isolation that such a transaction has.
struct Alone<'a>(&'a Statement, &'a Bindings);

impl<DB: Engine> Together<DB> for Alone<'_> {
    type Answer = Answer<DB>;

    async fn steps(&self, connection: &mut DB::Connection) -> Result<End<Answer<DB>>, Failure> {
        let Self(statement, bindings) = self;
        Ok(End::Keep(
            send::<DB>(connection, statement, bindings).await?,
        ))
    }
}

/// One statement of several.
pub(crate) async fn send<DB: Engine>(
    connection: &mut DB::Connection,
    statement: &Statement,
    bindings: &Bindings,
) -> Result<Answer<DB>, Failure> {
    let now = bindings.now();
    let values = statement.arguments(bindings, now.as_ref()).collect();
    DB::run(connection, statement.sql(), values)
        .await
        .map_err(Failure::of::<DB>)
}

/// The answer, and whether the connection is in no transaction any more.
async fn transact<DB: Engine, W: Together<DB>>(
    connection: &mut DB::Connection,
    work: &W,
) -> (Result<W::Answer, Failure>, bool) {
    if let Some(before) = DB::BEFORE_BEGIN
        && let Err(error) = DB::run(connection, before.into(), Vec::new()).await
    {
        return (Err(Failure::of::<DB>(error)), false);
    }
    let mut open = match connection.begin_with(DB::BEGIN).await {
        Ok(transaction) => Open(Some(transaction)),
        Err(error) => return (Err(Failure::of::<DB>(error)), false),
    };
    let answer = match work.steps(open.connection()).await {
        Ok(End::Keep(answer)) => {
            let kept = open.end().commit().await;
            let settled = kept.is_ok();
            return (kept.map(|()| answer).map_err(Failure::of::<DB>), settled);
        }
        Ok(End::Undo(answer)) => Ok(answer),
        Err(failure) => {
            if let Some(begin) = DB::BEGIN_AGAIN {
                // It fails if the transaction is still there, which is as good.
                let _ = DB::run(open.connection(), begin.into(), Vec::new()).await;
            }
            Err(failure)
        }
    };
    let settled = open.end().rollback().await.is_ok();
    (answer, settled)
}

/// A transaction whose steps are under way. If they are given up, the driver would put a rollback behind what the server
/// has not answered yet. A connection that is closed needs none, and the MySQL driver would wait for its answer in vain:
/// it does not expect all that comes when it was preparing a statement.
struct Open<'c, DB: Engine>(Option<Transaction<'c, DB>>);

impl<'c, DB: Engine> Open<'c, DB> {
    fn connection(&mut self) -> &mut DB::Connection {
        self.0.as_mut().expect(OPEN)
    }

    fn end(mut self) -> Transaction<'c, DB> {
        self.0.take().expect(OPEN)
    }
}

const OPEN: &str = "the transaction is taken out at its end only";

impl<DB: Engine> Drop for Open<'_, DB> {
    fn drop(&mut self) {
        if DB::CLOSE_UNFIT {
            std::mem::forget(self.0.take());
        }
    }
}

/// Counts how often something was tried that the engine undid.
#[derive(Default)]
struct Attempts(u32);

impl Attempts {
    /// Waits a moment if it is worth trying again.
    async fn after(&mut self, failure: Failure) -> Result<(), DbError> {
        self.0 += 1;
        match failure {
            Failure::Undone(_) if self.0 < ATTEMPTS => {
                let pause = fastrand::u64(1..=8 * u64::from(self.0));
                tokio::time::sleep(Duration::from_millis(pause)).await;
                Ok(())
            }
            failure => Err(failure.into_error()),
        }
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
    // In its place: `timeout` would copy it.
    let work = pin!(work);
    match tokio::time::timeout(timeout, work).await {
        Ok(result) => result.map_err(DbError::into_store_error),
        Err(_) => Err(DbError::timed_out(timeout).into_store_error()),
    }
}
