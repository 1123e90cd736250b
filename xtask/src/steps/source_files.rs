use std::path::{Path, PathBuf};

use crate::Result;

/// Directories whose content is not ours.
const FOREIGN: &[&str] = &["target", "node_modules"];

/// The source files under `directory`, sorted. Hidden directories are left out.
pub(crate) fn source_files(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    collect(directory, &mut files)?;
    files.sort();
    Ok(files)
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // Not followed when it is a link.
        let kind = entry.file_type()?;
        if kind.is_dir() && !name.starts_with('.') && !FOREIGN.contains(&&*name) {
            collect(&entry.path(), files)?;
        } else if kind.is_file() && is_source(&entry.path()) {
            files.push(entry.path());
        }
    }
    Ok(())
}

fn is_source(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    ["rs", "js", "mjs"].iter().any(|known| extension == *known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_very_file_is_found_and_the_manifest_is_not() {
        let files = source_files(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        assert!(
            files
                .iter()
                .any(|file| file.ends_with("src/steps/source_files.rs"))
        );
        assert!(!files.iter().any(|file| file.ends_with("Cargo.toml")));
    }
}
