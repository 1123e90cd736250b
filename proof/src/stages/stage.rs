use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use cloakroom_testservers::{MariaDb, Postgres, Redis, RedisCluster, Server, StartError};
use tempfile::TempDir;
use tokio::runtime::Handle;

use super::StoreKind;
use super::fault::Fault;
use super::proxy::Proxy;

/// A store and the network before it.
#[derive(Debug)]
pub(crate) struct Stage {
    kind: StoreKind,
    house: House,
    proxy: Option<Proxy>,
}

#[derive(Debug)]
enum House {
    Nothing,
    File(TempDir),
    Postgres(Postgres),
    MariaDb(MariaDb),
    Redis(Redis),
    Cluster(RedisCluster),
}

impl Stage {
    /// Starts what the store needs.
    pub(crate) fn open(kind: StoreKind, runtime: &Handle) -> Result<Self, StartError> {
        let mut house = match kind {
            StoreKind::Memory => House::Nothing,
            StoreKind::Sqlite | StoreKind::Rusqlite => {
                House::File(tempfile::tempdir_in(target()?)?)
            }
            StoreKind::Postgres => House::Postgres(Postgres::start()?),
            StoreKind::MariaDb => House::MariaDb(MariaDb::start()?),
            // `appendonly yes`, `appendfsync always`.
            StoreKind::Redis => House::Redis(Redis::start()?),
            StoreKind::RedisCluster => House::Cluster(RedisCluster::start()?),
        };
        let proxy = match house.server() {
            Some(server) => Some(Proxy::start(server.port(), runtime)?),
            None => None,
        };
        Ok(Self { kind, house, proxy })
    }

    pub(crate) fn kind(&self) -> StoreKind {
        self.kind
    }

    /// Where the applications find the store: the first of them through the network that breaks, the others not.
    pub(crate) fn urls(&self) -> Vec<String> {
        let direct = match &self.house {
            // A store in memory is one application's.
            House::Nothing => return vec!["memory:".to_owned()],
            House::File(directory) => {
                let path = directory.path().join("sessions.sqlite");
                format!("{}://{}", self.kind, path.display())
            }
            House::Postgres(server) => server.url(),
            House::MariaDb(server) => server.url(),
            House::Redis(server) => server.url(),
            House::Cluster(cluster) => cluster.url(),
        };
        let through = self.proxy.as_ref().zip(self.port()).map(|(proxy, port)| {
            let (port, other) = (format!(":{port}"), format!(":{}", proxy.port()));
            direct.replace(&port, &other)
        });
        vec![through.unwrap_or_else(|| direct.clone()), direct]
    }

    /// The numbers of a cluster's primaries, as it sees itself; nothing else has any.
    pub(crate) fn primaries(&self) -> Vec<usize> {
        match &self.house {
            House::Cluster(cluster) => cluster.primaries(),
            _ => Vec::new(),
        }
    }

    /// What can happen to it.
    pub(crate) fn faults(&self) -> &'static [Fault] {
        match self.kind {
            StoreKind::Memory | StoreKind::Sqlite | StoreKind::Rusqlite => {
                &[Fault::KillApplication, Fault::PauseApplication]
            }
            StoreKind::RedisCluster => &[
                Fault::FailOver,
                Fault::Cut,
                Fault::PauseServer,
                Fault::KillApplication,
                Fault::PauseApplication,
            ],
            _ => &[
                Fault::KillServer,
                Fault::PauseServer,
                Fault::Cut,
                Fault::LoseAnswers,
                Fault::SlowAnswers,
                Fault::KillApplication,
                Fault::PauseApplication,
            ],
        }
    }

    /// Lets that happen, for so long. Whatever happens to applications is not among it.
    pub(crate) fn suffer(
        &mut self,
        fault: Fault,
        lasts: Duration,
        number: usize,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let wait = || std::thread::sleep(lasts);
        match (fault, &mut self.house) {
            (Fault::KillServer, house) => {
                if let Some(server) = house.server() {
                    server.kill_9();
                    wait();
                    server.restart()?;
                }
            }
            (Fault::PauseServer, House::Cluster(cluster)) => {
                let primaries = cluster.primaries();
                if let Some(&node) = primaries.get(number % primaries.len().max(1)) {
                    cluster.nodes()[node].stop();
                    wait();
                    cluster.nodes()[node].cont();
                }
            }
            (Fault::PauseServer, house) => {
                if let Some(server) = house.server() {
                    server.stop();
                    wait();
                    server.cont();
                }
            }
            (Fault::Cut, House::Cluster(cluster)) => {
                for node in cluster.nodes() {
                    // One that does not answer has no connections to cut.
                    let _ = node.ask(&["CLIENT", "KILL", "TYPE", "normal"]);
                }
            }
            (Fault::FailOver, House::Cluster(cluster)) => {
                let primaries = cluster.primaries();
                if let Some(&node) = primaries.get(number % primaries.len().max(1)) {
                    cluster.nodes_mut()[node].kill_9();
                    wait();
                    cluster.nodes_mut()[node].restart()?;
                    cluster.settle()?;
                }
            }
            _ => self.suffer_network(fault, lasts),
        }
        Ok(())
    }

    fn suffer_network(&self, fault: Fault, lasts: Duration) {
        let Some(proxy) = &self.proxy else {
            return;
        };
        match fault {
            Fault::Cut => proxy.cut(),
            Fault::LoseAnswers => {
                proxy.swallow(true);
                std::thread::sleep(lasts);
                proxy.swallow(false);
            }
            Fault::SlowAnswers => {
                proxy.delay(lasts / 8);
                std::thread::sleep(lasts);
                proxy.delay(Duration::ZERO);
            }
            _ => {}
        }
    }

    /// Before the last look: what is not on the server's disk is gone. Whether there was a server to restart.
    pub(crate) fn restart(&mut self) -> Result<bool, StartError> {
        match self.house.server() {
            Some(server) => server.restart().map(|()| true),
            None => Ok(false),
        }
    }

    fn port(&self) -> Option<u16> {
        match &self.house {
            House::Postgres(server) => Some(server.port()),
            House::MariaDb(server) => Some(server.port()),
            House::Redis(server) => Some(server.port()),
            House::Nothing | House::File(_) | House::Cluster(_) => None,
        }
    }
}

impl House {
    fn server(&mut self) -> Option<&mut Server> {
        match self {
            Self::Postgres(server) => Some(server),
            Self::MariaDb(server) => Some(server),
            Self::Redis(server) => Some(server),
            Self::Nothing | Self::File(_) | Self::Cluster(_) => None,
        }
    }
}

/// Among what was built: the directory for temporary files may be in memory, or on another kind of disk.
fn target() -> io::Result<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target")),
        PathBuf::from,
    );
    let directory = target.join("proof");
    std::fs::create_dir_all(&directory)?;
    directory.canonicalize()
}
