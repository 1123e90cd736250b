use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use cloakroom_store::{Handle, Owner, Record, SessionKey, Store};

use crate::client_address::ClientAddress;
use crate::cookie::CookieWriter;
use crate::csrf::CsrfKeys;
use crate::ended::Watcher;
use crate::event::Event;
use crate::lifetimes::Lifetimes;
use crate::owner::OwnerOf;
use crate::renew_ids::RenewIds;
use crate::request::{Queues, begin};
use crate::storage::{Left, Loaded, Storage};
use crate::successors::SuccessorKeys;
use crate::{
    Carrier, Error, InvalidSessionId, KeyRing, LazySession, RequestHead, Secret, SessionId,
    SessionInfo, SessionsBuilder, verify_session_id,
};

/// The sessions of one application, or of one part of it: configuration, keys and store.
///
/// Make one when the program starts and hand it to an adapter; clones are cheap and the same. What concerns
/// one request's session is [`CurrentSession`](crate::CurrentSession); here is what concerns all of them, and
/// what a program without a framework needs.
///
/// ```
/// use cloakroom::{MemoryStore, Secret, Sessions};
///
/// # futures_lite::future::block_on(async {
/// let sessions: Sessions<String> = Sessions::builder(MemoryStore::new(), Secret::generate()?).build()?;
///
/// // One request, without a framework: its cookies go in, what the response needs comes out.
/// let request = sessions.for_request([""]);
/// request.load().await?.save("hello".to_owned()).await?;
/// let response = request.finish().await;
/// let set_cookie = response.set_cookie().expect("a session was created");
///
/// // The next one brings the cookie back.
/// let cookie = set_cookie.split(';').next().unwrap().to_owned();
/// let session = sessions.for_request([cookie]).load().await?;
/// assert_eq!(session.data().as_deref().map(String::as_str), Some("hello"));
/// # Ok::<(), cloakroom::Error>(())
/// # }).unwrap();
/// ```
pub struct Sessions<T> {
    pub(crate) inner: Arc<Inner<T>>,
}

pub(crate) struct Inner<T> {
    pub(crate) storage: Storage<T>,
    pub(crate) keys: KeyRing,
    pub(crate) csrf: CsrfKeys,
    pub(crate) carrier: Carrier,
    /// `None` where a header carries the id.
    pub(crate) cookie: Option<CookieWriter>,
    pub(crate) lifetimes: Lifetimes,
    pub(crate) save_uninitialized: bool,
    pub(crate) owner_of: Option<OwnerOf<T>>,
    pub(crate) queues: Queues,
    /// Where a session notes what the client said of itself; `None` if it notes nothing.
    pub(crate) clients: Option<ClientAddress>,
    pub(crate) renew_ids: Option<RenewIds>,
    pub(crate) successors: SuccessorKeys,
    pub(crate) track_last_seen: bool,
    pub(crate) end_check_interval: Duration,
}

impl<T> Clone for Sessions<T> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

// By hand: deriving would ask for `T: Debug`.
impl<T> fmt::Debug for Sessions<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("carrier", &self.inner.carrier)
            .field("store", &self.inner.storage.store)
            .field("lifetimes", &self.inner.lifetimes)
            .finish_non_exhaustive()
    }
}

impl<T: Send + Sync + 'static> Sessions<T> {
    /// Begins a configuration with what it cannot do without: where sessions are kept, and the secret that
    /// signs their ids.
    pub fn builder(store: impl Store<T>, secret: Secret) -> SessionsBuilder<T> {
        SessionsBuilder::new(Arc::new(store), secret)
    }

    /// The session of one request, given its head: its `Cookie` fields, or those of the
    /// [header](SessionsBuilder::id_in_header), or more. Costs an allocation, unless the memory of another request is
    /// [used again](LazySession::done): nothing is read, verified or loaded until something asks. For adapters, and for
    /// programs without a framework.
    pub fn for_request(&self, head: impl RequestHead) -> LazySession<T> {
        LazySession::new(begin(self.clone(), head))
    }

    /// For adapters: the fields besides the one that [carries the id](Sessions::carrier), in lower case, that are read
    /// of a request, and with which comes its peer's address. None unless clients are [recorded](SessionsBuilder::record_clients).
    pub fn client_fields(&self) -> impl Iterator<Item = &str> {
        let clients = self.inner.clients.as_ref();
        let address = clients.and_then(ClientAddress::field);
        clients.map(|_| "user-agent").into_iter().chain(address)
    }

    /// What carries the id: the cookie, or the header.
    #[must_use]
    pub fn carrier(&self) -> &Carrier {
        &self.inner.carrier
    }

    /// The id in a cookie's or header's value, if one of this configuration's keys signed it.
    ///
    /// # Errors
    /// [`InvalidSessionId`] otherwise.
    pub fn verify_session_id(&self, value: &str) -> Result<SessionId, InvalidSessionId> {
        verify_session_id(value, &self.inner.keys)
    }

    /// The live session of that id. Of one that was [renewed](SessionsBuilder::renew_ids) since, as long as a request
    /// with it is served.
    ///
    /// # Errors
    /// `Unavailable` if the store cannot tell; `Undecodable` only if so configured.
    pub async fn get(&self, id: &SessionId) -> Result<Option<Record<T>>, Error> {
        let storage = &self.inner.storage;
        let key = id.key();
        let renewal = match (storage.load(&key).await?, self.inner.renew_ids) {
            (Loaded::Live(record), _) => return Ok(Some(record)),
            (Loaded::Nothing, Some(renewal)) => renewal,
            (Loaded::Nothing | Loaded::Undecodable, _) => return Ok(None),
        };
        Ok(match storage.find_moved(self.left(id)).await? {
            Loaded::Live(moved) if moved.is_good(renewal, storage.now()) => Some(moved.record),
            _ => None,
        })
    }

    /// Ends the session of that id, also if the id was [renewed](SessionsBuilder::renew_ids) since. Whether it was live.
    ///
    /// # Errors
    /// `Unavailable` if the store did not answer; the session may be live still.
    pub async fn destroy(&self, id: &SessionId) -> Result<bool, Error> {
        self.end(self.left(id)).await
    }

    /// All live sessions.
    ///
    /// # Errors
    /// `Unsupported` if the store does not [enumerate](Store::enumerate), `Unavailable` if it did not answer.
    pub async fn all(&self) -> Result<Vec<SessionInfo<T>>, Error> {
        let all = self.inner.storage.all().await?;
        Ok(all
            .into_iter()
            .map(|entry| SessionInfo::new(entry, &[]))
            .collect())
    }

    /// Shows every live session to `visitor`, in no order, without holding them all in memory.
    ///
    /// # Errors
    /// `Unsupported` if the store does not [enumerate](Store::enumerate), `Unavailable` if it did not answer.
    pub async fn visit(&self, mut visitor: impl FnMut(SessionInfo<T>) + Send) -> Result<(), Error> {
        let mut show = |entry| visitor(SessionInfo::new(entry, &[]));
        self.inner.storage.visit(&mut show).await
    }

    /// How many sessions are live.
    ///
    /// # Errors
    /// `Unsupported` if the store does not [enumerate](Store::enumerate), `Unavailable` if it did not answer.
    pub async fn count(&self) -> Result<u64, Error> {
        self.inner.storage.count().await
    }

    /// Ends everybody's sessions. How many were live.
    ///
    /// # Errors
    /// `Unsupported` if the store does not [enumerate](Store::enumerate), `Unavailable` if it did not answer.
    pub async fn clear(&self) -> Result<u64, Error> {
        self.inner.storage.clear().await
    }

    /// Removes what has expired; stores that purge by themselves do it without being asked. How many were
    /// removed.
    ///
    /// # Errors
    /// `Unsupported` if the store does not [enumerate](Store::enumerate), `Unavailable` if it did not answer.
    pub async fn purge_expired(&self) -> Result<u64, Error> {
        self.inner.storage.purge_expired().await
    }

    /// The live sessions of one owner, the oldest first.
    ///
    /// # Errors
    /// `Unsupported` if the store does not [enumerate](Store::enumerate), `Unavailable` if it did not answer.
    pub async fn list_by_owner(&self, owner: &Owner) -> Result<Vec<SessionInfo<T>>, Error> {
        let listed = self.inner.storage.list_by_owner(owner).await?;
        Ok(listed
            .into_iter()
            .map(|entry| SessionInfo::new(entry, &[]))
            .collect())
    }

    /// Ends all sessions of one owner. How many were live.
    ///
    /// # Errors
    /// `Unsupported` if the store does not [enumerate](Store::enumerate), `Unavailable` if it did not answer.
    pub async fn destroy_by_owner(&self, owner: &Owner) -> Result<u64, Error> {
        self.inner.storage.destroy_by_owner(owner, &[]).await
    }

    /// Ends the session with that handle, but only if it is that owner's. Whether it was.
    ///
    /// # Errors
    /// `Unsupported` if the store does not [enumerate](Store::enumerate), `Unavailable` if it did not answer.
    pub async fn destroy_by_handle(&self, owner: &Owner, handle: Handle) -> Result<bool, Error> {
        let sessions = self.list_by_owner(owner).await?;
        match sessions.iter().find(|session| session.handle() == handle) {
            Some(session) => self.end(Left::Key(*session.key())).await,
            None => Ok(false),
        }
    }

    /// What is there, or was and has another key since its id was renewed.
    async fn end(&self, left: Left<'_>) -> Result<bool, Error> {
        let storage = &self.inner.storage;
        match (storage.destroy(&left.key()).await?, self.inner.renew_ids) {
            (false, Some(_)) => storage.destroy_moved(left).await,
            (ended, _) => Ok(ended),
        }
    }

    fn left(&self, id: &SessionId) -> Left<'_> {
        Left::Id(id.clone(), &self.inner.successors)
    }

    /// Watches a session from now on.
    pub(crate) fn watch(&self, key: SessionKey) -> Watcher {
        let storage = &self.inner.storage;
        storage.watchers.watch(key, storage.store.announcements())
    }

    pub(crate) fn emit<'a>(&self, event: impl FnOnce() -> Event<'a>) {
        self.inner.storage.events.emit(event);
    }
}
