//! The application on a socket, without the program around it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use cloakroom::{MemoryStore, Secret, Sessions, Store};
use cloakroom_demo::{Options, Settings, Shopper, app};
use cloakroom_rusqlite::SqliteStore;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::client::Visitor;

/// Stops when it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Server {
    /// With the options that are given and that store. All servers share one secret.
    pub(crate) async fn start(arguments: &[&str], store: impl Store<Shopper>) -> Self {
        let arguments = std::iter::once("cloakroom-demo").chain(arguments.iter().copied());
        let options = Options::try_parse_from(arguments).unwrap();
        let sessions = options.sessions(store, secret()).unwrap();
        Self::serve_with(sessions, options.settings()).await
    }

    pub(crate) async fn serve(sessions: Sessions<Shopper>) -> Self {
        Self::serve_with(sessions, Settings::default()).await
    }

    async fn serve_with(sessions: Sessions<Shopper>, settings: Settings) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            let app = app(sessions, settings);
            let service = app.into_make_service_with_connect_info::<SocketAddr>();
            axum::serve(listener, service).await.unwrap();
        });
        Self { address, serving }
    }

    pub(crate) fn visitor(&self) -> Visitor {
        Visitor::of(self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

pub(crate) fn secret() -> Secret {
    Secret::from_bytes(b"only for tests, but long enough for that").unwrap()
}

/// Every kind of store, new and empty. The directory is removed when it is dropped.
pub(crate) async fn every_store() -> (Vec<Arc<dyn Store<Shopper>>>, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let sqlite = sqlite_in(&directory).await;
    (
        vec![Arc::new(MemoryStore::new()), Arc::new(sqlite)],
        directory,
    )
}

/// The database `demo.db`, made if it is missing. It gives up soon, so that nobody waits for trouble.
pub(crate) async fn sqlite_in(directory: &TempDir) -> SqliteStore<Shopper> {
    let store = SqliteStore::builder(directory.path().join("demo.db"));
    let store = store.timeout(Duration::from_secs(3)).open();
    store.await.unwrap()
}
