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
    attributes: String,
    /// What a session that has just begun mostly gets, with room for the id.
    usual: Vec<u8>,
    /// Its `Max-Age`.
    usual_seconds: Option<u64>,
}

impl CookieWriter {
    /// `max_age` is that of most cookies.
    pub(crate) fn new(options: &CookieOptions, max_age: Option<Duration>) -> Result<Self, Error> {
        let mut writer = Self {
            name: options.check()?,
            attributes: attributes(options),
            usual: Vec::new(),
            usual_seconds: max_age.map(whole_seconds),
        };
        writer.usual = writer.with_room(writer.usual_seconds);
        Ok(writer)
    }

    pub(crate) fn name(&self) -> &CookieName {
        &self.name
    }

    /// `max_age` is what is left of the session; `None` for a cookie that goes when the browser closes.
    ///
    /// Exactly as large as it needs to be, so that an adapter can make a field of it without copying. Bytes, all ASCII:
    /// frameworks check them once more anyhow.
    pub(crate) fn set(&self, id: &SignedSessionId, max_age: Option<Duration>) -> Vec<u8> {
        let seconds = max_age.map(whole_seconds);
        let mut text = match seconds == self.usual_seconds {
            true => self.usual.clone(),
            false => self.with_room(seconds),
        };
        let value = self.name.as_str().len() + 1;
        text[value..value + SignedSessionId::LENGTH].copy_from_slice(id.as_bytes());
        text
    }

    fn with_room(&self, seconds: Option<u64>) -> Vec<u8> {
        let room = "-".repeat(SignedSessionId::LENGTH);
        let max_age = seconds.map(|seconds| format!("; Max-Age={seconds}"));
        let max_age = max_age.unwrap_or_default();
        let parts = [self.name.as_str(), "=", &room, &max_age, &self.attributes];
        parts.concat().into_bytes()
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
        let writer = CookieWriter::new(&options, None).unwrap();
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
    fn the_usual_cookie_and_any_other_are_as_large_as_they_need_to_be() {
        let month = Some(Duration::from_secs(30 * 86_400));
        let ages = [
            None,
            month,
            Some(Duration::from_secs(7)),
            Some(Duration::MAX),
        ];
        let writers = ages.map(|usual| CookieWriter::new(&CookieOptions::new(), usual).unwrap());
        let key = SigningKey::derive(&Secret::generate().unwrap(), writers[0].name());
        let (_, signed) = new_session_id(&key).unwrap();
        for left in ages {
            let cookies = writers.each_ref().map(|writer| writer.set(&signed, left));
            for cookie in &cookies {
                assert_eq!(cookie.capacity(), cookie.len(), "{}", cookie.len());
                assert_eq!(*cookie, cookies[0], "whatever is usual");
            }
        }
        let removal = writers[0].remove();
        assert_eq!(removal.capacity(), removal.len());
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
