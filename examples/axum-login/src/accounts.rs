use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{Error, PasswordHasher, PasswordVerifier};

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

    /// The user, if the password is right. Takes long on purpose: call it where blocking is allowed.
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
