//! A network that loses what it is told to lose.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Passes bytes on between clients and a server, until it is told not to.
pub(crate) struct SilentProxy {
    pub(crate) port: u16,
    generation: watch::Sender<u64>,
    swallow: Arc<AtomicBool>,
}

impl SilentProxy {
    pub(crate) async fn before(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let generation = watch::Sender::new(0);
        let swallow = Arc::new(AtomicBool::new(false));
        let (generations, swallows) = (generation.clone(), Arc::clone(&swallow));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                let over = generations.subscribe();
                tokio::spawn(pass_on(client, server, over, Arc::clone(&swallows)));
            }
        });
        Self {
            port,
            generation,
            swallow,
        }
    }

    /// Connections stay open, and nothing passes any more.
    pub(crate) fn silence_what_is_open(&self) {
        self.generation.send_modify(|number| *number += 1);
    }

    /// The server gets the next request; its answer is lost with the connection.
    pub(crate) fn swallow_the_next_answer(&self) {
        self.swallow.store(true, Ordering::SeqCst);
    }
}

async fn pass_on(
    mut client: TcpStream,
    mut server: TcpStream,
    mut over: watch::Receiver<u64>,
    swallow: Arc<AtomicBool>,
) {
    let (mut asked, mut answered) = ([0; 65_536], [0; 65_536]);
    loop {
        tokio::select! {
            _ = over.changed() => {
                // Both stay open.
                std::future::pending::<()>().await;
            }
            read = client.read(&mut asked) => match read {
                Ok(length @ 1..) => server.write_all(&asked[..length]).await.unwrap(),
                _ => return,
            },
            read = server.read(&mut answered) => match read {
                Ok(1..) if swallow.swap(false, Ordering::SeqCst) => return,
                Ok(length @ 1..) => client.write_all(&answered[..length]).await.unwrap(),
                _ => return,
            },
        }
    }
}
