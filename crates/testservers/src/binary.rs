use std::path::{Path, PathBuf};

use crate::StartError;

/// A program of that name on the search path, or in one of the usual places; the last match of those, which is
/// the newest version. `package` is the Debian package that has it.
pub(crate) fn find(name: &str, usual: &[&str], package: &str) -> Result<PathBuf, StartError> {
    let usual = usual.iter().flat_map(|place| expand(place));
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&on_path)
        .chain(usual)
        .map(|directory| directory.join(name))
        .filter(|path| path.is_file())
        .last()
        .ok_or_else(|| StartError::not_installed(name, package))
}

/// `/a/*/b` as every directory that fits, in order; anything else as itself.
fn expand(place: &str) -> Vec<PathBuf> {
    let Some((above, below)) = place.split_once("/*/") else {
        return vec![PathBuf::from(place)];
    };
    let Ok(entries) = Path::new(above).read_dir() else {
        return Vec::new();
    };
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path().join(below))
        .collect();
    found.sort();
    found
}
