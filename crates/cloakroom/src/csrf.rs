use std::fmt;

use subtle::ConstantTimeEq;

use crate::base64url::{self, LENGTH};
use crate::key_ring::{Place, derive};
use crate::keyed_hash::KeyedHash;
use crate::random;
use crate::{Error, Secret, SessionId};

/// A token that proves that a form or script was handed out to this session: put it into a hidden field or a
/// header, never into a URL, and check it with
/// [`verify_csrf_token`](crate::CurrentSession::verify_csrf_token).
///
/// Bound to the session's id, so it dies with a rotation; masked anew each time, so that compressed responses
/// do not reveal it (BREACH). Not shown by `Debug`.
///
/// Where a [header](crate::SessionsBuilder::id_in_header) carries the id, browsers do not send it by themselves, and no such
/// token is needed.
#[derive(Clone)]
pub struct CsrfToken(String);

impl CsrfToken {
    /// The text: 86 characters of base64url.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CsrfToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CsrfToken(…)")
    }
}

/// The keys for such tokens; the first one makes them, all verify.
pub(crate) struct CsrfKeys(Vec<KeyedHash>);

impl CsrfKeys {
    pub(crate) fn new<'a>(
        secrets: impl Iterator<Item = &'a Secret>,
        place: impl Into<Place<'a>>,
    ) -> Self {
        let place = place.into();
        let key = |secret| derive(secret, b"cloakroom v1 csrf token", place);
        Self(secrets.map(key).collect())
    }

    pub(crate) fn token(&self, id: &SessionId) -> Result<CsrfToken, Error> {
        let mut mask = [0; 32];
        random::fill(&mut mask)?;
        let masked = xor(&mask, &self.0[0].of(id.as_bytes()));
        let mut text = String::with_capacity(2 * LENGTH);
        for half in [&mask, &masked] {
            text.push_str(
                std::str::from_utf8(&base64url::encode(half)).expect("base64url is ASCII"),
            );
        }
        Ok(CsrfToken(text))
    }

    pub(crate) fn accept(&self, id: &SessionId, token: &str) -> bool {
        let Some((mask, masked)) = token.as_bytes().split_at_checked(LENGTH) else {
            return false;
        };
        let (Some(mask), Some(masked)) = (base64url::decode(mask), base64url::decode(masked))
        else {
            return false;
        };
        let presented = xor(&mask, &masked);
        self.0
            .iter()
            .any(|key| key.of(id.as_bytes()).ct_eq(&presented).into())
    }
}

impl fmt::Debug for CsrfKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CsrfKeys(…)")
    }
}

fn xor(a: &[u8; 32], b: &[u8; 32]) -> [u8; 32] {
    std::array::from_fn(|at| a[at] ^ b[at])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CookieName;

    #[test]
    fn a_token_is_good_for_its_session_only_and_never_looks_the_same() {
        let (new, old) = (Secret::generate().unwrap(), Secret::generate().unwrap());
        let name = CookieName::new("sid").unwrap();
        let keys = CsrfKeys::new([&new, &old].into_iter(), &name);
        let before = CsrfKeys::new([&old].into_iter(), &name);
        let (mine, other) = (SessionId::random().unwrap(), SessionId::random().unwrap());

        let token = keys.token(&mine).unwrap();
        assert!(keys.accept(&mine, token.as_str()));
        assert!(!keys.accept(&other, token.as_str()));
        assert_ne!(token.as_str(), keys.token(&mine).unwrap().as_str());
        assert!(keys.accept(&mine, before.token(&mine).unwrap().as_str()));
        assert!(!before.accept(&mine, token.as_str()));
    }

    #[test]
    fn garbled_tokens_are_refused() {
        let name = CookieName::new("sid").unwrap();
        let keys = CsrfKeys::new([&Secret::generate().unwrap()].into_iter(), &name);
        let id = SessionId::random().unwrap();
        let token = keys.token(&id).unwrap().as_str().to_owned();
        let half = &token[..LENGTH];
        let zeros = "A".repeat(2 * LENGTH);
        let wide = format!("{}é", &token[..LENGTH - 1]);
        for bad in [
            "",
            half,
            &token[1..],
            &format!("{token}A"),
            &zeros,
            &format!("{half}{half}"),
            &wide,
        ] {
            assert!(!keys.accept(&id, bad), "{bad}");
        }
    }

    #[test]
    fn debug_prints_nothing_of_a_token() {
        let name = CookieName::new("sid").unwrap();
        let keys = CsrfKeys::new([&Secret::generate().unwrap()].into_iter(), &name);
        let token = keys.token(&SessionId::random().unwrap()).unwrap();
        assert_eq!(format!("{token:?} {keys:?}"), "CsrfToken(…) CsrfKeys(…)");
    }
}
