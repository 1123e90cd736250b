use std::fmt;

use crate::Error;

/// A cookie's name: a token of RFC 9110, section 5.6.2, 1 to 64 bytes. Upper and lower case differ.
///
/// ```
/// use cloakroom::CookieName;
///
/// assert!(CookieName::new("__Host-sid").is_ok());
/// assert!(CookieName::new("my session").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CookieName(Box<str>);

impl CookieName {
    /// Checks and keeps a name.
    ///
    /// # Errors
    /// `Configuration` if it is empty, longer than 64 bytes, has a character that no cookie name may have, or
    /// spells a prefix such as `__Host-` in another case: browsers enforce the prefix in any case, but the
    /// name would not be the one that everybody knows.
    pub fn new(name: &str) -> Result<Self, Error> {
        if name.is_empty() || name.len() > 64 || !name.bytes().all(is_token_byte) {
            return Err(Error::configuration(format!(
                "{name:?} is not a cookie name: 1 to 64 letters, digits and any of !#$%&'*+-.^_`|~"
            )));
        }
        if let Some(prefix) = Prefix::of_any_case(name)
            && !name.starts_with(prefix.as_str())
        {
            return Err(Error::configuration(format!(
                "the cookie name {name:?} must spell its prefix {:?}",
                prefix.as_str()
            )));
        }
        Ok(Self(name.into()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn prefix(&self) -> Option<Prefix> {
        Prefix::of_any_case(&self.0)
    }
}

impl fmt::Debug for CookieName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CookieName({:?})", self.0)
    }
}

/// A name prefix with which browsers enforce attributes (RFC 6265bis, section 4.1.3; the two with `Http`
/// from "Cookies: HTTP State Management Mechanism", layered cookies, section 4.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prefix {
    Secure,
    Host,
    Http,
    HostHttp,
}

impl Prefix {
    // The longer one first: `__Host-` is the beginning of `__Host-Http-`.
    const ALL: [Self; 4] = [Self::HostHttp, Self::Host, Self::Http, Self::Secure];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Secure => "__Secure-",
            Self::Host => "__Host-",
            Self::Http => "__Http-",
            Self::HostHttp => "__Host-Http-",
        }
    }

    fn of_any_case(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|prefix| {
            name.get(..prefix.as_str().len())
                .is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_str()))
        })
    }
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tokens_are_names() {
        for good in [
            "sid",
            "__Host-sid",
            "__Host-Http-sid",
            "!#$%&'*+-.^_`|~09AZaz",
        ] {
            assert!(CookieName::new(good).is_ok(), "{good}");
        }
        let long = "x".repeat(65);
        for bad in [
            "", " sid", "s=d", "s;d", "s,d", "sïd", "s\0d", "s\td", "\"s\"", &long,
        ] {
            assert!(CookieName::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn prefixes_are_spelled_as_everybody_spells_them() {
        for bad in [
            "__host-sid",
            "__HOST-sid",
            "__secure-sid",
            "__HTTP-sid",
            "__Host-http-sid",
        ] {
            assert!(CookieName::new(bad).is_err(), "{bad}");
        }
    }
}
