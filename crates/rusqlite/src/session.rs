use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use cloakroom_store::{
    AtRest, ClientInfo, Owner, Record, SessionKey, StoreError, StoreErrorKind, Times, Timestamp,
};
use rusqlite::Row;
use rusqlite::types::ValueRef;
use serde::de::DeserializeOwned;

use crate::codec;
use crate::error::DbError;

/// One row of the table, as stored: the data is still encoded.
///
/// All times are UTC milliseconds since 1970. The column `handle` is not read back: it follows from the key.
/// `Debug` prints neither key, owner nor data.
#[derive(Clone)]
#[non_exhaustive]
pub struct DbStoreSession {
    /// `session_key`: the SHA-256 of the session's id.
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
    /// `expires_at`: the earlier of the two ends, indexed; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// `browser_session`: whether the cookie vanishes with the browser.
    pub browser_session: bool,
    /// `owner`: whose session it is.
    pub owner: Option<String>,
    /// `user_agent`: what the client called itself.
    pub user_agent: Option<String>,
    /// `address`: where the client came from.
    pub address: Option<String>,
    /// `codec`: how `data` is encoded and whether it is encrypted, see [`Codec::tag`](crate::Codec::tag).
    pub codec: String,
    /// `data`: the application's data.
    pub data: Vec<u8>,
}

impl DbStoreSession {
    /// The record that this row holds.
    ///
    /// `at_rest` says what it may be encrypted with; [`AtRest::default`] if with nothing.
    ///
    /// # Errors
    /// `Undecodable` if the data does not decode into `T`, is encrypted and cannot be decrypted, or the owner is none
    /// that [`Owner`] would take.
    pub fn decode<T: DeserializeOwned>(&self, at_rest: &AtRest) -> Result<Record<T>, StoreError> {
        View::of(self).decode(at_rest)
    }
}

impl fmt::Debug for DbStoreSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DbStoreSession")
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

/// A row while SQLite has it in memory: nothing is copied that decoding does not need.
pub(crate) struct View<'r> {
    key: SessionKey,
    version: u64,
    times: Times,
    expires_at: Option<Timestamp>,
    browser_session: bool,
    owner: Option<&'r str>,
    user_agent: Option<&'r str>,
    address: Option<&'r str>,
    codec: &'r str,
    data: &'r [u8],
}

impl<'r> View<'r> {
    pub(crate) fn from_row(row: &'r Row<'_>) -> Result<Self, DbError> {
        let columns = Columns(row);
        let mut times = Times::starting(Timestamp::from_millis(columns.int(2)?));
        times.authenticated_at = columns.moment(3)?;
        times.renewed_at = Timestamp::from_millis(columns.int(4)?);
        times.last_seen_at = Timestamp::from_millis(columns.int(5)?);
        times.ends_at = columns.moment(6)?;
        times.idle_timeout = match columns.maybe_int(7)? {
            Some(millis) => Some(Duration::from_millis(unsigned(millis)?)),
            None => None,
        };
        Ok(Self {
            key: key_at(row, 0)?,
            version: unsigned(columns.int(1)?)?,
            times,
            expires_at: columns.moment(8)?,
            browser_session: columns.int(9)? != 0,
            owner: columns.maybe_text(10)?,
            user_agent: columns.maybe_text(11)?,
            address: columns.maybe_text(12)?,
            codec: columns.maybe_text(13)?.ok_or_else(DbError::malformed)?,
            data: columns.bytes(14)?,
        })
    }

    fn of(row: &'r DbStoreSession) -> Self {
        let mut times = Times::starting(row.created_at);
        times.authenticated_at = row.authenticated_at;
        times.renewed_at = row.renewed_at;
        times.last_seen_at = row.last_seen_at;
        times.ends_at = row.ends_at;
        times.idle_timeout = row.idle_timeout_ms.map(Duration::from_millis);
        Self {
            key: row.key,
            version: row.version,
            times,
            expires_at: row.expires_at,
            browser_session: row.browser_session,
            owner: row.owner.as_deref(),
            user_agent: row.user_agent.as_deref(),
            address: row.address.as_deref(),
            codec: &row.codec,
            data: &row.data,
        }
    }

    pub(crate) fn decode<T: DeserializeOwned>(
        &self,
        at_rest: &AtRest,
    ) -> Result<Record<T>, StoreError> {
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
        let address = self.address.and_then(|text| text.parse().ok());
        if self.user_agent.is_some() || address.is_some() {
            record.client = Some(Arc::new(ClientInfo::new(self.user_agent, address)));
        }
        Ok(record)
    }

    pub(crate) fn to_session(&self) -> DbStoreSession {
        let millis = |idle: Duration| u64::try_from(idle.as_millis()).unwrap_or(u64::MAX);
        DbStoreSession {
            key: self.key,
            version: self.version,
            created_at: self.times.created_at,
            authenticated_at: self.times.authenticated_at,
            renewed_at: self.times.renewed_at,
            last_seen_at: self.times.last_seen_at,
            ends_at: self.times.ends_at,
            idle_timeout_ms: self.times.idle_timeout.map(millis),
            expires_at: self.expires_at,
            browser_session: self.browser_session,
            owner: self.owner.map(str::to_owned),
            user_agent: self.user_agent.map(str::to_owned),
            address: self.address.map(str::to_owned),
            codec: self.codec.to_owned(),
            data: self.data.to_owned(),
        }
    }
}

/// A column with a key.
pub(crate) fn key_at(row: &Row<'_>, at: usize) -> Result<SessionKey, DbError> {
    let bytes = <[u8; 32]>::try_from(Columns(row).bytes(at)?);
    Ok(SessionKey::from_bytes(
        bytes.map_err(|_| DbError::malformed())?,
    ))
}

/// A column with a number that is never missing.
pub(crate) fn int_at(row: &Row<'_>, at: usize) -> Result<i64, DbError> {
    Columns(row).int(at)
}

/// A column with a moment that is never missing.
pub(crate) fn moment_at(row: &Row<'_>, at: usize) -> Result<Timestamp, DbError> {
    Ok(Timestamp::from_millis(int_at(row, at)?))
}

/// Reads columns, and takes nothing for what it is not.
struct Columns<'a, 'r>(&'a Row<'r>);

impl<'a> Columns<'a, '_> {
    fn value(&self, at: usize) -> Result<ValueRef<'a>, DbError> {
        self.0.get_ref(at).map_err(|_| DbError::malformed())
    }

    fn maybe_int(&self, at: usize) -> Result<Option<i64>, DbError> {
        match self.value(at)? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(value) => Ok(Some(value)),
            _ => Err(DbError::malformed()),
        }
    }

    fn int(&self, at: usize) -> Result<i64, DbError> {
        self.maybe_int(at)?.ok_or_else(DbError::malformed)
    }

    fn moment(&self, at: usize) -> Result<Option<Timestamp>, DbError> {
        Ok(self.maybe_int(at)?.map(Timestamp::from_millis))
    }

    fn maybe_text(&self, at: usize) -> Result<Option<&'a str>, DbError> {
        match self.value(at)? {
            ValueRef::Null => Ok(None),
            ValueRef::Text(text) => std::str::from_utf8(text)
                .map(Some)
                .map_err(|_| DbError::malformed()),
            _ => Err(DbError::malformed()),
        }
    }

    /// Bytes, or text read as bytes.
    fn bytes(&self, at: usize) -> Result<&'a [u8], DbError> {
        match self.value(at)? {
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Ok(bytes),
            _ => Err(DbError::malformed()),
        }
    }
}

fn unsigned(value: i64) -> Result<u64, DbError> {
    u64::try_from(value).map_err(|_| DbError::malformed())
}
