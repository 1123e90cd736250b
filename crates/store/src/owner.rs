use std::fmt;
use std::sync::Arc;

/// Whose session it is, as the application names its users: a database id, an account name.
///
/// Compared byte by byte: case and accents matter on every store, whatever its collation. 1 to
/// [`Owner::MAX_BYTES`] bytes. It may be personal data, so `Debug` does not print it.
///
/// ```
/// use cloakroom_store::Owner;
///
/// let owner = Owner::new("user-17")?;
/// assert_eq!(owner.as_str(), "user-17");
/// assert!(Owner::new("").is_err());
/// # Ok::<(), cloakroom_store::InvalidOwner>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner(Arc<str>);

impl Owner {
    /// The longest name, in bytes of UTF-8: what every SQL engine can index.
    pub const MAX_BYTES: usize = 255;

    /// Checks and keeps a name.
    ///
    /// # Errors
    /// [`InvalidOwner`] if it is empty, longer than [`Owner::MAX_BYTES`] or contains a NUL character, which
    /// PostgreSQL cannot store.
    pub fn new(name: impl Into<Arc<str>>) -> Result<Self, InvalidOwner> {
        let name = name.into();
        if name.is_empty() || name.len() > Self::MAX_BYTES || name.contains('\0') {
            return Err(InvalidOwner);
        }
        Ok(Self(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Owner(…)")
    }
}

/// The text cannot be an owner's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidOwner;

impl fmt::Display for InvalidOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "an owner is 1 to {} bytes of text without NUL",
            Owner::MAX_BYTES
        )
    }
}

impl std::error::Error for InvalidOwner {}
