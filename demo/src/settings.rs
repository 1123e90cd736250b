use std::time::Duration;

use crate::stop::Stop;

/// What the application needs to know besides its sessions.
#[derive(Clone, Debug)]
pub struct Settings {
    remember_for: Duration,
    stop: Stop,
}

impl Settings {
    /// How long a session lasts at most whose user wants to be remembered; zero for no limit. Default: 90 days.
    #[must_use]
    pub fn remember_for(mut self, remember_for: Duration) -> Self {
        self.remember_for = remember_for;
        self
    }

    /// When long-lived responses are to end because the program does. Default: never.
    #[must_use]
    pub fn stop(mut self, stop: Stop) -> Self {
        self.stop = stop;
        self
    }

    pub(crate) fn remembered(&self) -> Duration {
        self.remember_for
    }

    pub(crate) fn stopping(&self) -> Stop {
        self.stop.clone()
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            remember_for: Duration::from_secs(90 * 86_400),
            stop: Stop::never(),
        }
    }
}
