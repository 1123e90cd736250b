use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use cloakroom_store::{
    AtRest, ClientInfo, Entry, Owner, Record, SessionKey, StoreError, StoreErrorKind, Times,
    Timestamp,
};
use serde::de::DeserializeOwned;

use crate::codec;
use crate::dialect::Engine;
use crate::error::{DbError, DbErrorKind};

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

    pub(crate) fn from_columns<DB: Engine>(row: &DB::Row) -> Result<Self, DbError> {
        let bytes = |at| required(DB::bytes(row, at));
        let text = |at| optional(DB::text(row, at));
        let int = |at| required(DB::int(row, at));
        let maybe_int = |at| optional(DB::int(row, at));
        let moment = |at| maybe_int(at).map(|value| value.map(Timestamp::from_millis));
        Ok(Self {
            key: key_at::<DB>(row, 0)?,
            version: u64::try_from(int(1)?).map_err(|_| malformed())?,
            created_at: Timestamp::from_millis(int(2)?),
            authenticated_at: moment(3)?,
            renewed_at: Timestamp::from_millis(int(4)?),
            last_seen_at: Timestamp::from_millis(int(5)?),
            ends_at: moment(6)?,
            idle_timeout_ms: match maybe_int(7)? {
                Some(millis) => Some(u64::try_from(millis).map_err(|_| malformed())?),
                None => None,
            },
            expires_at: moment(8)?,
            browser_session: int(9)? != 0,
            owner: text(10)?,
            user_agent: text(11)?,
            address: text(12)?,
            codec: required(DB::text(row, 13))?,
            data: bytes(14)?,
        })
    }
}

impl fmt::Debug for DbStoreSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DbStoreSession")
            .field("handle", &self.key.handle())
            .field("version", &self.version)
            .field("created_at", &self.created_at)
            .field("renewed_at", &self.renewed_at)
            .field("last_seen_at", &self.last_seen_at)
            .field("expires_at", &self.expires_at)
            .field("codec", &self.codec)
            .field("data", &format_args!("{} bytes", self.data.len()))
            .finish_non_exhaustive()
    }
}

/// A column with a key.
pub(crate) fn key_at<DB: Engine>(row: &DB::Row, at: usize) -> Result<SessionKey, DbError> {
    let bytes = <[u8; 32]>::try_from(required(DB::bytes(row, at))?);
    Ok(SessionKey::from_bytes(bytes.map_err(|_| malformed())?))
}

/// A column with a moment that is never missing.
pub(crate) fn moment_at<DB: Engine>(row: &DB::Row, at: usize) -> Result<Timestamp, DbError> {
    Ok(Timestamp::from_millis(required(DB::int(row, at))?))
}

fn required<V>(value: Result<Option<V>, sqlx::Error>) -> Result<V, DbError> {
    optional(value)?.ok_or_else(malformed)
}

fn optional<V>(value: Result<Option<V>, sqlx::Error>) -> Result<Option<V>, DbError> {
    value.map_err(|_| malformed())
}

pub(crate) fn malformed() -> DbError {
    DbError::new(
        DbErrorKind::MalformedRow,
        "a column does not hold what was written there",
    )
}
