use std::fmt;
use std::time::Duration;

/// What can happen to a store, a network or an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Fault {
    /// `kill -9` of the server, which is then started again on the same data.
    KillServer,
    /// SIGSTOP, and SIGCONT later.
    PauseServer,
    /// All connections break.
    Cut,
    /// Requests arrive, answers do not, and then all connections break.
    LoseAnswers,
    SlowAnswers,
    /// `kill -9` of an application in the middle of its requests.
    KillApplication,
    /// SIGSTOP of an application, and SIGCONT later.
    PauseApplication,
    /// `kill -9` of a primary of the cluster, whose replica takes over.
    FailOver,
}

impl Fault {
    /// The longest that it lasts.
    pub(crate) fn longest(self) -> Duration {
        Duration::from_millis(match self {
            Self::KillServer => 300,
            Self::PauseServer | Self::PauseApplication => 1_800,
            Self::Cut | Self::KillApplication => 1,
            Self::LoseAnswers => 150,
            Self::SlowAnswers => 400,
            Self::FailOver => 3_000,
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KillServer => "server killed and restarted",
            Self::PauseServer => "server paused",
            Self::Cut => "connections cut",
            Self::LoseAnswers => "answers lost",
            Self::SlowAnswers => "answers slow",
            Self::KillApplication => "application killed",
            Self::PauseApplication => "application paused",
            Self::FailOver => "failover",
        })
    }
}
