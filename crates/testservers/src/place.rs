//! Where a server keeps its data, and as whom it runs.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::StartError;

/// Where a server's temporary files go. Not to where everybody's go: a MariaDB server that starts deletes what
/// looks like the leftovers of another, also while that other one is being set up.
const TEMPORARY: &str = "tmp";

/// A directory of a server's own.
#[derive(Debug)]
pub(crate) struct Place {
    directory: PathBuf,
    user: Option<User>,
}

/// Whom to run a server as that refuses to run as root.
#[derive(Clone, Copy, Debug)]
struct User {
    uid: u32,
    gid: u32,
}

impl Place {
    /// Makes the directory. `preferred` is the account to use when this process is root.
    pub(crate) fn new(kind: &str, preferred: &str) -> Result<Self, StartError> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("{kind}-{}-{number}", std::process::id());
        let directory = base()?.join(name);
        fs::create_dir_all(&directory)?;
        let user = match fs::metadata(&directory)?.uid() {
            0 => Some(account(preferred)?),
            _ => None,
        };
        let place = Self { directory, user };
        place.own(&place.directory)?;
        fs::create_dir(place.path(TEMPORARY))?;
        place.own(&place.path(TEMPORARY))?;
        Ok(place)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Writes a file that the server can read.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<PathBuf, StartError> {
        let path = self.path(name);
        fs::write(&path, text)?;
        self.own(&path)?;
        Ok(path)
    }

    /// A command that runs as the server's user, in its directory.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.directory);
        command.env("TMPDIR", self.path(TEMPORARY));
        if let Some(user) = self.user {
            command.uid(user.uid).gid(user.gid);
        }
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, command: &mut Command) -> Result<(), StartError> {
        let output = command.output()?;
        if output.status.success() {
            return Ok(());
        }
        let (out, err) = (output.stdout, output.stderr);
        Err(StartError::new(format!(
            "{command:?} failed: {}{}",
            String::from_utf8_lossy(&out),
            String::from_utf8_lossy(&err)
        )))
    }

    fn own(&self, path: &Path) -> Result<(), StartError> {
        if let Some(user) = self.user {
            chown(path, Some(user.uid), Some(user.gid))?;
        }
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What the server's processes still hold open vanishes with them.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// `target/testservers`; where another user cannot get there, the directory for temporary files.
fn base() -> Result<PathBuf, StartError> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"),
        PathBuf::from,
    );
    let base = target.join("testservers");
    fs::create_dir_all(&base)?;
    let base = base.canonicalize()?;
    let open = |path: &Path| fs::metadata(path).is_ok_and(|found| found.mode() & 0o001 != 0);
    match base.ancestors().all(open) {
        true => Ok(base),
        false => Ok(std::env::temp_dir()),
    }
}

fn account(preferred: &str) -> Result<User, StartError> {
    let accounts = fs::read_to_string("/etc/passwd")?;
    [preferred, "nobody"]
        .iter()
        .find_map(|name| {
            let mut fields = accounts
                .lines()
                .find(|line| line.split(':').next() == Some(name))?
                .split(':')
                .skip(2);
            let uid = fields.next()?.parse().ok()?;
            let gid = fields.next()?.parse().ok()?;
            Some(User { uid, gid })
        })
        .ok_or_else(|| StartError::new("no account to run a server as: neither its own nor nobody"))
}
