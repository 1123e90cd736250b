use std::fmt;
use std::str::FromStr;

/// A store that the proof runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreKind {
    /// In the application's memory: a killed application ends all its sessions.
    Memory,
    /// A file, used by two processes at once.
    Sqlite,
    /// The same by the store that embeds it, as it comes: every write is on the disk before it is acknowledged.
    Rusqlite,
    /// A server of our own.
    Postgres,
    /// A server of our own.
    MariaDb,
    /// A server of our own, with `appendfsync always`.
    Redis,
    /// Three primaries with a replica each, whose replication is asynchronous.
    RedisCluster,
}

impl StoreKind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Memory,
        Self::Sqlite,
        Self::Rusqlite,
        Self::Postgres,
        Self::MariaDb,
        Self::Redis,
        Self::RedisCluster,
    ];

    /// Whether it promises that nothing acknowledged is lost. A Redis cluster that fails over does not: its
    /// replicas may not have heard of the last writes. What it loses is measured.
    #[must_use]
    pub fn promises(self) -> bool {
        self != Self::RedisCluster
    }

    fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Sqlite => "sqlite",
            Self::Rusqlite => "rusqlite",
            Self::Postgres => "postgres",
            Self::MariaDb => "mariadb",
            Self::Redis => "redis",
            Self::RedisCluster => "redis-cluster",
        }
    }
}

impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for StoreKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut all = Self::ALL.into_iter();
        all.find(|kind| kind.name() == text)
            .ok_or_else(|| format!("no store `{text}`"))
    }
}
