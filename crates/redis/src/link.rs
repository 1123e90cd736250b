//! The connection to one server: opened when it is needed, given up when it seems dead.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::io::tcp::socket2::TcpKeepalive;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, ProtocolVersion, PushInfo, PushKind,
    RedisError, Value,
};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout, timeout_at};

use crate::error::{Failure, RedisStoreError, RedisStoreErrorKind};
use crate::home::Home;

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// An operation of the store.
    pub(crate) operation: Duration,
    /// Making a connection, within an operation.
    pub(crate) connect: Duration,
}

impl Patience {
    /// When an operation that begins now is out of time.
    pub(crate) fn deadline(self) -> Instant {
        Instant::now() + self.operation
    }

    pub(crate) fn timed_out(self) -> RedisStoreError {
        RedisStoreError::timed_out(self.operation)
    }
}

/// Commands that wait for their turn on the connection before others wait for room in the queue.
const QUEUE: usize = 1024;
/// How long a connection to a replica lasts at least. What refuses all writes would be connected to anew for each of them
/// otherwise.
const REPLICA: Duration = Duration::from_secs(1);

/// How long a connection is idle before it is asked whether it is still one. Shorter than what firewalls and address
/// translators remember, which is minutes.
const IDLE: Duration = Duration::from_secs(30);

/// One server. All operations share one connection; their commands follow each other on it without waiting for
/// answers.
pub(crate) struct Link {
    client: Client,
    patience: Patience,
    current: Mutex<Option<Open>>,
    /// Whose turn it is to open a connection.
    turn: tokio::sync::Mutex<()>,
    home: Home,
}

#[derive(Clone)]
struct Open {
    connection: MultiplexedConnection,
    /// Set when the connection ends, also while nobody waits for anything.
    ended: Arc<AtomicBool>,
    since: Instant,
    /// The store's runtime drives it.
    at_home: bool,
}

impl Link {
    /// Its connections are driven in that runtime, as long as it runs.
    pub(crate) fn new(
        info: ConnectionInfo,
        patience: Patience,
        runtime: Option<Handle>,
    ) -> Result<Self, RedisStoreError> {
        // With RESP3 the client says by itself when a connection has ended.
        let settings = info.redis_settings().clone();
        let info = info.set_redis_settings(settings.set_protocol(ProtocolVersion::RESP3));
        let tcp = tcp_settings(info.tcp_settings().clone(), patience);
        let info = info.set_tcp_settings(tcp);
        let client = Client::open(info).map_err(|error| RedisStoreError::of_connection(&error))?;
        Ok(Self {
            client,
            patience,
            current: Mutex::new(None),
            turn: tokio::sync::Mutex::new(()),
            home: Home::in_runtime(runtime, patience.operation),
        })
    }

    /// Sends one command, once, and waits for the answer. With `asking` the server of a cluster answers for a
    /// slot that is just being moved to it.
    pub(crate) async fn send(
        &self,
        command: &Cmd,
        asking: bool,
        deadline: Instant,
    ) -> Result<Value, Failure> {
        if asking {
            let commands = vec![redis::cmd("ASKING"), command.clone()];
            let answers = Box::pin(self.send_all(commands, deadline)).await?;
            return answers
                .into_iter()
                .nth(1)
                .unwrap_or_else(|| Err(Failure::Unknown(RedisStoreError::unexpected())));
        }
        let mut open = self.connection(deadline).await?;
        let answer = timeout_at(deadline, open.connection.send_packed_command(command)).await;
        let answer = judge(self.received(&open, answer)?);
        self.leave_replica(&open, &answer);
        answer
    }

    /// Sends several commands in one go. An answer for each.
    pub(crate) async fn send_all(
        &self,
        commands: Vec<Cmd>,
        deadline: Instant,
    ) -> Result<Vec<Result<Value, Failure>>, Failure> {
        let mut open = self.connection(deadline).await?;
        let count = commands.len();
        let mut pipeline = redis::Pipeline::with_capacity(count);
        for command in commands {
            pipeline.add_command(command);
        }
        let answer = open.connection.send_packed_commands(&pipeline, 0, count);
        let answer = timeout_at(deadline, answer).await;
        match self.received(&open, answer)? {
            Ok(answers) => {
                let answers = answers.into_iter().map(|answer| {
                    let answer = judge(Ok(answer));
                    self.leave_replica(&open, &answer);
                    answer
                });
                Ok(answers.collect())
            }
            Err(error) => Err(server_error(&error)),
        }
    }

    /// Ready to send.
    pub(crate) async fn connect(&self, deadline: Instant) -> Result<(), Failure> {
        self.connection(deadline).await.map(drop)
    }

    /// Takes a connection out of use that did not answer in time or broke.
    fn received<R>(
        &self,
        open: &Open,
        answer: Result<Result<R, RedisError>, tokio::time::error::Elapsed>,
    ) -> Result<Result<R, RedisError>, Failure> {
        match answer {
            Ok(Err(error)) if error.code().is_none() => {
                self.give_up(open);
                Err(Failure::Unknown(RedisStoreError::of_connection(&error)))
            }
            Ok(answer) => Ok(answer),
            Err(_) => {
                // Once for each connection: others may wait for it as well.
                if self.give_up(open) && open.at_home {
                    self.home.was_silent();
                }
                Err(Failure::Unknown(self.patience.timed_out()))
            }
        }
    }

    /// A server that answers so was a primary when the connection was made, or the address still leads to a
    /// replica. Where it follows the primary, only another connection gets there.
    fn leave_replica(&self, open: &Open, answer: &Result<Value, Failure>) {
        if let Err(Failure::Refused(error)) = answer
            && matches!(error.code(), "READONLY" | "MASTERDOWN")
            && open.since.elapsed() >= REPLICA
        {
            self.give_up(open);
        }
    }

    async fn connection(&self, deadline: Instant) -> Result<Open, Failure> {
        if let Some(open) = self.usable() {
            return Ok(open);
        }
        let opening = Box::pin(async {
            let _turn = self.turn.lock().await;
            match self.usable() {
                Some(open) => Ok(open),
                None => self.open().await,
            }
        });
        match timeout_at(deadline, opening).await {
            Ok(Ok(open)) => Ok(open),
            Ok(Err(error)) => Err(Failure::NotSent(error)),
            Err(_) => Err(Failure::NotSent(self.patience.timed_out())),
        }
    }

    fn usable(&self) -> Option<Open> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let open = current.as_ref()?;
        (!open.ended.load(Ordering::Acquire)).then(|| open.clone())
    }

    async fn open(&self) -> Result<Open, RedisStoreError> {
        let dialing = || {
            let ended = Arc::new(AtomicBool::new(false));
            let flag = Arc::clone(&ended);
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(Some(self.patience.connect))
                // Each operation keeps its own time.
                .set_response_timeout(None)
                .set_pipeline_buffer_size(QUEUE)
                .set_push_sender(move |push: PushInfo| {
                    if push.kind == PushKind::Disconnection {
                        flag.store(true, Ordering::Release);
                    }
                    Ok::<(), redis::aio::SendError>(())
                });
            let dialing = self.dial(config);
            async move { Ok::<_, RedisStoreError>((dialing.await?, ended)) }
        };
        let (dialed, at_home) = self.home.run(dialing).await;
        let (connection, ended) = dialed?;
        let open = Open {
            connection,
            ended,
            since: Instant::now(),
            at_home,
        };
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        *current = Some(open.clone());
        Ok(open)
    }

    fn dial(
        &self,
        config: AsyncConnectionConfig,
    ) -> impl Future<Output = Result<MultiplexedConnection, RedisStoreError>> + Send + use<> {
        let (client, patience) = (self.client.clone(), self.patience);
        async move {
            let dialing = client.get_multiplexed_async_connection_with_config(&config);
            dialing.await.map_err(|error| match error.is_timeout() {
                true => RedisStoreError::new(
                    RedisStoreErrorKind::TimedOut,
                    format!("no connection within {:?}", patience.connect),
                ),
                false => RedisStoreError::of_connection(&error),
            })
        }
    }

    /// A connection of its own on which `hear` is called with what is published on the channel.
    pub(crate) async fn subscribe(
        &self,
        channel: &str,
        hear: impl Fn(&[u8]) + Send + Sync + 'static,
    ) -> Result<Subscription, RedisStoreError> {
        let ended = Arc::new(Notify::new());
        let notify = Arc::clone(&ended);
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.patience.connect))
            .set_response_timeout(Some(self.patience.operation))
            .set_push_sender(move |push: PushInfo| {
                match (push.kind, push.data.last()) {
                    (PushKind::Disconnection, _) => notify.notify_one(),
                    (PushKind::Message, Some(Value::BulkString(text))) => hear(text),
                    _ => {}
                }
                Ok::<(), redis::aio::SendError>(())
            });
        let mut connection = self.dial(config).await?;
        let subscribed = connection.subscribe(channel).await;
        subscribed.map_err(|error| RedisStoreError::of_connection(&error))?;
        Ok(Subscription { connection, ended })
    }

    /// Whether it was in use until now.
    fn give_up(&self, open: &Open) -> bool {
        // Operations that wait for answers on it still get them, should any come.
        let had_ended = open.ended.swap(true, Ordering::AcqRel);
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current
            .as_ref()
            .is_some_and(|current| Arc::ptr_eq(&current.ended, &open.ended))
        {
            *current = None;
        }
        !had_ended
    }
}

/// Lasts until it is dropped or its connection ends.
pub(crate) struct Subscription {
    connection: MultiplexedConnection,
    ended: Arc<Notify>,
}

impl Subscription {
    /// Returns when nothing is heard any more. A machine that vanished says nothing of it, so the server is asked now
    /// and then whether it is still there.
    pub(crate) async fn lasts(&mut self, interval: Duration) {
        while timeout(interval, self.ended.notified()).await.is_err() {
            let ping = redis::cmd("PING");
            if self.connection.send_packed_command(&ping).await.is_err() {
                return;
            }
        }
    }
}

#[allow(unused_variables, reason = "not every system has all of it")]
fn tcp_settings(settings: TcpSettings, patience: Patience) -> TcpSettings {
    let keepalive = TcpKeepalive::new().with_time(IDLE);
    #[cfg(any(
        target_os = "android",
        target_os = "freebsd",
        target_os = "ios",
        target_os = "linux",
        target_os = "macos",
        target_os = "netbsd",
        target_os = "windows"
    ))]
    let keepalive = keepalive.with_interval(Duration::from_secs(5));
    let settings = settings
        // What is asked next need not wait until the server has acknowledged what was asked before.
        .set_nodelay(true)
        .set_keepalive(keepalive);
    // How long the other side may leave something unacknowledged. Not longer than an operation, after which the
    // connection is given up anyway; so an idle one ends as soon as one question has had no answer.
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    let settings = {
        // At least long enough for something to be sent again that got lost.
        let [least, most] = [1, 30].map(Duration::from_secs);
        settings.set_user_timeout(patience.operation.clamp(least, most))
    };
    settings
}

fn judge(answer: Result<Value, RedisError>) -> Result<Value, Failure> {
    match answer {
        Ok(Value::ServerError(error)) => Err(Failure::Refused(error)),
        Ok(value) => Ok(value),
        Err(error) => Err(server_error(&error)),
    }
}

/// An error that has a code came from the server.
fn server_error(error: &RedisError) -> Failure {
    match error.clone().into_server_errors() {
        Some(errors) if !errors.is_empty() => Failure::Refused(errors[0].1.clone()),
        _ => Failure::Unknown(RedisStoreError::of_connection(error)),
    }
}

// Nothing of the client is printed: it knows the password.
impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}

#[cfg(all(test, target_os = "linux"))]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use redis::IntoConnectionInfo;

    use super::*;

    #[test]
    fn a_silent_network_is_noticed_about_when_an_operation_is_out_of_time() {
        for (operation, noticed) in [(0, 1), (5, 5), (3_600, 30)] {
            let patience = Patience {
                operation: Duration::from_secs(operation),
                connect: Duration::from_secs(5),
            };
            let info = "redis://127.0.0.1:1".into_connection_info().unwrap();
            let link = Link::new(info, patience, None).unwrap();
            let settings = link.client.get_connection_info().tcp_settings().clone();
            assert_eq!(settings.user_timeout(), Some(Duration::from_secs(noticed)));
            assert!(settings.keepalive().is_some() && settings.nodelay());
        }
    }
}
