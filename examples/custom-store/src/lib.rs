//! A store for [Cloakroom](https://docs.rs/cloakroom) sessions, as somebody outside the project would write
//! it: a directory with one JSON file per session.
//!
//! It is durable, and small on purpose. Three methods are written; `touch`, `rotate` and `replace` are the
//! provided ones. A lock on the directory makes "look, then write" one step, also between processes; a rename
//! makes each write whole or not there at all. `tests/conformance.rs` has the suite check it.
//!
//! A real one would do its file work on a thread pool, with a time-out: here it blocks the caller, for as long as another
//! process holds the lock. And it would remove what has expired: here the files stay until somebody does.

mod file;

use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cloakroom_store::{
    Clock, Expect, Record, SessionKey, SetOutcome, Store, StoreError, StoreErrorKind, StoreFuture,
};
use serde::{Serialize, de::DeserializeOwned};

/// Sessions in a directory.
pub struct DirectoryStore<T> {
    directory: PathBuf,
    clock: Arc<dyn Clock>,
    data: PhantomData<fn() -> T>,
}

impl<T: Serialize + DeserializeOwned> DirectoryStore<T> {
    /// Larger files are refused.
    pub const MAX_BYTES: usize = 1024 * 1024;

    /// Opens the directory, or makes it. Several stores, in several processes too, may share one.
    ///
    /// # Errors
    /// `Unavailable` if it cannot be made.
    pub fn open(directory: impl Into<PathBuf>, clock: impl Clock) -> Result<Self, StoreError> {
        let directory = directory.into();
        make(&directory).map_err(unavailable)?;
        Ok(Self {
            directory,
            clock: Arc::new(clock),
            data: PhantomData,
        })
    }

    /// Where the sessions are.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The file of a session, whether it is there or not. Its name is the key in hexadecimal: no file system
    /// takes two of them for one.
    #[must_use]
    pub fn path(&self, key: &SessionKey) -> PathBuf {
        let name: String = key.as_bytes().iter().map(|b| format!("{b:02x}")).collect();
        self.directory.join(name + ".json")
    }

    /// One at a time; freed when the file is dropped, or when the process dies.
    fn lock(&self) -> Result<File, StoreError> {
        let lock = File::create(self.directory.join("lock")).map_err(unavailable)?;
        lock.lock().map_err(unavailable)?;
        Ok(lock)
    }

    /// The text of the live session's file.
    fn live(&self, key: &SessionKey) -> Result<Option<String>, StoreError> {
        match fs::read_to_string(self.path(key)) {
            Ok(text) if file::head(&text)?.expired_at(self.clock.now()) => Ok(None),
            Ok(text) => Ok(Some(text)),
            // Not even text.
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                Err(StoreError::new(StoreErrorKind::Undecodable, error))
            }
            // A directory that is gone is trouble; a file that is not there is no session.
            Err(error) if error.kind() == ErrorKind::NotFound && self.directory.is_dir() => {
                Ok(None)
            }
            Err(error) => Err(unavailable(error)),
        }
    }

    /// Into a file beside it, to the disk, then over the old one in one step.
    fn write(&self, key: &SessionKey, text: &str) -> io::Result<()> {
        let beside = self.directory.join("next");
        let mut file = File::create(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, self.path(key))?;
        self.sync_directory()
    }

    /// A rename or removal is on the disk only when the directory is.
    fn sync_directory(&self) -> io::Result<()> {
        File::open(&self.directory)?.sync_all()
    }

    fn get_now(&self, key: &SessionKey) -> Result<Option<Record<T>>, StoreError> {
        self.live(key)?.map(|text| file::decode(&text)).transpose()
    }

    fn set_now(
        &self,
        key: &SessionKey,
        mut record: Record<T>,
        expect: Expect,
    ) -> Result<SetOutcome, StoreError> {
        let _lock = self.lock()?;
        let live = self.live(key)?;
        let version = live.map(|text| file::head(&text).map(|head| head.version));
        let outcome = match (expect, version.transpose()?) {
            (Expect::Absent, Some(_)) => SetOutcome::Exists,
            (Expect::Absent, None) => SetOutcome::Stored(1),
            (_, None) => SetOutcome::Gone,
            (Expect::Version(wanted), Some(found)) if wanted != found => {
                SetOutcome::Conflict(found)
            }
            (_, Some(found)) => SetOutcome::Stored(found + 1),
        };
        if let SetOutcome::Stored(version) = outcome {
            record.version = version;
            let text = file::encode(&record)?;
            if text.len() > Self::MAX_BYTES {
                let size = format!("{} bytes", text.len());
                return Err(StoreError::new(StoreErrorKind::TooLarge, size));
            }
            self.write(key, &text).map_err(unavailable)?;
        }
        Ok(outcome)
    }

    fn destroy_now(&self, key: &SessionKey) -> Result<bool, StoreError> {
        let _lock = self.lock()?;
        let was_live = match self.live(key) {
            Ok(live) => live.is_some(),
            Err(error) if error.kind() == StoreErrorKind::Undecodable => true,
            Err(error) => return Err(error),
        };
        match fs::remove_file(self.path(key)) {
            Ok(()) => self.sync_directory().map_err(unavailable)?,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(unavailable(error)),
        }
        Ok(was_live)
    }
}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Store<T> for DirectoryStore<T> {
    fn get(&self, key: &SessionKey) -> StoreFuture<'_, Option<Record<T>>> {
        StoreFuture::ready(self.get_now(key))
    }

    fn set(
        &self,
        key: &SessionKey,
        record: Record<T>,
        expect: Expect,
    ) -> StoreFuture<'_, SetOutcome> {
        StoreFuture::ready(self.set_now(key, record, expect))
    }

    fn destroy(&self, key: &SessionKey) -> StoreFuture<'_, bool> {
        StoreFuture::ready(self.destroy_now(key))
    }
}

// By hand: deriving would ask for `T: Debug`, and there is no `T` in it.
impl<T> fmt::Debug for DirectoryStore<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirectoryStore")
            .field("directory", &self.directory)
            .finish_non_exhaustive()
    }
}

/// For nobody else's eyes, if it was not there.
fn make(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(directory)
}

fn unavailable(error: io::Error) -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, error)
}
