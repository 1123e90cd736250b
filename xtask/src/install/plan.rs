use super::Need;

/// What this user can do with apt-get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Apt {
    /// It is there, and we are root.
    Usable,
    /// It is there, but only root may use it.
    NotRoot,
    /// Another system than Debian.
    Absent,
}

/// How what is missing gets here.
#[derive(Debug)]
pub(crate) struct Plan {
    apt: Apt,
    missing: Vec<Need>,
}

impl Plan {
    /// A plan for these needs, each named once.
    pub(crate) fn of(missing: &[Need], apt: Apt) -> Self {
        let mut once = Vec::new();
        for need in missing {
            if !once.contains(need) {
                once.push(*need);
            }
        }
        Self { apt, missing: once }
    }

    /// The Debian packages to install.
    pub(crate) fn packages(&self) -> Vec<&'static str> {
        let packages = self.missing.iter();
        packages.filter_map(|need| need.debian_package()).collect()
    }

    /// The packages that cargo is to build.
    pub(crate) fn cargo_packages(&self) -> Vec<&'static str> {
        let packages = self.missing.iter();
        packages.filter_map(|need| need.cargo_package()).collect()
    }

    /// What the user has to do first; `None` if nothing.
    pub(crate) fn instructions(&self) -> Option<String> {
        let packages = self.packages();
        if packages.is_empty() {
            return None;
        }
        match self.apt {
            Apt::Usable => None,
            Apt::NotRoot => Some(format!(
                "the tests need programs that are not installed. As root:\n\n    \
                 apt-get install --no-install-recommends {}\n\n\
                 Or run the tests that need none of them: cargo xtask test --quick",
                packages.join(" ")
            )),
            Apt::Absent => {
                let programs = self
                    .missing
                    .iter()
                    .filter(|need| need.debian_package().is_some());
                let lines: String = programs
                    .map(|need| format!("    {}\n", need.programs().join(" or ")))
                    .collect();
                Some(format!(
                    "the tests need programs that are not installed. Put these on the PATH:\n\n{lines}\n\
                     Or run the tests that need none of them: cargo xtask test --quick"
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARGO_DENY: &str = "cargo-deny@0.20.2";
    const MISSING: &[Need] = &[Need::Redis, Need::CargoDeny, Need::MariaDb, Need::Redis];

    #[test]
    fn root_on_debian_installs_each_once() {
        let plan = Plan::of(MISSING, Apt::Usable);
        assert_eq!(plan.instructions(), None);
        assert_eq!(plan.packages(), ["redis-server", "mariadb-server"]);
        assert_eq!(plan.cargo_packages(), [CARGO_DENY]);
    }

    #[test]
    fn others_are_told_exactly_what_to_install() {
        let debian = Plan::of(MISSING, Apt::NotRoot).instructions().unwrap();
        let line = "apt-get install --no-install-recommends redis-server mariadb-server\n";
        assert!(debian.contains(line), "{debian}");
        let elsewhere = Plan::of(MISSING, Apt::Absent).instructions().unwrap();
        assert!(
            elsewhere.contains("    redis-server or valkey-server\n"),
            "{elsewhere}"
        );
        assert!(!elsewhere.contains("cargo-deny"), "{elsewhere}");
    }

    #[test]
    fn what_cargo_builds_needs_no_root() {
        let plan = Plan::of(&[Need::CargoDeny], Apt::NotRoot);
        assert_eq!(plan.instructions(), None);
        assert_eq!(plan.cargo_packages(), [CARGO_DENY]);
        assert!(Plan::of(&[], Apt::Absent).cargo_packages().is_empty());
    }
}
