use std::fs::{File, Metadata};
use std::io::{self, Read, Write};
use std::path::Path;

use cloakroom::Secret;
use tempfile::NamedTempFile;

use crate::start_error::StartError;

/// More than any secret that somebody wrote by hand.
const MAX_BYTES: u64 = 4096;

/// The secret in that file, as hexadecimal digits; a new one, written there for its owner's eyes only, if there is no such file.
///
/// # Errors
/// [`StartError`] if others may read the file, if what is in it is not a secret, or if it cannot be read or made.
pub fn secret_from_file(path: &Path) -> Result<Secret, StartError> {
    match File::open(path) {
        Ok(file) => read(file, path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make(path).map_err(|error| cannot("make", path, error))?;
            // Read back: another process may have been faster, and both must sign with the same.
            let file = File::open(path).map_err(|error| cannot("read", path, error))?;
            read(file, path)
        }
        Err(error) => Err(cannot("read", path, error)),
    }
}

fn read(file: File, path: &Path) -> Result<Secret, StartError> {
    let refused = |why: &str| StartError::new(format!("the secret file {}: {why}", path.display()));
    // Asked of the open file, so that it is the one which is read.
    let metadata = file
        .metadata()
        .map_err(|error| cannot("read", path, error))?;
    if !metadata.is_file() {
        return Err(refused("this is not a file"));
    }
    if let Some(mode) = readable_by_others(&metadata) {
        return Err(refused(&format!(
            "others may read or change it (mode {mode:o}); `chmod 600` it, or delete it for a new one, which \
             signs everybody out"
        )));
    }
    let mut text = String::new();
    file.take(MAX_BYTES)
        .read_to_string(&mut text)
        .map_err(|error| cannot("read", path, error))?;
    Secret::from_hex(&text).map_err(|error| {
            StartError::because(
                format!(
                    "the secret file {} holds no secret; delete it for a new one, which signs everybody out",
                    path.display()
                ),
                error,
            )
        })
}

/// In one step, whatever happens meanwhile: the file is written under another name, readable by its owner only,
/// and then given its own, which fails where somebody else was faster.
fn make(path: &Path) -> io::Result<()> {
    let secret = Secret::generate().map_err(io::Error::other)?;
    let directory = directory_of(path);
    let mut draft = NamedTempFile::new_in(directory)?;
    draft.write_all(secret.to_hex().as_bytes())?;
    draft.write_all(b"\n")?;
    draft.as_file().sync_all()?;
    match draft.persist_noclobber(path) {
        Err(late) if late.error.kind() != io::ErrorKind::AlreadyExists => Err(late.error),
        _ => sync(directory),
    }
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// So that the file's name outlives a power cut too.
fn sync(directory: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

#[cfg(unix)]
fn readable_by_others(metadata: &Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;

    let mode = metadata.permissions().mode() & 0o7777;
    (mode & 0o077 != 0).then_some(mode)
}

/// Elsewhere permissions are not a number; the directory's rules hold.
#[cfg(not(unix))]
fn readable_by_others(_: &Metadata) -> Option<u32> {
    None
}

fn cannot(verb: &str, path: &Path, error: io::Error) -> StartError {
    StartError::because(
        format!("cannot {verb} the secret file {}", path.display()),
        error,
    )
}

#[cfg(test)]
mod tests;
