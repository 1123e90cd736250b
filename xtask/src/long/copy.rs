use std::fs;
use std::path::{Path, PathBuf};

use super::manifest::{with_members, without_tests};
use crate::Result;
use crate::house::House;

/// A workspace of the published crates alone, as their users get them: without what only tests need.
#[derive(Debug)]
pub(crate) struct Copy {
    root: PathBuf,
    members: Vec<String>,
}

impl Copy {
    /// Makes it there, in place of what is there.
    pub(crate) fn of(house: &House, root: &Path) -> Result<Self> {
        if root.exists() {
            fs::remove_dir_all(root)?;
        }
        let mut members = Vec::new();
        for package in house.publishable() {
            let inside = package.directory.strip_prefix(house.root())?;
            copy_directory(&package.directory, &root.join(inside))?;
            let manifest = fs::read_to_string(package.directory.join("Cargo.toml"))?;
            let manifest = without_tests(&manifest);
            fs::write(root.join(inside).join("Cargo.toml"), manifest)?;
            members.push(inside.display().to_string());
        }
        let manifest = fs::read_to_string(house.root().join("Cargo.toml"))?;
        let manifest = with_members(&manifest, &members).ok_or("Cargo.toml names no members")?;
        fs::write(root.join("Cargo.toml"), manifest)?;
        // It is part of the documentation of crates.
        fs::copy(house.root().join("README.md"), root.join("README.md"))?;
        Ok(Self {
            root: root.to_owned(),
            members,
        })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The directories of the crates.
    pub(crate) fn crates(&self) -> impl Iterator<Item = PathBuf> {
        self.members.iter().map(|member| self.root.join(member))
    }
}

fn copy_directory(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_directory(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
