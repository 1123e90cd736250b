use std::path::Path;

use crate::command::find_program;

/// Something outside the workspace that a step cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    CargoDeny,
    Chromium,
    MariaDb,
    Node,
    Npm,
    PostgreSql,
    Redis,
    Valgrind,
}

impl Need {
    /// The servers that tests start as private instances.
    pub(crate) const SERVERS: &[Self] = &[Self::PostgreSql, Self::MariaDb, Self::Redis];

    /// The programs by which it is known to be there; any one is enough.
    pub(crate) fn programs(self) -> &'static [&'static str] {
        match self {
            Self::CargoDeny => &["cargo-deny"],
            Self::Chromium => &["chromium", "chromium-browser", "google-chrome"],
            Self::MariaDb => &["mariadbd", "mysqld"],
            Self::Node => &["node"],
            Self::Npm => &["npm"],
            Self::PostgreSql => &["postgres"],
            Self::Redis => &["redis-server", "valkey-server"],
            Self::Valgrind => &["valgrind"],
        }
    }

    /// The Debian package that brings it; `None` for what cargo installs.
    pub(crate) fn debian_package(self) -> Option<&'static str> {
        match self {
            Self::CargoDeny => None,
            Self::Chromium => Some("chromium"),
            Self::MariaDb => Some("mariadb-server"),
            Self::Node => Some("nodejs"),
            Self::Npm => Some("npm"),
            Self::PostgreSql => Some("postgresql"),
            Self::Redis => Some("redis-server"),
            Self::Valgrind => Some("valgrind"),
        }
    }

    /// Whether it is here, installed on the system or among the project's `tools`.
    pub(crate) fn is_met(self, tools: &Path) -> bool {
        self.programs().iter().any(|program| {
            find_program(program).is_some() || tools.join("bin").join(program).is_file()
        })
    }
}
