use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use cloakroom_store::{
    Announcements, AtRest, Clock, Enumerate, Expect, OwnerLimits, Record, Renewal, RotateOutcome,
    SessionKey, SetOutcome, Store, StoreError, StoreFuture, Times, Timestamp,
};
use redis::Value;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::codec::Codec;
use crate::error::RedisStoreError;
use crate::layout::{Layout, member};
use crate::link::Patience;
use crate::renewal::Route;
use crate::script::{Request, Script};
use crate::server::Server;
use crate::session::{Draft, RedisStoreSession, live_record};
use crate::{KeyPrefix, RedisStoreBuilder, single, spread};

/// Sessions in Redis or Valkey, on one server or in a cluster.
///
/// Clones are cheap and share their connections.
///
/// ```no_run
/// use cloakroom_redis::RedisStore;
///
/// # async fn example() -> Result<(), cloakroom_store::StoreError> {
/// let store = RedisStore::<Vec<String>>::connect("redis://127.0.0.1").await?;
/// # Ok(())
/// # }
/// ```
pub struct RedisStore<T> {
    pub(crate) inner: Arc<Inner>,
    types: PhantomData<fn() -> T>,
}

/// The store without its type.
pub(crate) struct Inner {
    pub(crate) server: Server,
    pub(crate) layout: Layout,
    pub(crate) codec: Codec,
    pub(crate) at_rest: AtRest,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) patience: Patience,
    pub(crate) payload_limit: usize,
    /// Whether endings are announced.
    pub(crate) announces: bool,
    /// Sign-ins of one owner at his limit take turns here, those of one process: waiting in a queue costs the
    /// servers nothing. Which turn is a matter of the owner's hash.
    pub(crate) turns: [tokio::sync::Mutex<()>; 32],
    /// Where listeners run.
    pub(crate) runtime: Handle,
}

impl<T> RedisStore<T> {
    /// A store with all defaults. See [`RedisStoreBuilder::new`] for what a URL may be.
    ///
    /// # Errors
    /// `Unavailable` if nobody answers there; `Internal` if the URL cannot be used, or if there is no tokio
    /// runtime.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::builder(url).connect().await
    }

    /// The same with options.
    pub fn builder(url: &str) -> RedisStoreBuilder<T> {
        RedisStoreBuilder::new(url)
    }

    /// A store in a cluster, with options. Some of its servers are enough; the others are found through them.
    /// User, password and TLS of the first URL are used for all.
    pub fn cluster_builder<U: AsRef<str>>(
        urls: impl IntoIterator<Item = U>,
    ) -> RedisStoreBuilder<T> {
        RedisStoreBuilder::cluster(urls)
    }

    pub(crate) fn from_inner(inner: Inner) -> Self {
        Self {
            inner: Arc::new(inner),
            types: PhantomData,
        }
    }

    /// What the names of all its keys begin with.
    #[must_use]
    pub fn prefix(&self) -> &KeyPrefix {
        self.inner.layout.prefix()
    }

    /// The session under that key as it is stored, expired and undecodable ones too. For administration.
    ///
    /// # Errors
    /// `Unavailable` if the store cannot tell; `Undecodable` if that key holds something else.
    pub async fn stored(&self, key: &SessionKey) -> Result<Option<RedisStoreSession>, StoreError> {
        let inner = &*self.inner;
        let read = |deadline| async move {
            RedisStoreSession::from_answer(*key, inner.read(key, deadline).await?)
        };
        inner.timed(read).await
    }
}

impl<T> Store<T> for RedisStore<T>
where
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    fn get(&self, key: &SessionKey) -> StoreFuture<'_, Option<Record<T>>> {
        let (key, inner) = (*key, &*self.inner);
        StoreFuture::new(async move {
            let answer = inner.timed(|deadline| inner.read(&key, deadline)).await?;
            live_record(answer, &*inner.clock, &inner.at_rest)
        })
    }

    fn set(
        &self,
        key: &SessionKey,
        record: Record<T>,
        expect: Expect,
    ) -> StoreFuture<'_, SetOutcome> {
        let (key, inner) = (*key, &*self.inner);
        StoreFuture::new(async move {
            let draft = inner.draft(&record)?;
            let work = |deadline| async move {
                match inner.server {
                    Server::Single(_) => single::set(inner, &key, draft, expect, deadline).await,
                    Server::Cluster(_) => {
                        Box::pin(spread::set(inner, &key, &draft, expect, deadline)).await
                    }
                }
            };
            inner.timed(work).await
        })
    }

    fn destroy(&self, key: &SessionKey) -> StoreFuture<'_, bool> {
        let (key, inner) = (*key, &*self.inner);
        StoreFuture::new(inner.timed(move |deadline| async move {
            match inner.server {
                Server::Single(_) => single::destroy(inner, &key, deadline).await,
                Server::Cluster(_) => Box::pin(spread::destroy(inner, &key, deadline)).await,
            }
        }))
    }

    fn touch(&self, key: &SessionKey, last_seen_at: Timestamp) -> StoreFuture<'_, bool> {
        let (key, inner) = (*key, &*self.inner);
        StoreFuture::new(inner.timed(move |deadline| async move {
            match inner.server {
                Server::Single(_) => single::touch(inner, &key, last_seen_at, deadline).await,
                Server::Cluster(_) => {
                    Box::pin(spread::touch(inner, &key, last_seen_at, deadline)).await
                }
            }
        }))
    }

    fn rotate(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        times: Times,
    ) -> StoreFuture<'_, RotateOutcome> {
        let (from, to, inner) = (*from, *to, &self.inner);
        StoreFuture::new(inner.timed(move |deadline| async move {
            let route = Route::new(&from, &to, times);
            match inner.server {
                Server::Single(_) => single::rotate(inner, &route, deadline).await,
                Server::Cluster(_) => {
                    let inner = Arc::clone(inner);
                    let steps = async move { spread::rotate(&inner, &route, deadline).await };
                    spread::uncut(steps).await
                }
            }
        }))
    }

    fn replace(
        &self,
        from: &SessionKey,
        to: &SessionKey,
        record: Record<T>,
    ) -> StoreFuture<'_, SetOutcome> {
        let (from, to, inner) = (*from, *to, &self.inner);
        StoreFuture::new(async move {
            let draft = inner.draft(&record)?;
            let work = |deadline| async move {
                match inner.server {
                    Server::Single(_) => single::replace(inner, &from, &to, &draft, deadline).await,
                    Server::Cluster(_) => {
                        let inner = Arc::clone(inner);
                        spread::uncut(async move {
                            spread::replace(&inner, &from, &to, &draft, deadline).await
                        })
                        .await
                    }
                }
            };
            inner.timed(work).await
        })
    }

    fn enumerate(&self) -> Option<&dyn Enumerate<T>> {
        Some(self)
    }

    fn owner_limits(&self) -> Option<&dyn OwnerLimits<T>> {
        Some(self)
    }

    fn renewal(&self) -> Option<&dyn Renewal> {
        Some(self)
    }

    fn announcements(&self) -> Option<&dyn Announcements> {
        self.inner.announces.then_some(self as &dyn Announcements)
    }
}

impl Inner {
    /// Gives an operation its time. Whatever it waits for ends at the deadline.
    pub(crate) async fn timed<R, F>(&self, work: impl FnOnce(Instant) -> F) -> Result<R, StoreError>
    where
        F: Future<Output = Result<R, RedisStoreError>>,
    {
        if Handle::try_current().is_err() {
            return Err(RedisStoreError::no_runtime().into_store_error());
        }
        let result = work(self.patience.deadline()).await;
        result.map_err(RedisStoreError::into_store_error)
    }

    pub(crate) async fn run(
        &self,
        request: &Request,
        deadline: Instant,
    ) -> Result<Value, RedisStoreError> {
        self.server.run(request, deadline).await
    }

    pub(crate) async fn read(
        &self,
        key: &SessionKey,
        deadline: Instant,
    ) -> Result<Value, RedisStoreError> {
        let request = Request::session(self.layout.session(&member(key)));
        self.run(&request, deadline).await
    }

    /// A script with the arguments that all of them have.
    pub(crate) fn call(&self, script: &'static Script, keys: &[impl AsRef<[u8]>]) -> Request {
        let index_prefix = match self.server {
            Server::Single(_) => self.layout.index_prefix(),
            Server::Cluster(_) => String::new(),
        };
        let channel = match self.announces {
            true => self.layout.channel(),
            false => String::new(),
        };
        Request::script(script, keys)
            .moment(Some(self.clock.now()))
            .arg(index_prefix)
            .arg(channel)
    }

    /// For how long Redis keeps a session: longer than it lives, so that an application's clock may be set back.
    /// In milliseconds, no more than a thousand years, which Redis would refuse.
    pub(crate) fn time_to_live(&self, draft: &Draft) -> Option<i64> {
        const SLACK: i64 = 600_000;
        const LONGEST: i64 = 31_557_600_000_000;
        let end = draft.expires_at()?.as_millis();
        let left = end.saturating_sub(self.clock.now().as_millis());
        Some(left.clamp(0, LONGEST) + SLACK)
    }

    pub(crate) fn draft<T: Serialize + DeserializeOwned>(
        &self,
        record: &Record<T>,
    ) -> Result<Draft, StoreError> {
        Draft::of(record, self.codec, self.payload_limit, &self.at_rest)
    }
}

// By hand: deriving would ask the same of `T`.
impl<T> Clone for RedisStore<T> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            types: PhantomData,
        }
    }
}

impl<T> fmt::Debug for RedisStore<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("server", &self.inner.server)
            .field("prefix", self.inner.layout.prefix())
            .field("codec", &self.inner.codec)
            .field("at_rest", &self.inner.at_rest)
            .field("timeout", &self.inner.patience.operation)
            .finish_non_exhaustive()
    }
}
