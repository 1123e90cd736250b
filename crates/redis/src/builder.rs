use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use cloakroom_store::{AtRest, Clock, Seal, StoreError, SystemClock};
use redis::{ConnectionInfo, IntoConnectionInfo};
use tokio::runtime::Handle;

use crate::KeyPrefix;
use crate::cluster::Cluster;
use crate::codec::Codec;
use crate::error::{RedisStoreError, RedisStoreErrorKind};
use crate::layout::Layout;
use crate::link::{Link, Patience};
use crate::server::Server;
use crate::store::{Inner, RedisStore};

/// Longer is as good as for ever. It can be added to any moment.
const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The options of a [`RedisStore`]. Every one has a default.
///
/// ```no_run
/// use cloakroom_redis::RedisStore;
/// use std::time::Duration;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let store = RedisStore::<Vec<u32>>::builder("redis://127.0.0.1:6379")
///     .prefix("shop:sessions:".parse()?)
///     .timeout(Duration::from_secs(2))
///     .payload_limit(64 * 1024)
///     .connect()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "there is no store before `connect` is awaited"]
pub struct RedisStoreBuilder<T> {
    urls: Vec<String>,
    cluster: bool,
    prefix: KeyPrefix,
    codec: Codec,
    at_rest: AtRest,
    clock: Arc<dyn Clock>,
    patience: Patience,
    payload_limit: usize,
    announces: bool,
    types: PhantomData<fn() -> T>,
}

impl<T> RedisStoreBuilder<T> {
    /// A store on one server, or in a cluster if the URL says so:
    ///
    /// | URL | |
    /// |---|---|
    /// | `redis://[user:password@]host[:port][/database]` | one server |
    /// | `rediss://…` | the same with TLS (feature `tls`) |
    /// | `redis+unix:///path/to/socket` | one server on this machine |
    /// | `redis+cluster://[user:password@]host[:port],host[:port],…` | a cluster, by some of its servers |
    /// | `rediss+cluster://…` | the same with TLS (feature `tls`) |
    pub fn new(url: &str) -> Self {
        match cluster_urls(url) {
            Some(urls) => Self::cluster(urls),
            None => Self::with(vec![url.to_owned()], false),
        }
    }

    /// A store in a cluster, by the URLs of some of its servers.
    pub fn cluster<U: AsRef<str>>(urls: impl IntoIterator<Item = U>) -> Self {
        let urls = urls.into_iter().map(|url| url.as_ref().to_owned());
        Self::with(urls.collect(), true)
    }

    fn with(urls: Vec<String>, cluster: bool) -> Self {
        Self {
            urls,
            cluster,
            prefix: KeyPrefix::default(),
            codec: Codec::default(),
            at_rest: AtRest::default(),
            clock: Arc::new(SystemClock),
            patience: Patience {
                operation: Duration::from_secs(5),
                connect: Duration::from_secs(5),
            },
            payload_limit: 1024 * 1024,
            announces: false,
            types: PhantomData,
        }
    }

    /// What the names of all keys begin with. Default: `cloakroom:`. Session types that have nothing to do with
    /// each other use prefixes of their own.
    pub fn prefix(mut self, prefix: KeyPrefix) -> Self {
        self.prefix = prefix;
        self
    }

    /// How data is written. Default: [`Codec::Json`]. Sessions of any codec are read.
    pub fn codec(mut self, codec: Codec) -> Self {
        self.codec = codec;
        self
    }

    /// Encrypts data before it is written, with `EncryptionKeys` of `cloakroom` (feature `encryption`) or a [`Seal`]
    /// of your own. Default: no encryption. A session that was written without is still read, and encrypted when its
    /// data is written next. What this guards, and what it does not, is told in the [guide](crate::guide).
    pub fn encrypted_with(mut self, keys: impl Seal) -> Self {
        self.at_rest = AtRest::encrypted_with(keys);
        self
    }

    /// The same, and a session that is not encrypted is `Undecodable`. For a store that was encrypted from its first
    /// session, or in which none is left that was not.
    pub fn only_encrypted_with(mut self, keys: impl Seal) -> Self {
        self.at_rest = AtRest::only_encrypted_with(keys);
        self
    }

    /// Reads a session that is encrypted, and writes without encryption: for the time before all instances have keys,
    /// and for giving encryption up.
    pub fn only_decrypted_with(mut self, keys: impl Seal) -> Self {
        self.at_rest = AtRest::only_decrypted_with(keys);
        self
    }

    /// Where the time comes from. Default: [`SystemClock`].
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// How long an operation may take, connecting included, before it answers `Unavailable`. Default: 5 seconds.
    /// Purging and walks through all sessions have that time for each batch. At most a year.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.patience.operation = timeout.min(YEAR);
        self
    }

    /// How long making a connection may take. Default: 5 seconds. The time of the operation that needs the
    /// connection counts too. At most a year.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.patience.connect = timeout.min(YEAR);
        self
    }

    /// The most bytes of encoded data that a session may have. Default: 1 MiB. What is larger is refused with
    /// `TooLarge` before anything is sent. Counted before encryption, which adds a few.
    pub fn payload_limit(mut self, bytes: usize) -> Self {
        self.payload_limit = bytes;
        self
    }

    /// Tells all users of this prefix, in other processes too, at once which session ended or moved. What that
    /// is good for: [`Announcements`](cloakroom_store::Announcements). Default: off.
    ///
    /// The scripts that end a session then publish its key (which opens nothing) on the channel `<prefix>ended`.
    /// All processes that share the sessions have to turn it on: what one of them without it ends, nobody is told.
    pub fn announce_endings(mut self) -> Self {
        self.announces = true;
        self
    }

    /// The store, connected.
    ///
    /// # Errors
    /// Those of [`RedisStore::connect`].
    pub async fn connect(self) -> Result<RedisStore<T>, StoreError> {
        let server = self.server().map_err(RedisStoreError::into_store_error)?;
        let runtime = Handle::try_current();
        let runtime = runtime.map_err(|_| RedisStoreError::no_runtime().into_store_error())?;
        let inner = Inner {
            server,
            layout: Layout::new(self.prefix),
            codec: self.codec,
            at_rest: self.at_rest,
            clock: self.clock,
            patience: self.patience,
            payload_limit: self.payload_limit,
            announces: self.announces,
            turns: Default::default(),
            runtime,
        };
        inner
            .timed(|deadline| inner.server.connect(deadline))
            .await?;
        Ok(RedisStore::from_inner(inner))
    }

    fn server(&self) -> Result<Server, RedisStoreError> {
        let infos: Result<Vec<_>, _> = self.urls.iter().map(|url| info(url)).collect();
        let mut infos = infos?;
        if self.cluster {
            let cluster = Cluster::new(infos, self.patience)?;
            return Ok(Server::Cluster(Arc::new(cluster)));
        }
        let link = Link::new(infos.remove(0), self.patience, Handle::try_current().ok())?;
        Ok(Server::Single(Arc::new(link)))
    }
}

/// What the client says about a URL that it does not take may quote it, password and all.
fn info(url: &str) -> Result<ConnectionInfo, RedisStoreError> {
    #[cfg(feature = "tls")]
    provide_tls();
    url.into_connection_info().map_err(|_| {
        let message = if url.starts_with("rediss") && cfg!(not(feature = "tls")) {
            "a URL that begins with rediss needs the feature `tls`"
        } else {
            "the URL is none of a Redis server"
        };
        RedisStoreError::new(RedisStoreErrorKind::InvalidUrl, message)
    })
}

/// An application that has chosen a provider keeps it.
#[cfg(feature = "tls")]
fn provide_tls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// `redis+cluster://u:p@a:1,b:2` as the URLs of its servers; `None` for any other URL.
fn cluster_urls(url: &str) -> Option<Vec<String>> {
    let (scheme, rest) = url.split_once("+cluster://")?;
    if !matches!(scheme, "redis" | "rediss") {
        return None;
    }
    let (hosts, path) = match rest.find(['/', '?']) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let (login, hosts) = match hosts.rsplit_once('@') {
        Some((login, hosts)) => (format!("{login}@"), hosts),
        None => (String::new(), hosts),
    };
    let urls = hosts
        .split(',')
        .map(|host| format!("{scheme}://{login}{host}{path}"));
    Some(urls.collect())
}

// The URLs may hold a password.
impl<T> fmt::Debug for RedisStoreBuilder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStoreBuilder")
            .field("cluster", &self.cluster)
            .field("prefix", &self.prefix)
            .field("codec", &self.codec)
            .field("at_rest", &self.at_rest)
            .field("clock", &self.clock)
            .field("timeout", &self.patience.operation)
            .field("connect_timeout", &self.patience.connect)
            .field("payload_limit", &self.payload_limit)
            .field("announce_endings", &self.announces)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_url_names_several_servers() {
        let urls = |url| cluster_urls(url).unwrap();
        assert_eq!(urls("redis+cluster://a:1,b"), ["redis://a:1", "redis://b"]);
        assert_eq!(
            urls("rediss+cluster://u:p@a:1,b:2/0?protocol=3"),
            [
                "rediss://u:p@a:1/0?protocol=3",
                "rediss://u:p@b:2/0?protocol=3"
            ]
        );
        for other in ["redis://a", "redis+unix:///a", "http+cluster://a"] {
            assert_eq!(cluster_urls(other), None, "{other}");
        }
    }

    #[tokio::test]
    async fn neither_urls_nor_errors_show_a_password() {
        for url in [
            "redis://user:hunter2@127.0.0.1:1",
            "redis://user:hunter2@127.0.0.1:1/x",
            "redis://user:hunter2@[::1",
            "nothing://user:hunter2@127.0.0.1",
            "redis+cluster://user:hunter2@127.0.0.1:1,127.0.0.1:2",
            "redis+cluster://user:hunter2@127.0.0.1:1/7",
        ] {
            let builder = RedisStore::<u32>::builder(url);
            let shown = format!("{builder:?}");
            let error = builder.connect().await.unwrap_err();
            let source = std::error::Error::source(&error).unwrap();
            let shown = format!("{shown} {error} {error:?} {source}");
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }
}
