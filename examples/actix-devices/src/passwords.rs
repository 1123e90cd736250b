use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

/// Names and passwords, in clear: no model for a real application.
#[derive(Clone, Default)]
pub struct Passwords(Arc<RwLock<HashMap<String, String>>>);

impl Passwords {
    /// Adds an account, or changes its password.
    pub fn set(&self, name: &str, password: &str) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(name.to_owned(), password.to_owned());
    }

    /// Whether the password is right.
    #[must_use]
    pub fn check(&self, name: &str, password: &str) -> bool {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(name).is_some_and(|right| right == password)
    }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passwords(…)")
    }
}
