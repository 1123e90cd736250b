use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use cloakroom_store::{
    AtRest, ClientInfo, Clock, Entry, Expect, Owner, Record, SessionKey, StoreError,
    StoreErrorKind, Times, Timestamp,
};
use redis::Value;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::{self, Codec};
use crate::error::RedisStoreError;
use crate::head::{self, Head};
use crate::reply;

/// One session as stored: the data is still encoded. The guide tells what stands where.
///
/// All times are UTC milliseconds since 1970. `Debug` prints neither key, owner nor data.
#[derive(Clone)]
#[non_exhaustive]
pub struct RedisStoreSession {
    /// In the name of the key: the SHA-256 of the session's id.
    pub key: SessionKey,
    /// Counts the writes, from 1.
    pub version: u64,
    /// When the session began.
    pub created_at: Timestamp,
    /// When its user signed in, if anybody did.
    pub authenticated_at: Option<Timestamp>,
    /// When it got the id that it has.
    pub renewed_at: Timestamp,
    /// When it was last used.
    pub last_seen_at: Timestamp,
    /// The absolute end, if there is one.
    pub ends_at: Option<Timestamp>,
    /// How long it may lie unused, in milliseconds; `None` for any time.
    pub idle_timeout_ms: Option<u64>,
    /// The earlier of the two ends; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// Whether the cookie vanishes with the browser.
    pub browser_session: bool,
    /// Whose session it is.
    pub owner: Option<String>,
    /// What the client called itself.
    pub user_agent: Option<String>,
    /// Where the client came from.
    pub address: Option<String>,
    /// How `data` is encoded and whether it is encrypted, see [`Codec::tag`].
    pub codec: String,
    /// The application's data.
    pub data: Vec<u8>,
    /// Cluster only: the second half of its name in the index of its owner.
    pub(crate) entry: Option<String>,
}

impl RedisStoreSession {
    /// The record that this holds.
    ///
    /// `at_rest` says what it may be encrypted with; [`AtRest::default`] if with nothing.
    ///
    /// # Errors
    /// `Undecodable` if the data does not decode into `T`, is encrypted and cannot be decrypted, or the owner is none
    /// that [`Owner`] would take.
    pub fn decode<T: DeserializeOwned>(&self, at_rest: &AtRest) -> Result<Record<T>, StoreError> {
        let mut times = Times::starting(self.created_at);
        times.authenticated_at = self.authenticated_at;
        times.renewed_at = self.renewed_at;
        times.last_seen_at = self.last_seen_at;
        times.ends_at = self.ends_at;
        times.idle_timeout = self.idle_timeout_ms.map(Duration::from_millis);
        let parts = Parts {
            version: self.version,
            times,
            browser_session: self.browser_session,
            owner: self.owner.as_deref(),
            client: (self.address.as_deref(), self.user_agent.as_deref()),
            codec: &self.codec,
            data: &self.data,
        };
        parts.decode(at_rest)
    }

    pub(crate) fn into_entry<T: DeserializeOwned>(
        self,
        at_rest: &AtRest,
    ) -> Result<Entry<T>, StoreError> {
        Ok(Entry::new(self.key, self.decode(at_rest)?))
    }

    pub(crate) fn is_live(&self, clock: &dyn Clock) -> bool {
        self.expires_at.is_none_or(|end| end > clock.now())
    }

    /// From what a server answered. `None` if there is nothing.
    pub(crate) fn from_answer(
        key: SessionKey,
        answer: Value,
    ) -> Result<Option<Self>, RedisStoreError> {
        match answer {
            Value::Nil => Ok(None),
            answer => Self::from_stored(key, reply::text(answer)?).map(Some),
        }
    }

    pub(crate) fn from_stored(
        key: SessionKey,
        mut stored: Vec<u8>,
    ) -> Result<Self, RedisStoreError> {
        let head = Head::of(&stored)?;
        let times = head.times()?;
        let (address, user_agent) = head.client()?;
        let data = stored.len() - head.data_length()?;
        let mut session = Self {
            key,
            version: head.version()?,
            created_at: times.created_at,
            authenticated_at: times.authenticated_at,
            renewed_at: times.renewed_at,
            last_seen_at: times.last_seen_at,
            ends_at: times.ends_at,
            idle_timeout_ms: times.idle_timeout.map(|idle| idle.as_millis() as u64),
            expires_at: head.expires_at()?,
            browser_session: head.browser_session(),
            owner: head.owner()?.map(str::to_owned),
            user_agent: user_agent.map(str::to_owned),
            address: address.map(str::to_owned),
            codec: head.codec()?.to_owned(),
            data: Vec::new(),
            entry: head.entry()?.map(str::to_owned),
        };
        stored.drain(..data);
        session.data = stored;
        Ok(session)
    }
}

/// What a record is made of, still encoded.
struct Parts<'a> {
    version: u64,
    times: Times,
    browser_session: bool,
    owner: Option<&'a str>,
    /// Address and user agent.
    client: (Option<&'a str>, Option<&'a str>),
    codec: &'a str,
    data: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(head: &Head<'a>, stored: &'a [u8]) -> Result<Self, RedisStoreError> {
        Ok(Self {
            version: head.version()?,
            times: head.times()?,
            browser_session: head.browser_session(),
            owner: head.owner()?,
            client: head.client()?,
            codec: head.codec()?,
            data: &stored[stored.len() - head.data_length()?..],
        })
    }

    fn decode<T: DeserializeOwned>(self, at_rest: &AtRest) -> Result<Record<T>, StoreError> {
        let data = codec::decode(self.codec, self.data, at_rest)?;
        let mut record = Record::new(Arc::new(data), self.times);
        record.version = self.version;
        record.browser_session = self.browser_session;
        record.owner = match self.owner {
            Some(owner) => Some(
                Owner::new(owner)
                    .map_err(|error| StoreError::new(StoreErrorKind::Undecodable, error))?,
            ),
            None => None,
        };
        // Informative only: an address that does not parse is left out rather than the session lost.
        let (address, user_agent) = self.client;
        let address = address.and_then(|text| text.parse().ok());
        if user_agent.is_some() || address.is_some() {
            record.client = Some(Arc::new(ClientInfo::new(user_agent, address)));
        }
        Ok(record)
    }
}

/// The record that a server answered, if there is one and it is live: what [`RedisStoreSession`] says of it, without
/// what it copies.
pub(crate) fn live_record<T: DeserializeOwned>(
    answer: Value,
    clock: &dyn Clock,
    at_rest: &AtRest,
) -> Result<Option<Record<T>>, StoreError> {
    if answer == Value::Nil {
        return Ok(None);
    }
    let stored = reply::text(answer).map_err(RedisStoreError::into_store_error)?;
    let head = Head::of(&stored).and_then(|head| {
        let parts = Parts::of(&head, &stored)?;
        head.entry()?;
        Ok((head.expires_at()?, parts))
    });
    let (expires_at, parts) = head.map_err(RedisStoreError::into_store_error)?;
    match expires_at.is_none_or(|end| end > clock.now()) {
        true => parts.decode(at_rest).map(Some),
        false => Ok(None),
    }
}

impl fmt::Debug for RedisStoreSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStoreSession")
            .field("handle", &self.key.handle())
            .field("version", &self.version)
            .field("created_at", &self.created_at)
            .field("last_seen_at", &self.last_seen_at)
            .field("expires_at", &self.expires_at)
            .field("codec", &self.codec)
            .field("data", &format_args!("{} bytes", self.data.len()))
            .finish_non_exhaustive()
    }
}

/// A record on its way to a server: encoded, all but what the server adds.
pub(crate) struct Draft {
    pub(crate) owner: Option<Owner>,
    times: Times,
    /// As it is stored, without note and with a first version.
    written: Vec<u8>,
}

impl Draft {
    pub(crate) fn of<T: Serialize + DeserializeOwned>(
        record: &Record<T>,
        codec: Codec,
        limit: usize,
        at_rest: &AtRest,
    ) -> Result<Self, StoreError> {
        let encoded = codec.encode_readable(&*record.data, limit, at_rest)?;
        let client = record.client.as_deref().map(|client| {
            let address = client.address().map(|address| address.to_string());
            let agent = client.user_agent().unwrap_or_default();
            format!("{} {agent}", address.unwrap_or_default())
        });
        let owner = record.owner.as_ref().map_or("", Owner::as_str);
        let texts = [owner, client.as_deref().unwrap_or_default(), &encoded.tag];
        let written = head::write(&record.times, record.browser_session, texts, &encoded.data);
        Ok(Self {
            owner: record.owner.clone(),
            times: record.times,
            written: written.ok_or_else(|| {
                let message = "what the session says of owner and client is too long";
                StoreError::new(StoreErrorKind::Unencodable, message)
            })?,
        })
    }

    /// A record that was taken from under another key, with other times. Its data is not touched.
    pub(crate) fn moved(taken: Head<'_>, owner: Option<Owner>, times: Times) -> Self {
        Self {
            owner,
            times,
            written: taken.moved(&times),
        }
    }

    pub(crate) fn expires_at(&self) -> Option<Timestamp> {
        self.times.expires_at()
    }

    pub(crate) fn bound(&self) -> Option<Timestamp> {
        bound(&self.times)
    }

    /// The session with a first version.
    pub(crate) fn written(&self) -> &[u8] {
        &self.written
    }

    pub(crate) fn set_version(&mut self, version: u64) {
        head::set_version(&mut self.written, version);
    }

    pub(crate) fn with_version(&self, version: u64) -> Vec<u8> {
        let mut written = self.written.clone();
        head::set_version(&mut written, version);
        written
    }
}

/// The version that a session is going to have if that expectation holds. One that only the server knows is nought.
pub(crate) fn version_after(expect: Expect) -> u64 {
    match expect {
        Expect::Absent => 1,
        Expect::Present => 0,
        Expect::Version(version) => version.saturating_add(1),
    }
}

/// The latest time that a session with these times can expire without being written again: uses only put off the
/// idle end.
pub(crate) fn bound(times: &Times) -> Option<Timestamp> {
    times.ends_at.or_else(|| times.expires_at())
}
