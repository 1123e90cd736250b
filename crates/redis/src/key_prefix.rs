use std::fmt;
use std::str::FromStr;

/// What the names of all keys of a store begin with. Default: `cloakroom:`.
///
/// 1 to 64 bytes: ASCII letters, digits, and `: - _ . /`. Nothing that a pattern of `SCAN` or the slot of a
/// cluster key depends on. Two stores on one server must not have prefixes of which one begins with the other.
///
/// ```
/// use cloakroom_redis::KeyPrefix;
///
/// let prefix: KeyPrefix = "shop:sessions:".parse()?;
/// assert_eq!(prefix.as_str(), "shop:sessions:");
/// assert!("sessions*".parse::<KeyPrefix>().is_err());
/// # Ok::<(), cloakroom_redis::InvalidKeyPrefix>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyPrefix(Box<str>);

impl KeyPrefix {
    /// The longest prefix, in bytes.
    pub const MAX_BYTES: usize = 64;

    /// Checks and keeps a prefix.
    ///
    /// # Errors
    /// [`InvalidKeyPrefix`] if it breaks the rule above.
    pub fn new(prefix: &str) -> Result<Self, InvalidKeyPrefix> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b":-_./".contains(&byte);
        let fits = (1..=Self::MAX_BYTES).contains(&prefix.len());
        if !fits || !prefix.bytes().all(allowed) {
            return Err(InvalidKeyPrefix);
        }
        Ok(Self(prefix.into()))
    }

    /// The prefix.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for KeyPrefix {
    fn default() -> Self {
        Self("cloakroom:".into())
    }
}

impl fmt::Display for KeyPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for KeyPrefix {
    type Err = InvalidKeyPrefix;

    fn from_str(prefix: &str) -> Result<Self, InvalidKeyPrefix> {
        Self::new(prefix)
    }
}

/// The text cannot be a prefix of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidKeyPrefix;

impl fmt::Display for InvalidKeyPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a key prefix is 1 to {} ASCII letters, digits, or any of : - _ . /",
            KeyPrefix::MAX_BYTES
        )
    }
}

impl std::error::Error for InvalidKeyPrefix {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_prefixes_without_special_bytes_pass() {
        for good in ["a", "cloakroom:", "Shop/1.2_x-y:", &"a".repeat(64)] {
            assert_eq!(KeyPrefix::new(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "a*",
            "a?",
            "[a]",
            "{a}",
            "a b",
            "a\\",
            "é",
            "a\n",
            &"a".repeat(65),
        ] {
            assert_eq!(KeyPrefix::new(bad), Err(InvalidKeyPrefix), "{bad:?}");
        }
    }
}
