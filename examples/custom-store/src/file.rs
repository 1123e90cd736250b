//! What is in a session's file: a line about the session, and a line with its data, so that the first can be
//! read when the second does not decode.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use cloakroom_store::{ClientInfo, Owner, Record, StoreError, StoreErrorKind, Times, Timestamp};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

#[derive(Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) version: u64,
    created_at: i64,
    authenticated_at: Option<i64>,
    renewed_at: i64,
    last_seen_at: i64,
    ends_at: Option<i64>,
    idle_millis: Option<u64>,
    browser_session: bool,
    owner: Option<String>,
    client: Option<(Option<String>, Option<IpAddr>)>,
}

impl Head {
    pub(crate) fn expired_at(&self, now: Timestamp) -> bool {
        self.times().expired_at(now)
    }

    fn times(&self) -> Times {
        let mut times = Times::starting(Timestamp::from_millis(self.created_at));
        times.authenticated_at = self.authenticated_at.map(Timestamp::from_millis);
        times.renewed_at = Timestamp::from_millis(self.renewed_at);
        times.last_seen_at = Timestamp::from_millis(self.last_seen_at);
        times.ends_at = self.ends_at.map(Timestamp::from_millis);
        times.idle_timeout = self.idle_millis.map(Duration::from_millis);
        times
    }
}

pub(crate) fn head(text: &str) -> Result<Head, StoreError> {
    let line = text.lines().next().unwrap_or_default();
    serde_json::from_str(line).map_err(undecodable)
}

pub(crate) fn decode<T: DeserializeOwned>(text: &str) -> Result<Record<T>, StoreError> {
    let head = head(text)?;
    let data = text.lines().nth(1).unwrap_or_default();
    let data: T = serde_json::from_str(data).map_err(undecodable)?;
    let mut record = Record::new(Arc::new(data), head.times());
    record.version = head.version;
    record.browser_session = head.browser_session;
    record.owner = head
        .owner
        .map(Owner::new)
        .transpose()
        .map_err(undecodable)?;
    record.client = head
        .client
        .map(|(agent, address)| Arc::new(ClientInfo::new(agent.as_deref(), address)));
    Ok(record)
}

pub(crate) fn encode<T: Serialize>(record: &Record<T>) -> Result<String, StoreError> {
    let times = &record.times;
    let idle = times.idle_timeout.map(|idle| idle.as_millis());
    let head = Head {
        version: record.version,
        created_at: times.created_at.as_millis(),
        authenticated_at: times.authenticated_at.map(Timestamp::as_millis),
        renewed_at: times.renewed_at.as_millis(),
        last_seen_at: times.last_seen_at.as_millis(),
        ends_at: times.ends_at.map(Timestamp::as_millis),
        idle_millis: idle.map(|millis| u64::try_from(millis).unwrap_or(u64::MAX)),
        browser_session: record.browser_session,
        owner: record.owner.as_ref().map(|owner| owner.as_str().to_owned()),
        client: record.client.as_ref().map(|client| {
            let agent = client.user_agent().map(str::to_owned);
            (agent, client.address())
        }),
    };
    // JSON without indentation has no line breaks of its own.
    let head = serde_json::to_string(&head).map_err(unencodable)?;
    let data = serde_json::to_string(&*record.data).map_err(unencodable)?;
    Ok(format!("{head}\n{data}\n"))
}

fn undecodable(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::new(StoreErrorKind::Undecodable, error)
}

fn unencodable(error: serde_json::Error) -> StoreError {
    StoreError::new(StoreErrorKind::Unencodable, error)
}
