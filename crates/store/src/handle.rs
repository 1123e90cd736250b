use std::fmt;
use std::str::FromStr;

/// The public name of a session: 32 hexadecimal digits, derived from its key, the same for as long as the
/// session keeps its id.
///
/// It names a session in lists, logs, events and admin pages, and opens nothing: neither the id nor the key
/// can be computed from it.
///
/// ```
/// use cloakroom_store::{Handle, SessionKey};
///
/// let handle = SessionKey::from_bytes([1; 32]).handle();
/// let again: Handle = handle.to_string().parse()?;
/// assert_eq!(again, handle);
/// # Ok::<(), cloakroom_store::InvalidHandle>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle([u8; 16]);

impl Handle {
    pub(crate) const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handle({self})")
    }
}

impl FromStr for Handle {
    type Err = InvalidHandle;

    /// Accepts exactly what `Display` writes: 32 digits, lower case.
    ///
    /// # Errors
    /// [`InvalidHandle`] for anything else.
    fn from_str(text: &str) -> Result<Self, InvalidHandle> {
        let canonical = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != 32 || !text.bytes().all(canonical) {
            return Err(InvalidHandle);
        }
        u128::from_str_radix(text, 16)
            .map(|number| Self(number.to_be_bytes()))
            .map_err(|_| InvalidHandle)
    }
}

/// The text is not a session handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidHandle;

impl fmt::Display for InvalidHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a session handle is 32 lower-case hexadecimal digits")
    }
}

impl std::error::Error for InvalidHandle {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SessionKey;

    #[test]
    fn a_handle_shows_nothing_of_the_key() {
        let key = SessionKey::from_bytes(std::array::from_fn(|at| at as u8));
        let handle = key.handle().to_string();
        assert_eq!(handle.len(), 32);
        assert!(!handle.contains("00010203") && !handle.contains("1c1d1e1f"));
        assert!(!format!("{key:?}").contains("000102"));
    }

    #[test]
    fn only_the_canonical_form_parses() {
        let good = "00000000000000000000000000000abc";
        assert_eq!(good.parse::<Handle>().unwrap().to_string(), good);
        for bad in [
            "",
            "abc",
            "+0000000000000000000000000000abc",
            "00000000000000000000000000000ABC",
            "00000000000000000000000000000abc0",
            "0000000000000000000000000000000é",
        ] {
            assert_eq!(bad.parse::<Handle>(), Err(InvalidHandle), "{bad:?}");
        }
    }
}
