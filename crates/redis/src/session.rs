use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use cloakroom_store::{
    AtRest, ClientInfo, Clock, Entry, Owner, Record, SessionKey, StoreError, StoreErrorKind, Times,
    Timestamp,
};
use redis::Value;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::{self, Codec};
use crate::error::RedisStoreError;
use crate::reply;

/// The names and values of a hash.
pub(crate) type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// The fields of a session that are read: few, because each costs time wherever it passes.
pub(crate) const NAMES: [&str; 10] = [
    "version",
    "times",
    "last_seen_at",
    "expires_at",
    "owner",
    "browser_session",
    "client",
    "codec",
    "data",
    "entry",
];

/// The same for a session alone: only who looks it up in an index needs its entry.
pub(crate) const SESSION: &[&str] = NAMES.split_at(NAMES.len() - 1).0;

/// One session as stored, a hash: the data is still encoded. The guide tells which field of the hash holds what.
///
/// All times are UTC milliseconds since 1970. `Debug` prints neither key, owner nor data.
#[derive(Clone)]
#[non_exhaustive]
pub struct RedisStoreSession {
    /// In the name of the key: the SHA-256 of the session's id.
    pub key: SessionKey,
    /// `version`: counts the writes, from 1.
    pub version: u64,
    /// In `times`: when the session began.
    pub created_at: Timestamp,
    /// In `times`: when its user signed in, if anybody did.
    pub authenticated_at: Option<Timestamp>,
    /// In `times`: when it got the id that it has.
    pub renewed_at: Timestamp,
    /// `last_seen_at`: when it was last used.
    pub last_seen_at: Timestamp,
    /// In `times`: the absolute end, if there is one.
    pub ends_at: Option<Timestamp>,
    /// In `times`: how long it may lie unused, in milliseconds; `None` for any time.
    pub idle_timeout_ms: Option<u64>,
    /// `expires_at`: the earlier of the two ends; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// `browser_session`: whether the cookie vanishes with the browser.
    pub browser_session: bool,
    /// `owner`: whose session it is.
    pub owner: Option<String>,
    /// In `client`: what the client called itself.
    pub user_agent: Option<String>,
    /// In `client`: where the client came from.
    pub address: Option<String>,
    /// `codec`: how `data` is encoded and whether it is encrypted, see [`Codec::tag`].
    pub codec: String,
    /// `data`: the application's data.
    pub data: Vec<u8>,
    /// `entry`: cluster only, the second half of its name in the index of its owner.
    pub(crate) entry: Option<String>,
}

impl RedisStoreSession {
    /// The record that this hash holds.
    ///
    /// `at_rest` says what it may be encrypted with; [`AtRest::default`] if with nothing.
    ///
    /// # Errors
    /// `Undecodable` if the data does not decode into `T`, is encrypted and cannot be decrypted, or the owner is none
    /// that [`Owner`] would take.
    pub fn decode<T: DeserializeOwned>(&self, at_rest: &AtRest) -> Result<Record<T>, StoreError> {
        let data = codec::decode(&self.codec, &self.data, at_rest)?;
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

    pub(crate) fn into_entry<T: DeserializeOwned>(
        self,
        at_rest: &AtRest,
    ) -> Result<Entry<T>, StoreError> {
        Ok(Entry::new(self.key, self.decode(at_rest)?))
    }

    pub(crate) fn is_live(&self, clock: &dyn Clock) -> bool {
        self.expires_at.is_none_or(|end| end > clock.now())
    }

    /// From the fields of a hash, in any order. `None` for a hash without fields: there is no such key.
    pub(crate) fn from_fields(
        key: SessionKey,
        fields: Fields,
    ) -> Result<Option<Self>, RedisStoreError> {
        if fields.is_empty() {
            return Ok(None);
        }
        let mut values = [const { None }; NAMES.len()];
        for (name, value) in fields {
            if let Some(at) = NAMES.iter().position(|known| known.as_bytes() == name) {
                values[at] = Some(value);
            }
        }
        Self::from_values(key, values).map(Some)
    }

    /// From the values of [`NAMES`]. `None` if there is nothing of a session.
    pub(crate) fn from_answer(
        key: SessionKey,
        answer: Value,
    ) -> Result<Option<Self>, RedisStoreError> {
        // Where one of many keys holds something else.
        if answer == Value::Nil {
            return Ok(None);
        }
        let values: [_; NAMES.len()] = reply::values(answer)?;
        match values[0] {
            Some(_) => Self::from_values(key, values).map(Some),
            None => Ok(None),
        }
    }

    fn from_values(
        key: SessionKey,
        values: [Option<Vec<u8>>; NAMES.len()],
    ) -> Result<Self, RedisStoreError> {
        let [
            version,
            times,
            last_seen_at,
            expires_at,
            owner,
            browser,
            client,
            codec,
            data,
            entry,
        ] = values;
        let times = required(times)?;
        let times = std::str::from_utf8(&times).map_err(|_| malformed())?;
        let mut times = times.split(' ').map(|part| match part {
            "-" => Ok(None),
            number => number.parse().map(Some).map_err(|_| malformed()),
        });
        let mut next = || times.next().unwrap_or_else(|| Err(malformed()));
        let moment = |millis: Option<i64>| millis.map(Timestamp::from_millis);
        let (created_at, authenticated_at, renewed_at) = (next()?, next()?, next()?);
        let (ends_at, idle_timeout_ms) = (next()?, next()?);
        let client = text(client)?;
        let (address, user_agent) = match client.as_deref().and_then(|text| text.split_once(' ')) {
            Some((address, agent)) => (filled(address), filled(agent)),
            None => (None, None),
        };
        Ok(Self {
            key,
            version: required(number(version)?)?,
            created_at: required(moment(created_at))?,
            authenticated_at: moment(authenticated_at),
            renewed_at: required(moment(renewed_at))?,
            last_seen_at: required(moment(number(last_seen_at)?))?,
            ends_at: moment(ends_at),
            idle_timeout_ms: match idle_timeout_ms {
                Some(millis) => Some(u64::try_from(millis).map_err(|_| malformed())?),
                None => None,
            },
            expires_at: moment(number(expires_at)?),
            browser_session: browser.is_some(),
            owner: text(owner)?,
            user_agent,
            address,
            codec: required(text(codec)?)?,
            data: required(data)?,
            entry: text(entry)?,
        })
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
        at_rest: &AtRest,
    ) -> Result<Self, StoreError> {
        let written = codec.encode_readable(&*record.data, limit, at_rest)?;
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
            let address = client.address().map(|address| address.to_string());
            let (address, agent) = (address.unwrap_or_default(), client.user_agent());
            let client = format!("{address} {}", agent.unwrap_or_default());
            if client != " " {
                field("client", client.as_bytes());
            }
        }
        field("codec", written.tag.as_bytes());
        fields.push((b"data".to_vec(), written.data));
        Ok(Self {
            owner: record.owner.clone(),
            times: record.times,
            fields,
        })
    }

    /// A record that was taken from under another key, with other times. Its data is not touched.
    pub(crate) fn moved(taken: Fields, owner: Option<Owner>, times: Times) -> Self {
        const REPLACED: [&[u8]; 6] = [
            b"version",
            b"times",
            b"last_seen_at",
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
    let parts = [
        Some(times.created_at.as_millis()),
        millis(times.authenticated_at),
        Some(times.renewed_at.as_millis()),
        millis(times.ends_at),
        idle,
    ];
    let parts = parts.map(|part| part.map_or_else(|| "-".to_owned(), |part| part.to_string()));
    let mut fields = vec![
        (b"times".to_vec(), parts.join(" ").into_bytes()),
        (
            b"last_seen_at".to_vec(),
            times.last_seen_at.as_millis().to_string().into_bytes(),
        ),
    ];
    if let Some(end) = times.expires_at() {
        let end = end.as_millis().to_string().into_bytes();
        fields.push((b"expires_at".to_vec(), end));
    }
    fields
}

/// What the field `times` begins with.
pub(crate) fn created_at(times: &[u8]) -> &[u8] {
    times.split(|&byte| byte == b' ').next().unwrap_or_default()
}

fn text(value: Option<Vec<u8>>) -> Result<Option<String>, RedisStoreError> {
    value
        .map(|value| String::from_utf8(value).map_err(|_| malformed()))
        .transpose()
}

fn number<N: std::str::FromStr>(value: Option<Vec<u8>>) -> Result<Option<N>, RedisStoreError> {
    let parse = |value: Vec<u8>| std::str::from_utf8(&value).ok()?.parse().ok();
    value
        .map(|value| parse(value).ok_or_else(malformed))
        .transpose()
}

fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn required<V>(value: Option<V>) -> Result<V, RedisStoreError> {
    value.ok_or_else(malformed)
}

fn malformed() -> RedisStoreError {
    RedisStoreError::malformed("a field of the session does not hold what was written there")
}
