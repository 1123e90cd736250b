use std::time::{Duration, Instant};

use crate::redis::ask;
use crate::{Port, Redis, StartError};

const PRIMARIES: usize = 3;
const SLOTS: usize = 16_384;
/// How long a cluster may take to become one, or to be well again.
const PATIENCE: Duration = Duration::from_secs(60);

/// A cluster of six servers: three primaries with a replica each. The first three start as primaries.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<Redis>,
    /// Where they talk with each other.
    buses: Vec<Port>,
}

impl RedisCluster {
    /// Starts one.
    ///
    /// # Errors
    /// If Redis is not installed, or the cluster does not come about.
    pub fn start() -> Result<Self, StartError> {
        let settings = [
            "cluster-enabled yes",
            // How soon a silent primary is replaced.
            "cluster-node-timeout 1000",
            "cluster-replica-validity-factor 0",
            "repl-diskless-sync-delay 0",
        ];
        let mut cluster = Self {
            nodes: Vec::new(),
            buses: Vec::new(),
        };
        for _ in 0..2 * PRIMARIES {
            let bus = Port::free()?;
            let port = format!("cluster-port {}", bus.number());
            let mut settings = settings.to_vec();
            settings.push(&port);
            cluster.nodes.push(Redis::start_with(&settings)?);
            cluster.buses.push(bus);
        }
        cluster.join()?;
        Ok(cluster)
    }

    /// The servers. Which of them are primaries may change.
    #[must_use]
    pub fn nodes(&self) -> &[Redis] {
        &self.nodes
    }

    /// The same, to kill and restart them.
    pub fn nodes_mut(&mut self) -> &mut [Redis] {
        &mut self.nodes
    }

    /// For a client: all servers.
    #[must_use]
    pub fn url(&self) -> String {
        let hosts: Vec<_> = self
            .nodes
            .iter()
            .map(|node| format!("127.0.0.1:{}", node.port()))
            .collect();
        format!("redis+cluster://{}", hosts.join(","))
    }

    /// The numbers of the servers that are primaries with slots just now, as the first that answers sees it.
    #[must_use]
    pub fn primaries(&self) -> Vec<usize> {
        let seen = self
            .nodes
            .iter()
            .find_map(|node| node.ask(&["CLUSTER", "NODES"]).ok())
            .unwrap_or_default();
        let is_primary = |port: u16| {
            seen.lines().any(|line| {
                let mut words = line.split(' ').skip(1);
                let address = words.next().unwrap_or_default();
                let flags = words.next().unwrap_or_default();
                address.contains(&format!(":{port}@"))
                    && flags.contains("master")
                    && !flags.contains("fail")
                    && words.count() > 5
            })
        };
        let numbers = 0..self.nodes.len();
        numbers
            .filter(|&number| is_primary(self.nodes[number].port()))
            .collect()
    }

    /// Waits until every server that runs says that the cluster is well and has all replicas connected.
    ///
    /// # Errors
    /// If that does not happen.
    pub fn settle(&self) -> Result<(), StartError> {
        self.wait("the cluster is well", |cluster| {
            cluster.nodes.iter().all(|node| {
                let info = node.ask(&["CLUSTER", "INFO"]).unwrap_or_default();
                let known = info.contains("cluster_known_nodes:6");
                let role = node.ask(&["INFO", "replication"]).unwrap_or_default();
                let in_step =
                    role.contains("role:master") || role.contains("master_link_status:up");
                info.contains("cluster_state:ok") && known && in_step
            }) && cluster.primaries().len() == PRIMARIES
        })
    }

    fn join(&self) -> Result<(), StartError> {
        for (number, node) in self.nodes[..PRIMARIES].iter().enumerate() {
            let first = number * SLOTS / PRIMARIES;
            let last = (number + 1) * SLOTS / PRIMARIES - 1;
            let (first, last) = (first.to_string(), last.to_string());
            node.ask(&["CLUSTER", "ADDSLOTSRANGE", &first, &last])?;
        }
        for (number, node) in self.nodes.iter().enumerate() {
            let epoch = (number + 1).to_string();
            node.ask(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch])?;
        }
        let first = self.nodes[0].port().to_string();
        let bus = self.buses[0].number().to_string();
        for node in &self.nodes[1..] {
            node.ask(&["CLUSTER", "MEET", "127.0.0.1", &first, &bus])?;
        }
        self.wait("the servers know each other", |cluster| {
            cluster.nodes.iter().all(|node| {
                let info = node.ask(&["CLUSTER", "INFO"]).unwrap_or_default();
                let seen = node.ask(&["CLUSTER", "NODES"]).unwrap_or_default();
                info.contains("cluster_known_nodes:6") && !seen.contains("handshake")
            })
        })?;
        for number in 0..PRIMARIES {
            let id = self.nodes[number].ask(&["CLUSTER", "MYID"])?;
            let replica = &self.nodes[PRIMARIES + number];
            self.wait("a replica takes its primary", |_| {
                let answer = replica.ask(&["CLUSTER", "REPLICATE", &id]);
                answer.is_ok_and(|answer| answer == "+OK")
            })?;
        }
        self.settle()
    }

    fn wait(&self, what: &str, holds: impl Fn(&Self) -> bool) -> Result<(), StartError> {
        let start = Instant::now();
        while !holds(self) {
            if start.elapsed() > PATIENCE {
                let seen = ask(self.nodes[0].port(), &["CLUSTER", "NODES"]).unwrap_or_default();
                return Err(StartError::new(format!("never came: {what}:\n{seen}")));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}
