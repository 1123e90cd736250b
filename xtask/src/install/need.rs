use std::path::{Path, PathBuf};

use crate::command::find_program;

/// Something outside the workspace that a step cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    CargoCyclonedx,
    CargoDeny,
    CargoSemverChecks,
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
            Self::CargoCyclonedx => &["cargo-cyclonedx"],
            Self::CargoDeny => &["cargo-deny"],
            Self::CargoSemverChecks => &["cargo-semver-checks"],
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
            Self::CargoCyclonedx | Self::CargoDeny | Self::CargoSemverChecks => None,
            Self::Chromium => Some("chromium"),
            Self::MariaDb => Some("mariadb-server"),
            Self::Node => Some("nodejs"),
            Self::Npm => Some("npm"),
            Self::PostgreSql => Some("postgresql"),
            Self::Redis => Some("redis-server"),
            Self::Valgrind => Some("valgrind"),
        }
    }

    /// What cargo builds if it is missing: a package and the version of it.
    pub(crate) fn cargo_package(self) -> Option<&'static str> {
        match self {
            Self::CargoCyclonedx => Some("cargo-cyclonedx@0.5.9"),
            Self::CargoDeny => Some("cargo-deny@0.20.2"),
            Self::CargoSemverChecks => Some("cargo-semver-checks@0.51.0"),
            _ => None,
        }
    }

    /// Where its program is, if it is met.
    pub(crate) fn program(self, tools: &Path) -> PathBuf {
        let installed = self.programs().iter().find_map(|name| find_program(name));
        let own = || tools.join("bin").join(self.programs()[0]);
        installed.unwrap_or_else(own)
    }

    /// Whether it is here, installed on the system or among the project's `tools`.
    pub(crate) fn is_met(self, tools: &Path) -> bool {
        self.programs().iter().any(|program| {
            find_program(program).is_some() || tools.join("bin").join(program).is_file()
        })
    }
}
