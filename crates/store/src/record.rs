use std::fmt;
use std::sync::Arc;

use crate::{ClientInfo, Owner, Times};

/// One session as a store keeps it: the application's data and what the engine knows about it.
///
/// `Debug` prints neither the data nor the owner: session data is the application's secret.
#[non_exhaustive]
pub struct Record<T> {
    /// The application's data. Shared, so that a store in memory answers without copying it.
    pub data: Arc<T>,
    /// Counts the writes, from 1. Given by the store; what a writer puts here is ignored.
    pub version: u64,
    /// When the session began, was last seen, ends.
    pub times: Times,
    /// The cookie is to vanish with the browser (no `Max-Age`). The server's limits hold all the same.
    pub browser_session: bool,
    /// Whose session this is, if the application said so.
    pub owner: Option<Owner>,
    /// What the client said of itself at sign-in.
    pub client: Option<Arc<ClientInfo>>,
}

impl<T> Record<T> {
    /// A record with neither owner nor client, its cookie kept by the browser.
    #[must_use]
    pub fn new(data: Arc<T>, times: Times) -> Self {
        Self {
            data,
            version: 0,
            times,
            browser_session: false,
            owner: None,
            client: None,
        }
    }
}

// Written by hand: deriving would ask for `T: Clone`, but only the `Arc` is cloned.
impl<T> Clone for Record<T> {
    fn clone(&self) -> Self {
        Self {
            data: Arc::clone(&self.data),
            version: self.version,
            times: self.times,
            browser_session: self.browser_session,
            owner: self.owner.clone(),
            client: self.client.clone(),
        }
    }
}

impl<T> fmt::Debug for Record<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("version", &self.version)
            .field("times", &self.times)
            .finish_non_exhaustive()
    }
}
