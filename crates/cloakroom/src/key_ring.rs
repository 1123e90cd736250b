use std::fmt;

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::base64url::{self, LENGTH};
use crate::keyed_hash::KeyedHash;
use crate::{CookieName, IdHeader, Secret};

/// The key that signs ids for one cookie, or for one header.
///
/// Derived from the application's [`Secret`] by HKDF-SHA256 (RFC 5869) with a label that names purpose, version
/// and cookie or header, so that a value signed for one of them is worth nothing in another.
#[derive(Clone)]
pub struct SigningKey {
    keyed: KeyedHash,
}

impl SigningKey {
    /// The signing key that `secret` gives for the cookie of that name.
    #[must_use]
    pub fn derive(secret: &Secret, cookie: &CookieName) -> Self {
        Self::bound_to(secret, cookie.into())
    }

    fn bound_to(secret: &Secret, place: Place<'_>) -> Self {
        Self {
            keyed: derive(secret, b"cloakroom v1 session id", place),
        }
    }

    /// In base64url.
    pub(crate) fn tag(&self, id: &[u8; LENGTH]) -> [u8; LENGTH] {
        base64url::encode(&self.keyed.of(id))
    }

    /// In constant time. The texts are compared: encoding one costs less than decoding one.
    pub(crate) fn accepts(&self, id: &[u8; LENGTH], tag: &[u8; LENGTH]) -> bool {
        base64url::same(&self.tag(id), tag)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

/// The keys with which a cookie may be signed: the one in use, and earlier ones that only verify.
///
/// To change a secret without signing anybody out, put the new one first and keep the old one until its cookies
/// have run out.
///
/// ```
/// use cloakroom::{CookieName, KeyRing, Secret, SigningKey, new_session_id, verify_session_id};
///
/// let name = CookieName::new("__Host-sid")?;
/// let (old, new) = (Secret::generate()?, Secret::generate()?);
/// let (id, signed) = new_session_id(&SigningKey::derive(&old, &name))?;
///
/// let both = KeyRing::new(&new, &name).and_accept(&old, &name);
/// assert_eq!(verify_session_id(signed.as_str(), &both)?, id);
/// assert!(verify_session_id(signed.as_str(), &KeyRing::new(&new, &name)).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct KeyRing {
    signing: SigningKey,
    earlier: Vec<SigningKey>,
}

impl KeyRing {
    /// A ring of one key, which signs and verifies.
    #[must_use]
    pub fn new(secret: &Secret, cookie: &CookieName) -> Self {
        Self::bound_to(secret, cookie.into())
    }

    pub(crate) fn bound_to(secret: &Secret, place: Place<'_>) -> Self {
        Self {
            signing: SigningKey::bound_to(secret, place),
            earlier: Vec::new(),
        }
    }

    /// Adds an earlier secret, which only verifies.
    #[must_use]
    pub fn and_accept(self, secret: &Secret, cookie: &CookieName) -> Self {
        self.and_accept_in(secret, cookie.into())
    }

    pub(crate) fn and_accept_in(mut self, secret: &Secret, place: Place<'_>) -> Self {
        self.earlier.push(SigningKey::bound_to(secret, place));
        self
    }

    /// The key that signs.
    #[must_use]
    pub fn signing_key(&self) -> &SigningKey {
        &self.signing
    }

    pub(crate) fn accepts(&self, id: &[u8; LENGTH], tag: &[u8; LENGTH]) -> bool {
        self.signing.accepts(id, tag) || self.earlier.iter().any(|key| key.accepts(id, tag))
    }
}

/// Where an id travels, as far as its keys are concerned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    kind: &'static [u8],
    name: &'a str,
}

impl<'a> From<&'a CookieName> for Place<'a> {
    fn from(cookie: &'a CookieName) -> Self {
        Self {
            kind: b"",
            name: cookie.as_str(),
        }
    }
}

impl<'a> From<&'a IdHeader> for Place<'a> {
    fn from(header: &'a IdHeader) -> Self {
        Self {
            // No cookie's name has a byte 0, so no cookie has the key of a header.
            kind: b"header\0",
            name: header.request_name(),
        }
    }
}

/// An HMAC that has already taken in the key for this purpose.
pub(crate) fn derive<'a>(
    secret: &Secret,
    purpose: &[u8],
    place: impl Into<Place<'a>>,
) -> KeyedHash {
    let Place { kind, name } = place.into();
    let mut key = Zeroizing::new([0; 32]);
    // The purpose has no byte 0, so the parts cannot be taken for others.
    Hkdf::<Sha256>::new(None, secret.as_bytes())
        .expand_multi_info(&[purpose, b"\0", kind, name.as_bytes()], key.as_mut())
        .expect("HKDF gives up to 255 times the 32 bytes asked for");
    KeyedHash::new(&key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_by_secret_by_cookie_by_header_and_by_purpose() {
        let secret = Secret::generate().unwrap();
        let other = Secret::generate().unwrap();
        let name = CookieName::new("a").unwrap();
        let id = [b'i'; LENGTH];
        let tag = SigningKey::derive(&secret, &name).tag(&id);

        assert!(SigningKey::derive(&secret, &name).accepts(&id, &tag));
        assert!(!SigningKey::derive(&other, &name).accepts(&id, &tag));
        let elsewhere = CookieName::new("b").unwrap();
        assert!(!SigningKey::derive(&secret, &elsewhere).accepts(&id, &tag));
        let header = IdHeader::new("a").unwrap();
        assert!(!SigningKey::bound_to(&secret, (&header).into()).accepts(&id, &tag));
        let purpose = derive(&secret, b"cloakroom v1 csrf", &name);
        assert_ne!(base64url::encode(&purpose.of(&id)), tag);
    }

    #[test]
    fn the_key_and_the_tag_are_what_the_design_says() {
        // Computed with Python's hmac and hashlib from RFC 5869. Changing this signs everybody out.
        let secret = Secret::from_bytes(&std::array::from_fn::<u8, 32, _>(|at| at as u8)).unwrap();
        let name = CookieName::new("__Host-sid").unwrap();
        let tag = SigningKey::derive(&secret, &name).tag(&base64url::encode(&[7; 32]));
        let tag = base64url::decode(&tag).unwrap();
        let hex: String = tag.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, EXPECTED_TAG);
    }

    const EXPECTED_TAG: &str = "1045990b11778f139e68af374182795fa701960d9f87402e0410b6df4331c8c3";
}
