use std::collections::HashMap;
use std::sync::{Arc, RwLock};
use std::thread::available_parallelism;
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{Error, PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// How long somebody waits for others whose passwords are checked.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who is signed in: what the session holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The account's name.
    pub name: String,
}

/// The accounts, in memory: name and password hash. A real application has a table.
#[derive(Clone)]
pub struct Accounts {
    hashes: Arc<RwLock<HashMap<String, String>>>,
    /// Checked where there is no such account, so that both answers take as long.
    nobody: String,
    /// As many as there are processors.
    places: Arc<Semaphore>,
}

impl Accounts {
    /// None yet.
    ///
    /// # Errors
    /// If argon2 cannot hash.
    pub fn new() -> Result<Self, Error> {
        Ok(Self {
            hashes: Arc::default(),
            nobody: hash("nobody's password")?,
            places: Arc::new(Semaphore::new(
                available_parallelism().map_or(1, usize::from),
            )),
        })
    }

    /// Adds an account.
    ///
    /// # Errors
    /// If argon2 cannot hash.
    pub fn add(&self, name: &str, password: &str) -> Result<(), Error> {
        let hash = hash(password)?;
        let mut hashes = self.hashes.write().expect("no panic while locked");
        hashes.insert(name.to_owned(), hash);
        Ok(())
    }

    /// Gives an account another password, if this is its password now. Whether it was.
    ///
    /// # Errors
    /// If argon2 cannot hash.
    pub fn change(&self, name: &str, password: &str, new: &str) -> Result<bool, Error> {
        if self.check(name, password).is_none() {
            return Ok(false);
        }
        self.add(name, new)?;
        Ok(true)
    }

    /// For the above: argon2 keeps a processor and 19 MiB busy for a while. So not on the threads that serve requests, and
    /// never more at once than there are processors, however many passwords somebody sends. `None` if it was not their
    /// turn for five seconds.
    pub async fn hashing<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> R + Send + 'static,
    ) -> Option<R> {
        let place = Arc::clone(&self.places).acquire_owned();
        let place = timeout(PATIENCE, place).await.ok()?.ok()?;
        let accounts = self.clone();
        let work = move || {
            // Also if the client has gone meanwhile.
            let _place = place;
            work(&accounts)
        };
        spawn_blocking(work).await.ok()
    }

    /// The user, if the password is right. Takes long on purpose.
    #[must_use]
    pub fn check(&self, name: &str, password: &str) -> Option<User> {
        let known = {
            let hashes = self.hashes.read().expect("no panic while locked");
            hashes.get(name).cloned()
        };
        let hash = known.as_ref().unwrap_or(&self.nobody);
        let hash = PasswordHash::new(hash).ok()?;
        let right = Argon2::default().verify_password(password.as_bytes(), &hash);
        (known.is_some() && right.is_ok()).then(|| User {
            name: name.to_owned(),
        })
    }
}

impl std::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Accounts").finish_non_exhaustive()
    }
}

fn hash(password: &str) -> Result<String, Error> {
    let hash = Argon2::default().hash_password(password.as_bytes())?;
    Ok(hash.to_string())
}
