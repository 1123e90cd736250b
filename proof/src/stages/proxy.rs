use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;

/// The network between an application and its server. It can be slow, lose answers, and break.
#[derive(Debug)]
pub(crate) struct Proxy {
    port: u16,
    line: Arc<Line>,
}

#[derive(Debug)]
struct Line {
    server: u16,
    delay_millis: AtomicU64,
    swallows: AtomicBool,
    /// Counts how often all connections were cut.
    cuts: watch::Sender<u64>,
}

impl Proxy {
    /// To that port of this machine.
    pub(crate) fn start(server: u16, runtime: &Handle) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let line = Arc::new(Line {
            server,
            delay_millis: AtomicU64::new(0),
            swallows: AtomicBool::new(false),
            cuts: watch::Sender::new(0),
        });
        let shared = Arc::clone(&line);
        runtime.spawn(async move {
            let Ok(listener) = TcpListener::from_std(listener) else {
                return;
            };
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(connect(client, Arc::clone(&shared)));
            }
        });
        Ok(Self { port, line })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Breaks all connections that there are.
    pub(crate) fn cut(&self) {
        self.line.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Each piece of an answer comes that much later.
    pub(crate) fn delay(&self, by: Duration) {
        let millis = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.line.delay_millis.store(millis, Ordering::Relaxed);
    }

    /// From now on requests arrive and answers do not. What follows a lost answer cannot be understood, so
    /// turning it off cuts.
    pub(crate) fn swallow(&self, on: bool) {
        self.line.swallows.store(on, Ordering::Relaxed);
        if !on {
            self.cut();
        }
    }
}

async fn connect(client: TcpStream, line: Arc<Line>) {
    let mut cuts = line.cuts.subscribe();
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, line.server)).await else {
        return;
    };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    // Either end closes both, and so does a cut.
    tokio::select! {
        () = forth(from_client, to_server) => {}
        () = back(from_server, to_client, &line) => {}
        _ = cuts.changed() => {}
    }
}

async fn forth(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

async fn back(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, line: &Line) {
    let mut buffer = vec![0; 16 * 1024];
    // Once something is missing nothing may follow: TCP loses the end of a stream, never its middle.
    let mut lost = false;
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let delay = line.delay_millis.load(Ordering::Relaxed);
        if delay > 0 {
            tokio::time::sleep(Duration::from_millis(delay)).await;
        }
        lost |= line.swallows.load(Ordering::Relaxed);
        if !lost && to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
