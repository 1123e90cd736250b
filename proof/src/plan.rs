use std::time::Duration;

use crate::Ids;

/// How much of it.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Plan {
    pub(crate) seed: u64,
    pub(crate) length: Duration,
    pub(crate) round: Duration,
    pub(crate) jars: usize,
    pub(crate) tabs: usize,
    pub(crate) ids: Ids,
}

impl Plan {
    /// With that seed, which decides what the clients ask for and what goes wrong and when; what happens in between
    /// depends on the machine. It takes that long, apart from starting, looking and checking.
    pub fn new(seed: u64, length: Duration) -> Self {
        Self {
            seed,
            length,
            round: Duration::from_secs(15),
            jars: 12,
            tabs: 4,
            ids: Ids::Kept,
        }
    }

    /// How many browsers there are, and how many tabs each has, which share its cookie. Default: 12 and 4.
    pub fn clients(mut self, browsers: usize, tabs: usize) -> Self {
        self.jars = browsers.max(1);
        self.tabs = tabs.max(1);
        self
    }

    /// What becomes of the ids of sessions in use. Default: [`Ids::Kept`].
    pub fn ids(mut self, ids: Ids) -> Self {
        self.ids = ids;
        self
    }

    /// After how long all clients rest while every session is looked at once more. Default: 15 seconds.
    pub fn round(mut self, round: Duration) -> Self {
        self.round = round;
        self
    }
}
