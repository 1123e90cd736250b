use std::mem::swap;
use std::sync::Arc;

use cloakroom_store::{ClientInfo, Owner, Record, Times, Timestamp};

use super::slots::Ends;

/// A session's record without its data, which is kept elsewhere.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) version: u64,
    pub(super) times: Times,
    pub(super) owner: Option<Owner>,
    browser_session: bool,
    client: Option<Arc<ClientInfo>>,
}

impl Facts {
    pub(super) fn apart<T>(record: Record<T>) -> (Self, Arc<T>) {
        let facts = Self {
            version: record.version,
            times: record.times,
            owner: record.owner,
            browser_session: record.browser_session,
            client: record.client,
        };
        (facts, record.data)
    }

    /// Takes over those of another record of the same owner. What has to be dropped of its own is in there then.
    pub(super) fn exchange<T>(&mut self, record: &mut Record<T>) {
        self.version = record.version;
        self.times = record.times;
        self.browser_session = record.browser_session;
        swap(&mut self.client, &mut record.client);
    }

    /// A record that shares the data, the owner's name and what the client said.
    pub(super) fn shared<T>(&self, data: &Arc<T>) -> Record<T> {
        let mut record = Record::new(Arc::clone(data), self.times);
        record.version = self.version;
        record.owner.clone_from(&self.owner);
        record.browser_session = self.browser_session;
        record.client.clone_from(&self.client);
        record
    }
}

impl Ends for Facts {
    fn ends_at(&self) -> Option<Timestamp> {
        self.times.expires_at()
    }
}
