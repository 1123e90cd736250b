//! A way to a server that takes its time, or leads somewhere else after a while.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// An address in front of a server.
pub(crate) struct Way {
    pub(crate) port: u16,
    to: Arc<AtomicU16>,
}

impl Way {
    /// What is sent along it, either way, arrives after the delay.
    pub(crate) async fn to(server: u16, delay: Duration) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let to = Arc::new(AtomicU16::new(server));
        let server = Arc::clone(&to);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let port = server.load(Ordering::SeqCst);
                // A server that is down takes none.
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else {
                    continue;
                };
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                tokio::spawn(pass_on(from_client, to_server, delay));
                tokio::spawn(pass_on(from_server, to_client, delay));
            }
        });
        Self { port, to }
    }

    /// New connections go there. Those that are open stay where they are.
    pub(crate) fn lead_to(&self, server: u16) {
        self.to.store(server, Ordering::SeqCst);
    }
}

async fn pass_on(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    delay: Duration,
) {
    let mut bytes = [0; 65_536];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        tokio::time::sleep(delay).await;
        if to.write_all(&bytes[..length]).await.is_err() {
            return;
        }
    }
}
