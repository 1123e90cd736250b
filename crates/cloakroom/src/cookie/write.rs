//! Writing `Set-Cookie` values by the grammar of RFC 6265bis, section 4.1.1.

use std::time::Duration;

use super::{CookieName, CookieOptions, SameSite};
use crate::{Error, SignedSessionId};

/// Browsers keep no cookie longer (RFC 6265bis, section 5.5).
const MAX_AGE_LIMIT: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// Writes the cookie and its removal: the same name and the same attributes, put together once.
#[derive(Debug)]
pub(crate) struct CookieWriter {
    name: CookieName,
    /// The name and `=`, room for an id, and the beginning of `Max-Age`.
    start: Vec<u8>,
    attributes: String,
}

impl CookieWriter {
    pub(crate) fn new(options: &CookieOptions) -> Result<Self, Error> {
        let name = options.check()?;
        let id = "-".repeat(SignedSessionId::LENGTH);
        Ok(Self {
            start: format!("{}={id}; Max-Age=", name.as_str()).into_bytes(),
            name,
            attributes: attributes(options),
        })
    }

    pub(crate) fn name(&self) -> &CookieName {
        &self.name
    }

    /// `max_age` is what is left of the session; `None` for a cookie that goes when the browser closes.
    ///
    /// Exactly as large as it needs to be, so that an adapter can make a field of it without copying. Bytes, all ASCII:
    /// frameworks check them once more anyhow.
    pub(crate) fn set(&self, id: &SignedSessionId, max_age: Option<Duration>) -> Vec<u8> {
        let value = self.name.as_str().len() + 1;
        let after = value + SignedSessionId::LENGTH;
        let mut digits = [0; DIGITS];
        let (start, seconds) = match max_age {
            Some(left) => (&*self.start, decimal(whole_seconds(left), &mut digits)),
            None => (&self.start[..after], &[][..]),
        };
        let attributes = self.attributes.as_bytes();
        let mut text = Vec::with_capacity(start.len() + seconds.len() + attributes.len());
        text.extend_from_slice(start);
        text[value..after].copy_from_slice(id.as_bytes());
        text.extend_from_slice(seconds);
        text.extend_from_slice(attributes);
        text
    }

    pub(crate) fn remove(&self) -> Vec<u8> {
        // Both: `Max-Age` wins where it is known, and everything knows `Expires`.
        let removal = "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";
        let (name, attributes) = (self.name.as_str(), &self.attributes);
        [name, "=", removal, attributes].concat().into_bytes()
    }
}

/// Rounded up: some milliseconds have passed since the session began, and 30 days are not to read as a second less.
/// Also never zero, which would remove the cookie that is being set.
fn whole_seconds(left: Duration) -> u64 {
    let left = left.min(MAX_AGE_LIMIT);
    (left.as_secs() + u64::from(left.subsec_millis() > 0)).max(1)
}

/// As many as [`MAX_AGE_LIMIT`] has, in seconds.
const DIGITS: usize = 8;

/// Formatting does the same at ten times the price.
fn decimal(mut number: u64, digits: &mut [u8; DIGITS]) -> &[u8] {
    let mut first = DIGITS;
    while first == DIGITS || number > 0 {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    &digits[first..]
}

fn attributes(options: &CookieOptions) -> String {
    let mut text = format!("; Path={}", options.path);
    if let Some(domain) = &options.domain {
        text.push_str("; Domain=");
        text.push_str(domain);
    }
    if options.secure {
        text.push_str("; Secure");
    }
    if options.http_only {
        text.push_str("; HttpOnly");
    }
    text.push_str(match options.same_site {
        SameSite::Strict => "; SameSite=Strict",
        SameSite::Lax => "; SameSite=Lax",
        SameSite::None => "; SameSite=None",
    });
    if options.partitioned {
        text.push_str("; Partitioned");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Secret, SigningKey, new_session_id};

    fn write(options: CookieOptions, max_age: Option<Duration>) -> (String, String) {
        let writer = CookieWriter::new(&options).unwrap();
        let key = SigningKey::derive(&Secret::generate().unwrap(), writer.name());
        let (_, signed) = new_session_id(&key).unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let set = text(writer.set(&signed, max_age)).replace(signed.as_str(), "ID");
        (set, text(writer.remove()))
    }

    #[test]
    fn the_default_cookie_and_its_removal() {
        let (set, remove) = write(CookieOptions::new(), Some(Duration::from_millis(59_001)));
        assert_eq!(
            set,
            "__Host-sid=ID; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=Lax"
        );
        assert_eq!(
            remove,
            "__Host-sid=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; Secure; HttpOnly; SameSite=Lax"
        );
    }

    #[test]
    fn removal_repeats_every_attribute() {
        let options = CookieOptions::new()
            .name("__Secure-sid")
            .domain("example.com")
            .path("/app")
            .same_site(SameSite::None)
            .partitioned();
        let (set, remove) = write(options, None);
        let attributes =
            "; Path=/app; Domain=example.com; Secure; HttpOnly; SameSite=None; Partitioned";
        assert_eq!(set, format!("__Secure-sid=ID{attributes}"));
        assert!(remove.starts_with("__Secure-sid=; ") && remove.ends_with(attributes));
    }

    #[test]
    fn a_cookie_is_exactly_as_large_as_it_needs_to_be() {
        let writer = CookieWriter::new(&CookieOptions::new()).unwrap();
        let key = SigningKey::derive(&Secret::generate().unwrap(), writer.name());
        let (_, signed) = new_session_id(&key).unwrap();
        let month = Some(Duration::from_secs(30 * 86_400));
        let cookies = [None, month, Some(Duration::MAX)].map(|left| writer.set(&signed, left));
        for cookie in cookies.into_iter().chain([writer.remove()]) {
            assert_eq!(cookie.capacity(), cookie.len(), "{}", cookie.len());
        }
    }

    #[test]
    fn max_age_stays_within_what_browsers_keep() {
        let ten_years = Duration::from_secs(10 * 365 * 86_400);
        let age = |left| write(CookieOptions::new(), Some(left)).0;
        assert!(age(ten_years).contains("; Max-Age=34560000;"));
        assert!(age(Duration::MAX).contains("; Max-Age=34560000;"));
        assert!(age(Duration::from_millis(3)).contains("; Max-Age=1;"));
        assert!(age(Duration::ZERO).contains("; Max-Age=1;"));
    }
}
