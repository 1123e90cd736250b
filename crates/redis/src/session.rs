use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use cloakroom_store::{
    ClientInfo, Clock, Entry, Owner, Record, SessionKey, StoreError, StoreErrorKind, Times,
    Timestamp,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::{self, Codec};
use crate::error::RedisStoreError;

/// The names and values of a hash.
pub(crate) type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// One session as stored, a hash: the data is still encoded. Fields without value are left out of the hash.
///
/// All times are UTC milliseconds since 1970. `Debug` prints neither key, owner nor data.
#[derive(Clone)]
#[non_exhaustive]
pub struct RedisStoreSession {
    /// In the name of the key: the SHA-256 of the session's id.
    pub key: SessionKey,
    /// `version`: counts the writes, from 1.
    pub version: u64,
    /// `created_at`: when the session began.
    pub created_at: Timestamp,
    /// `authenticated_at`: when its user signed in, if anybody did.
    pub authenticated_at: Option<Timestamp>,
    /// `renewed_at`: when it got the id that it has.
    pub renewed_at: Timestamp,
    /// `last_seen_at`: when it was last used.
    pub last_seen_at: Timestamp,
    /// `ends_at`: the absolute end, if there is one.
    pub ends_at: Option<Timestamp>,
    /// `idle_timeout_ms`: how long it may lie unused, in milliseconds; `None` for any time.
    pub idle_timeout_ms: Option<u64>,
    /// `expires_at`: the earlier of the two ends; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// `browser_session`: whether the cookie vanishes with the browser.
    pub browser_session: bool,
    /// `owner`: whose session it is.
    pub owner: Option<String>,
    /// `user_agent`: what the client called itself.
    pub user_agent: Option<String>,
    /// `address`: where the client came from.
    pub address: Option<String>,
    /// `codec`: how `data` is encoded, see [`Codec::tag`].
    pub codec: String,
    /// `data`: the application's data.
    pub data: Vec<u8>,
    /// `entry`: cluster only, the second half of its name in the index of its owner.
    pub(crate) entry: Option<String>,
}

impl RedisStoreSession {
    /// The record that this hash holds.
    ///
    /// # Errors
    /// `Undecodable` if the data does not decode into `T`, or the owner is none that
    /// [`Owner`] would take.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<Record<T>, StoreError> {
        let data = codec::decode(&self.codec, &self.data)?;
        let mut times = Times::starting(self.created_at);
        times.authenticated_at = self.authenticated_at;
        times.renewed_at = self.renewed_at;
        times.last_seen_at = self.last_seen_at;
        times.ends_at = self.ends_at;
        times.idle_timeout = self.idle_timeout_ms.map(Duration::from_millis);
        let mut record = Record::new(Arc::new(data), times);
        record.version = self.version;
        record.browser_session = self.browser_session;
        record.owner = match &self.owner {
            Some(owner) => Some(
                Owner::new(owner.as_str())
                    .map_err(|error| StoreError::new(StoreErrorKind::Undecodable, error))?,
            ),
            None => None,
        };
        // Informative only: an address that does not parse is left out rather than the session lost.
        let address = self.address.as_deref().and_then(|text| text.parse().ok());
        if self.user_agent.is_some() || address.is_some() {
            let client = ClientInfo::new(self.user_agent.as_deref(), address);
            record.client = Some(Arc::new(client));
        }
        Ok(record)
    }

    pub(crate) fn into_entry<T: DeserializeOwned>(self) -> Result<Entry<T>, StoreError> {
        Ok(Entry::new(self.key, self.decode()?))
    }

    pub(crate) fn is_live(&self, clock: &dyn Clock) -> bool {
        self.expires_at.is_none_or(|end| end > clock.now())
    }

    /// `None` for a hash without fields: there is no such key.
    pub(crate) fn from_fields(
        key: SessionKey,
        fields: Fields,
    ) -> Result<Option<Self>, RedisStoreError> {
        if fields.is_empty() {
            return Ok(None);
        }
        let mut hash = Hash(fields);
        Ok(Some(Self {
            key,
            version: required(hash.parse("version")?)?,
            created_at: Timestamp::from_millis(required(hash.parse("created_at")?)?),
            authenticated_at: hash.moment("authenticated_at")?,
            renewed_at: Timestamp::from_millis(required(hash.parse("renewed_at")?)?),
            last_seen_at: Timestamp::from_millis(required(hash.parse("last_seen_at")?)?),
            ends_at: hash.moment("ends_at")?,
            idle_timeout_ms: hash.parse("idle_timeout_ms")?,
            expires_at: hash.moment("expires_at")?,
            browser_session: hash.take("browser_session").is_some(),
            owner: hash.text("owner")?,
            user_agent: hash.text("user_agent")?,
            address: hash.text("address")?,
            codec: required(hash.text("codec")?)?,
            data: required(hash.take("data"))?,
            entry: hash.text("entry")?,
        }))
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

/// A record on its way to a server: encoded, all but its version.
pub(crate) struct Draft {
    pub(crate) owner: Option<Owner>,
    pub(crate) times: Times,
    fields: Fields,
}

impl Draft {
    pub(crate) fn of<T: Serialize + DeserializeOwned>(
        record: &Record<T>,
        codec: Codec,
        limit: usize,
    ) -> Result<Self, StoreError> {
        let data = codec.encode_readable(&*record.data, limit)?;
        let mut fields = time_fields(&record.times);
        let mut field = |name: &str, value: &[u8]| {
            fields.push((name.as_bytes().to_vec(), value.to_vec()));
        };
        if record.browser_session {
            field("browser_session", b"1");
        }
        if let Some(owner) = &record.owner {
            field("owner", owner.as_str().as_bytes());
        }
        if let Some(client) = record.client.as_deref() {
            if let Some(agent) = client.user_agent() {
                field("user_agent", agent.as_bytes());
            }
            if let Some(address) = client.address() {
                field("address", address.to_string().as_bytes());
            }
        }
        field("codec", codec.tag().as_bytes());
        fields.push((b"data".to_vec(), data));
        Ok(Self {
            owner: record.owner.clone(),
            times: record.times,
            fields,
        })
    }

    /// A record that was taken from under another key, with other times. Its data is not touched.
    pub(crate) fn moved(taken: Fields, owner: Option<Owner>, times: Times) -> Self {
        const REPLACED: [&[u8]; 10] = [
            b"version",
            b"created_at",
            b"authenticated_at",
            b"renewed_at",
            b"last_seen_at",
            b"ends_at",
            b"idle_timeout_ms",
            b"expires_at",
            b"entry",
            b"bound",
        ];
        let kept = taken
            .into_iter()
            .filter(|(name, _)| !REPLACED.contains(&name.as_slice()));
        Self {
            owner,
            times,
            fields: time_fields(&times).into_iter().chain(kept).collect(),
        }
    }

    pub(crate) fn expires_at(&self) -> Option<i64> {
        self.times.expires_at().map(Timestamp::as_millis)
    }

    /// The latest time that it can expire without being written again: uses only put off the idle end.
    pub(crate) fn bound(&self) -> Option<i64> {
        let end = self.times.ends_at.or_else(|| self.times.expires_at());
        end.map(Timestamp::as_millis)
    }

    /// Names and values in turns.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = Vec<u8>> + '_ {
        in_turns(self.fields.iter().cloned())
    }
}

pub(crate) fn in_turns(
    fields: impl Iterator<Item = (Vec<u8>, Vec<u8>)>,
) -> impl Iterator<Item = Vec<u8>> {
    fields.flat_map(|(name, value)| [name, value])
}

/// The fields that hold times.
pub(crate) fn time_fields(times: &Times) -> Fields {
    let idle = times
        .idle_timeout
        .map(|idle| i64::try_from(idle.as_millis()).unwrap_or(i64::MAX));
    let millis = |moment: Option<Timestamp>| moment.map(Timestamp::as_millis);
    [
        ("created_at", Some(times.created_at.as_millis())),
        ("authenticated_at", millis(times.authenticated_at)),
        ("renewed_at", Some(times.renewed_at.as_millis())),
        ("last_seen_at", Some(times.last_seen_at.as_millis())),
        ("ends_at", millis(times.ends_at)),
        ("idle_timeout_ms", idle),
        ("expires_at", millis(times.expires_at())),
    ]
    .into_iter()
    .filter_map(|(name, value)| {
        let value = value?.to_string().into_bytes();
        Some((name.as_bytes().to_vec(), value))
    })
    .collect()
}

struct Hash(Fields);

impl Hash {
    fn take(&mut self, name: &str) -> Option<Vec<u8>> {
        let at = self
            .0
            .iter()
            .position(|(found, _)| found == name.as_bytes())?;
        Some(self.0.swap_remove(at).1)
    }

    fn text(&mut self, name: &str) -> Result<Option<String>, RedisStoreError> {
        self.take(name)
            .map(|value| String::from_utf8(value).map_err(|_| malformed()))
            .transpose()
    }

    fn parse<N: std::str::FromStr>(&mut self, name: &str) -> Result<Option<N>, RedisStoreError> {
        self.text(name)?
            .map(|text| text.parse().map_err(|_| malformed()))
            .transpose()
    }

    fn moment(&mut self, name: &str) -> Result<Option<Timestamp>, RedisStoreError> {
        Ok(self.parse(name)?.map(Timestamp::from_millis))
    }
}

fn required<V>(value: Option<V>) -> Result<V, RedisStoreError> {
    value.ok_or_else(malformed)
}

fn malformed() -> RedisStoreError {
    RedisStoreError::malformed("a field of the session does not hold what was written there")
}
