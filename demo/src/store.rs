use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use cloakroom::{MemoryStore, Store};
use cloakroom_redis::RedisStore;
use cloakroom_rusqlite::SqliteStore;
use cloakroom_sqlx::{MySqlStore, PostgresStore};
use sqlx::{MySqlPool, PgPool};

use crate::shopper::Shopper;
use crate::start_error::StartError;

/// Where sessions are kept, as `--store` names it.
///
/// ```
/// use cloakroom_demo::StoreUrl;
///
/// let url: StoreUrl = "sqlite://cloakroom-demo.db".parse()?;
/// assert_eq!(url.to_string(), "sqlite://cloakroom-demo.db");
/// assert!("mongodb://localhost".parse::<StoreUrl>().is_err());
/// # Ok::<(), cloakroom_demo::InvalidStoreUrl>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct StoreUrl(Kind);

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    Memory,
    Sqlite(String),
    Postgres(String),
    MySql(String),
    /// One server, or a cluster.
    Redis(String),
}

/// The text names no store that the demo knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidStoreUrl {
    _private: (),
}

impl StoreUrl {
    /// Whether sessions outlive the program.
    #[must_use]
    pub fn is_durable(&self) -> bool {
        !matches!(self.0, Kind::Memory)
    }

    /// Opens the store; makes what is missing.
    pub(crate) async fn open(&self) -> Result<OpenStore, StartError> {
        match &self.0 {
            Kind::Memory => Ok(OpenStore::Memory(Arc::new(MemoryStore::new()))),
            Kind::Sqlite(url) => {
                let store = SqliteStore::open(path_of(url)).await;
                let store = store.map_err(|error| self.unusable(error))?;
                Ok(OpenStore::Sqlite(store))
            }
            Kind::Postgres(url) => {
                let pool = PgPool::connect(url).await;
                let pool = pool.map_err(|error| self.unusable(error))?;
                let store = PostgresStore::create(pool).await;
                let store = store.map_err(|error| self.unusable(error))?;
                Ok(OpenStore::Postgres(store))
            }
            Kind::MySql(url) => {
                let pool = MySqlPool::connect(url).await;
                let pool = pool.map_err(|error| self.unusable(error))?;
                let store = MySqlStore::create(pool).await;
                let store = store.map_err(|error| self.unusable(error))?;
                Ok(OpenStore::MySql(store))
            }
            Kind::Redis(url) => {
                let store = RedisStore::connect(url).await;
                let store = store.map_err(|error| self.unusable(error))?;
                Ok(OpenStore::Redis(store))
            }
        }
    }

    fn unusable(&self, error: impl Error + Send + Sync + 'static) -> StartError {
        StartError::because(format!("cannot use the store {self}"), error)
    }
}

/// A store in use.
#[derive(Debug)]
pub(crate) enum OpenStore {
    Memory(Arc<MemoryStore<Shopper>>),
    Sqlite(SqliteStore<Shopper>),
    Postgres(PostgresStore<Shopper>),
    MySql(MySqlStore<Shopper>),
    Redis(RedisStore<Shopper>),
}

impl OpenStore {
    /// What the sessions work with.
    pub(crate) fn shared(&self) -> Arc<dyn Store<Shopper>> {
        match self {
            Self::Memory(store) => store.clone(),
            Self::Sqlite(store) => Arc::new(store.clone()),
            Self::Postgres(store) => Arc::new(store.clone()),
            Self::MySql(store) => Arc::new(store.clone()),
            Self::Redis(store) => Arc::new(store.clone()),
        }
    }

    /// Leaves everything tidy: SQLite moves its write-ahead log into the database. Nothing would be lost
    /// without.
    pub(crate) async fn close(self) {
        match self {
            Self::Memory(_) | Self::Redis(_) => {}
            Self::Sqlite(store) => store.close().await,
            Self::Postgres(store) => store.pool().close().await,
            Self::MySql(store) => store.pool().close().await,
        }
    }
}

impl FromStr for StoreUrl {
    type Err = InvalidStoreUrl;

    fn from_str(text: &str) -> Result<Self, InvalidStoreUrl> {
        let kind = match text.split_once(':') {
            Some(("memory", "")) => Kind::Memory,
            Some(("sqlite", place)) if !place.trim_matches('/').is_empty() => {
                Kind::Sqlite(text.to_owned())
            }
            Some(("postgres" | "postgresql", place)) if place.starts_with("//") => {
                Kind::Postgres(text.to_owned())
            }
            Some(("mysql" | "mariadb", place)) if place.starts_with("//") => {
                Kind::MySql(text.to_owned())
            }
            Some(("redis" | "redis+cluster", place)) if place.starts_with("//") => {
                Kind::Redis(text.to_owned())
            }
            _ => return Err(InvalidStoreUrl { _private: () }),
        };
        Ok(Self(kind))
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Memory => f.write_str("memory:"),
            Kind::Sqlite(url) => f.write_str(url),
            Kind::Postgres(url) | Kind::MySql(url) | Kind::Redis(url) => {
                f.write_str(&without_password(url))
            }
        }
    }
}

// As `Display`: an address may have a password in it.
impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreUrl({self})")
    }
}

/// The path that follows `sqlite:` or `sqlite://`.
fn path_of(url: &str) -> &str {
    let path = url.strip_prefix("sqlite:").unwrap_or(url);
    path.strip_prefix("//").unwrap_or(path)
}

/// The address of a server without user, password and parameters: they are nobody's who reads a log.
fn without_password(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or((url, ""));
    let rest = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    let place = rest.split(['?', '#']).next().unwrap_or_default();
    format!("{scheme}://{place}")
}

impl fmt::Display for InvalidStoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a store is `memory:`, `sqlite://` and the path of a file, `postgres://…`, `mysql://…`, `redis://…` or \
             `redis+cluster://…`",
        )
    }
}

impl Error for InvalidStoreUrl {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_its_path() {
        for (url, path) in [
            ("sqlite://demo.db", "demo.db"),
            ("sqlite:demo.db", "demo.db"),
            ("sqlite:///var/lib/demo.db", "/var/lib/demo.db"),
        ] {
            assert_eq!(path_of(url), path);
        }
    }

    #[test]
    fn a_password_is_not_printed() {
        for (url, shown) in [
            (
                "postgres://ada:l@velace@db:5432/shop?sslkey=x",
                "postgres://db:5432/shop",
            ),
            (
                "mysql://root:secret@localhost/shop",
                "mysql://localhost/shop",
            ),
            ("postgresql://localhost/shop", "postgresql://localhost/shop"),
            ("redis://:secret@localhost:6379", "redis://localhost:6379"),
            (
                "redis+cluster://ada:secret@a:1,b:2",
                "redis+cluster://a:1,b:2",
            ),
        ] {
            let store: StoreUrl = url.parse().unwrap();
            assert_eq!(store.to_string(), shown);
            assert_eq!(format!("{store:?}"), format!("StoreUrl({shown})"));
            assert!(store.is_durable());
        }
    }
}
