use std::fmt;

use cloakroom_store::SessionKey;
use subtle::ConstantTimeEq;

use crate::base64url::{self, LENGTH};
use crate::keyed_hash::hash;
use crate::{Error, KeyRing, SigningKey, random};

/// A new random id and its signed form, ready as a cookie value.
///
/// 32 bytes from the operating system's generator (OWASP ASVS 5.0, 7.2.3, asks for at least 16).
///
/// ```
/// use cloakroom::{CookieName, KeyRing, Secret, new_session_id, verify_session_id};
///
/// let keys = KeyRing::new(&Secret::generate()?, &CookieName::new("__Host-sid")?);
/// let (id, signed) = new_session_id(keys.signing_key())?;
/// let set_cookie = format!("__Host-sid={}; Path=/; Secure; HttpOnly", signed.as_str());
///
/// // With the next request:
/// assert_eq!(verify_session_id(signed.as_str(), &keys)?, id);
/// assert!(verify_session_id("forged", &keys).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// `Randomness` if the generator fails. There is no fallback.
pub fn new_session_id(key: &SigningKey) -> Result<(SessionId, SignedSessionId), Error> {
    let id = SessionId::random()?;
    let signed = SignedSessionId::sign(&id, key);
    Ok((id, signed))
}

/// The id in a cookie's or header's value, if one of the keys signed it; nothing otherwise.
///
/// Strict: exactly `<id>.<tag>`, each the 43 characters that were written, as the signature is that of the id's text. It is
/// compared in constant time.
///
/// # Errors
/// [`InvalidSessionId`], which says nothing about what was wrong.
pub fn verify_session_id(value: &str, keys: &KeyRing) -> Result<SessionId, InvalidSessionId> {
    verify(value.as_bytes(), keys).ok_or(InvalidSessionId)
}

pub(crate) fn verify(value: &[u8], keys: &KeyRing) -> Option<SessionId> {
    let (id, tag) = value.split_first_chunk::<LENGTH>()?;
    let tag = tag.strip_prefix(b".")?.try_into().ok()?;
    // No look at the alphabet: only what was written here is signed, and the signature is the text's.
    keys.accepts(id, tag).then_some(SessionId(*id))
}

/// The id of a session: whoever has it, signed, is its user.
///
/// It is not shown: no `Display`, and `Debug` says nothing. To name a session in a log or a list use
/// [`handle`](SessionId::handle). Compared in constant time.
// As text: so a request that presents it has nothing to decode, and respelling it makes another id, which nobody signed.
#[derive(Clone)]
pub struct SessionId([u8; LENGTH]);

impl SessionId {
    pub(crate) fn random() -> Result<Self, Error> {
        let mut bytes = [0; 32];
        random::fill(&mut bytes)?;
        Ok(Self::from_bytes(&bytes))
    }

    /// From bytes that nobody can guess.
    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(base64url::encode(bytes))
    }

    /// Under which a store keeps the session: the SHA-256 of the id.
    #[must_use]
    pub fn key(&self) -> SessionKey {
        SessionKey::from_bytes(hash(&self.0))
    }

    /// The public name of the session.
    #[must_use]
    pub fn handle(&self) -> cloakroom_store::Handle {
        self.key().handle()
    }

    /// Its 43 characters.
    pub(crate) fn as_bytes(&self) -> &[u8; LENGTH] {
        &self.0
    }
}

impl PartialEq for SessionId {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SessionId {}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(…)")
    }
}

/// A session id with its signature: the value of the cookie or header. Not shown by `Debug`.
#[derive(Clone)]
pub struct SignedSessionId([u8; Self::LENGTH]);

impl SignedSessionId {
    /// Its length: 43 characters of id, a dot, 43 characters of tag.
    pub const LENGTH: usize = 2 * LENGTH + 1;

    /// The signed form of an id.
    #[must_use]
    pub fn sign(id: &SessionId, key: &SigningKey) -> Self {
        let mut text = [b'.'; Self::LENGTH];
        text[..LENGTH].copy_from_slice(&id.0);
        text[LENGTH + 1..].copy_from_slice(&key.tag(&id.0));
        Self(text)
    }

    /// The cookie's or header's value. Needs no quoting and no escaping. Whoever reads it is signed in.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("base64url and a dot are ASCII")
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SignedSessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignedSessionId(…)")
    }
}

/// The value is not an id that one of the keys signed. Deliberately without a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidSessionId;

impl fmt::Display for InvalidSessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a valid session id")
    }
}

impl std::error::Error for InvalidSessionId {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CookieName, Secret};

    fn keys() -> KeyRing {
        KeyRing::new(
            &Secret::generate().unwrap(),
            &CookieName::new("sid").unwrap(),
        )
    }

    #[test]
    fn every_flipped_bit_is_refused() {
        let keys = keys();
        let (_, signed) = new_session_id(keys.signing_key()).unwrap();
        for at in 0..SignedSessionId::LENGTH {
            for bit in 0..8 {
                let mut value = signed.0;
                value[at] ^= 1 << bit;
                assert!(verify(&value, &keys).is_none(), "bit {bit} of byte {at}");
            }
        }
    }

    #[test]
    fn an_id_has_one_spelling() {
        let keys = keys();
        let (_, signed) = new_session_id(keys.signing_key()).unwrap();
        // The last character of each half stands for four bits, so four characters would decode to the same.
        for last in [LENGTH - 1, SignedSessionId::LENGTH - 1] {
            for other in 0..=255 {
                let mut value = signed.0;
                value[last] = other;
                let same = other == signed.0[last];
                assert_eq!(verify(&value, &keys).is_some(), same, "{other} at {last}");
            }
        }
    }

    #[test]
    fn other_shapes_are_refused() {
        let keys = keys();
        let (_, signed) = new_session_id(keys.signing_key()).unwrap();
        let good = signed.as_str();
        assert!(verify_session_id(good, &keys).is_ok());
        for bad in [
            String::new(),
            good[..43].to_owned(),
            format!("{good}="),
            format!(" {good}"),
            format!("\"{good}\""),
            good.replace('.', ","),
            good.repeat(2),
            "é".repeat(43) + ".",
            ".".repeat(87),
        ] {
            assert_eq!(
                verify_session_id(&bad, &keys),
                Err(InvalidSessionId),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn ids_are_256_random_bits() {
        let keys = keys();
        let ids: Vec<_> = (0..20_000)
            .map(|_| new_session_id(keys.signing_key()).unwrap().0)
            .map(|id| base64url::decode(&id.0).expect("base64url"))
            .collect();
        let unique: std::collections::HashSet<_> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len());
        for bit in 0..256 {
            let ones = ids
                .iter()
                .filter(|id| id[bit / 8] >> (bit % 8) & 1 == 1)
                .count();
            // Six standard deviations of a fair coin: one false alarm in two million runs of all 256.
            assert!(
                ones.abs_diff(10_000) < 425,
                "bit {bit} was set {ones} times"
            );
        }
    }

    #[test]
    fn nothing_prints_an_id() {
        let keys = keys();
        let (id, signed) = new_session_id(keys.signing_key()).unwrap();
        let printed = format!("{id:?} {signed:?} {:?} {keys:?}", id.key());
        for at in 0..=SignedSessionId::LENGTH - 8 {
            assert!(!printed.contains(&signed.as_str()[at..at + 8]));
        }
    }
}
