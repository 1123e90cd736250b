use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::Result;
use crate::command::{capture, cargo};
use crate::package::Package;

/// Set, it makes the tests that need a server pass without one.
const SKIP_SERVERS: &str = "CLOAKROOM_TEST_SKIP_SERVERS";

/// The workspace.
#[derive(Debug)]
pub(crate) struct House {
    root: PathBuf,
    packages: Vec<Package>,
    quick: bool,
}

impl House {
    /// Asks cargo what is in the workspace around the current directory. `quick` runs its tests without servers.
    pub(crate) fn open(quick: bool) -> Result<Self> {
        let arguments = ["metadata", "--no-deps", "--format-version", "1"];
        let answer = capture(&mut cargo(&arguments))?;
        if !answer.success {
            return Err(format!("cargo metadata: {}", answer.stderr).into());
        }
        let metadata: Value = serde_json::from_str(&answer.stdout)?;
        let packages: Option<Vec<_>> = metadata["packages"]
            .as_array()
            .and_then(|list| list.iter().map(Package::from_metadata).collect());
        let root = metadata["workspace_root"].as_str();
        let (Some(packages), Some(root)) = (packages, root) else {
            return Err("cargo metadata: not in the form that this command knows".into());
        };
        Ok(Self {
            root: root.into(),
            packages,
            quick,
        })
    }

    /// The workspace's directory.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where tools are installed that the project brings along.
    pub(crate) fn tools(&self) -> PathBuf {
        self.root.join("target").join("tools")
    }

    /// All packages, in cargo's order.
    pub(crate) fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// The package of that name.
    pub(crate) fn package(&self, name: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.name == name)
    }

    /// The packages that users get.
    pub(crate) fn publishable(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.publishable)
    }

    /// A cargo command in the workspace's directory.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = cargo(arguments);
        command.current_dir(&self.root);
        if self.quick {
            command.env(SKIP_SERVERS, "1");
        } else {
            // Set by the user for a single test, it must not empty the whole run.
            command.env_remove(SKIP_SERVERS);
        }
        command
    }
}
