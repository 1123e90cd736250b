use std::fmt;

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{Key, Tag, XChaCha20Poly1305, XNonce};
use cloakroom_store::{Seal, StoreError, StoreErrorKind};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{Error, Secret, random};

/// What sealed data begins with. Another format gets another number, and this one stays readable.
const FORMAT: u8 = 1;
const KEY_ID: usize = 4;
const HEADER: usize = 1 + KEY_ID;
const NONCE: usize = 24;
const TAG: usize = 16;

/// The keys with which stores encrypt session data: the one in use, and earlier ones that only decrypt.
///
/// Each is derived from a [`Secret`] by HKDF-SHA256 (RFC 5869) with a label that names purpose and version, so that
/// it has nothing to do with the key that signs ids, even where both come from one secret. Take two, all the same,
/// to change one without the other. Data is encrypted with XChaCha20-Poly1305 under a random nonce of 192 bits,
/// which may be done without counting for as long as you like. It gets 45 bytes longer.
///
/// To change the secret without ending sessions, put the new one first and keep the old one until every session was
/// written with the new one or is over: a session is encrypted anew when its data is written next, not when it
/// is used or gets another id. Several processes on one store first learn the new one with
/// [`and_accept`](Self::and_accept), all of them, and only then write with it.
///
/// ```
/// use cloakroom::{EncryptionKeys, Seal, Secret};
///
/// let (old, new) = (Secret::generate()?, Secret::generate()?);
/// let sealed = EncryptionKeys::new(&old).seal("json", b"{}")?;
///
/// let both = EncryptionKeys::new(&new).and_accept(&old);
/// assert_eq!(both.open("json", &sealed)?, b"{}");
/// assert!(EncryptionKeys::new(&new).open("json", &sealed).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A store takes them when it is built: `SqliteStore::builder(…).encrypted_with(keys)`. What that guards, and what
/// it does not, is told in the guide of each store.
#[derive(Clone)]
pub struct EncryptionKeys {
    encrypting: EncryptionKey,
    earlier: Vec<EncryptionKey>,
}

impl EncryptionKeys {
    /// One key, which encrypts and decrypts.
    #[must_use]
    pub fn new(secret: &Secret) -> Self {
        Self {
            encrypting: EncryptionKey::derive(secret),
            earlier: Vec::new(),
        }
    }

    /// Adds another secret, which only decrypts.
    #[must_use]
    pub fn and_accept(mut self, secret: &Secret) -> Self {
        self.earlier.push(EncryptionKey::derive(secret));
        self
    }

    fn all(&self) -> impl Iterator<Item = &EncryptionKey> {
        std::iter::once(&self.encrypting).chain(&self.earlier)
    }
}

impl Seal for EncryptionKeys {
    fn seal(&self, codec: &str, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        let mut nonce = [0; NONCE];
        random::fill(&mut nonce)
            .map_err(|error: Error| StoreError::new(StoreErrorKind::Internal, error))?;
        self.encrypting.seal(codec, plain, nonce)
    }

    fn open(&self, codec: &str, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        let parts = Parts::of(sealed)?;
        let mut found = false;
        // Two keys have one id once in four billion times.
        for key in self.all().filter(|key| key.id == parts.key_id) {
            found = true;
            if let Some(plain) = key.open(codec, &parts) {
                return Ok(plain);
            }
        }
        Err(undecodable(match found {
            true => "the encrypted session was altered, or its codec was",
            false => "the session was encrypted with a key that is not among those configured",
        }))
    }
}

impl fmt::Debug for EncryptionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EncryptionKeys({} of them)", self.all().count())
    }
}

#[derive(Clone)]
struct EncryptionKey {
    /// Says with which key something was encrypted; nothing of the key follows from it.
    id: [u8; KEY_ID],
    /// Wiped when dropped.
    cipher: XChaCha20Poly1305,
}

impl EncryptionKey {
    fn derive(secret: &Secret) -> Self {
        let hkdf = Hkdf::<Sha256>::new(None, secret.as_bytes());
        let mut key = Zeroizing::new([0; 32]);
        let mut id = [0; KEY_ID];
        const FITS: &str = "HKDF gives up to 255 times 32 bytes";
        hkdf.expand(b"cloakroom v1 session data", key.as_mut())
            .expect(FITS);
        hkdf.expand(b"cloakroom v1 session data key id", &mut id)
            .expect(FITS);
        Self {
            id,
            cipher: XChaCha20Poly1305::new(<&Key>::from(&*key)),
        }
    }

    fn seal(&self, codec: &str, plain: &[u8], nonce: [u8; NONCE]) -> Result<Vec<u8>, StoreError> {
        let mut sealed = Vec::with_capacity(HEADER + NONCE + plain.len() + TAG);
        sealed.push(FORMAT);
        sealed.extend_from_slice(&self.id);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let buffer = &mut sealed[HEADER + NONCE..];
        let tag = self
            .cipher
            .encrypt_inout_detached(&XNonce::from(nonce), &self.bound(codec), buffer.into())
            .map_err(|_| {
                // At 256 GiB.
                StoreError::new(StoreErrorKind::TooLarge, "too much data to encrypt at once")
            })?;
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    fn open(&self, codec: &str, parts: &Parts<'_>) -> Option<Vec<u8>> {
        let mut plain = parts.data.to_vec();
        self.cipher
            .decrypt_inout_detached(
                &XNonce::from(*parts.nonce),
                &self.bound(codec),
                plain.as_mut_slice().into(),
                &Tag::from(*parts.tag),
            )
            .ok()?;
        Some(plain)
    }

    /// What cannot be changed without the data becoming unreadable, besides the data and its nonce. Both before
    /// the codec have a fixed length.
    fn bound(&self, codec: &str) -> Vec<u8> {
        [&[FORMAT], self.id.as_slice(), codec.as_bytes()].concat()
    }
}

/// Format 1: `01 ‖ key id (4) ‖ nonce (24) ‖ encrypted data ‖ tag (16)`.
struct Parts<'a> {
    key_id: [u8; KEY_ID],
    nonce: &'a [u8; NONCE],
    data: &'a [u8],
    tag: &'a [u8; TAG],
}

impl<'a> Parts<'a> {
    fn of(sealed: &'a [u8]) -> Result<Self, StoreError> {
        let short = || undecodable("the encrypted session is cut off");
        let (format, rest) = sealed.split_first().ok_or_else(short)?;
        if *format != FORMAT {
            return Err(undecodable(
                "the session is encrypted in a form that this build does not know",
            ));
        }
        let (key_id, rest) = rest.split_first_chunk().ok_or_else(short)?;
        let (nonce, rest) = rest.split_first_chunk().ok_or_else(short)?;
        let (data, tag) = rest.split_last_chunk().ok_or_else(short)?;
        Ok(Self {
            key_id: *key_id,
            nonce,
            data,
            tag,
        })
    }
}

fn undecodable(why: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Undecodable, why)
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use proptest::prelude::*;

    use super::*;

    fn secret(first: u8) -> Secret {
        Secret::from_bytes(&std::array::from_fn::<u8, 32, _>(|at| first + at as u8)).unwrap()
    }

    fn refused(keys: &EncryptionKeys, codec: &str, sealed: &[u8]) -> String {
        let error = keys.open(codec, sealed).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Undecodable);
        error.source().unwrap().to_string()
    }

    #[test]
    fn what_was_sealed_opens_and_looks_different_each_time() {
        let keys = EncryptionKeys::new(&secret(0));
        for plain in [&b""[..], b"{}", &[7; 10_000]] {
            let (one, two) = (keys.seal("json", plain), keys.seal("json", plain));
            let (one, two) = (one.unwrap(), two.unwrap());
            assert_ne!(one, two);
            assert_eq!(one.len(), plain.len() + 45);
            assert_eq!(keys.open("json", &one).unwrap(), plain);
            assert_eq!(keys.open("json", &two).unwrap(), plain);
        }
    }

    #[test]
    fn every_change_is_noticed() {
        let keys = EncryptionKeys::new(&secret(0));
        let sealed = keys.seal("json", b"{\"admin\":false}").unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut altered = sealed.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            refused(&keys, "json", &altered);
        }
        for length in 0..sealed.len() {
            refused(&keys, "json", &sealed[..length]);
        }
        refused(&keys, "json", &[&sealed[..], b"\0"].concat());
        assert!(refused(&keys, "messagepack", &sealed).contains("altered"));
    }

    #[test]
    fn an_earlier_key_decrypts_until_it_is_taken_out() {
        let (old, new) = (secret(0), secret(1));
        let before = EncryptionKeys::new(&old).seal("json", b"1").unwrap();
        let both = EncryptionKeys::new(&new).and_accept(&old);
        assert_eq!(both.open("json", &before).unwrap(), b"1");
        let after = both.seal("json", b"2").unwrap();

        let only_new = EncryptionKeys::new(&new);
        assert_eq!(only_new.open("json", &after).unwrap(), b"2");
        assert!(refused(&only_new, "json", &before).contains("a key that is not among"));
        assert!(refused(&EncryptionKeys::new(&old), "json", &after).contains("a key"));
    }

    #[test]
    fn two_keys_of_one_id_are_both_tried() {
        let (mut one, two) = (
            EncryptionKey::derive(&secret(0)),
            EncryptionKey::derive(&secret(1)),
        );
        one.id = two.id;
        let sealed = two.seal("json", b"1", [3; NONCE]).unwrap();
        let keys = EncryptionKeys {
            encrypting: one,
            earlier: vec![two],
        };
        assert_eq!(keys.open("json", &sealed).unwrap(), b"1");
    }

    #[test]
    fn the_format_is_the_one_that_is_documented() {
        // Computed with libsodium, and Python's hmac and hashlib from RFC 5869. Changing this makes what was
        // stored unreadable.
        let nonce = std::array::from_fn(|at| 0xa0 + at as u8);
        let key = EncryptionKey::derive(&secret(0));
        let sealed = key.seal("json", b"{\"user\":\"ada\"}", nonce).unwrap();
        let hex: String = sealed.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, EXPECTED);
        let opened = EncryptionKeys::new(&secret(0)).open("json", &sealed);
        assert_eq!(opened.unwrap(), b"{\"user\":\"ada\"}");
    }

    const EXPECTED: &str = "01cca32465a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7c254c11adf45050a0be3c3ea28c8440edfd9f85437d6f3362f9728a8b8af";

    #[test]
    fn neither_keys_nor_errors_show_anything() {
        let secret = Secret::from_bytes(b"correct horse battery staple 123").unwrap();
        let keys = EncryptionKeys::new(&secret).and_accept(&self::secret(0));
        assert_eq!(format!("{keys:?}"), "EncryptionKeys(2 of them)");
        let mut sealed = keys.seal("json", b"hunter2").unwrap();
        sealed[40] ^= 1;
        let error = keys.open("json", &sealed).unwrap_err();
        let shown = format!("{error} {error:?} {}", error.source().unwrap());
        assert!(!shown.contains("hunter2") && !shown.contains("horse"));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_refused(
            codec in ".{0,20}",
            mut bytes in prop::collection::vec(any::<u8>(), 0..200),
            begins_well in any::<bool>(),
        ) {
            let keys = EncryptionKeys::new(&secret(0)).and_accept(&secret(1));
            if begins_well && bytes.len() >= HEADER {
                bytes[0] = FORMAT;
                bytes[1..HEADER].copy_from_slice(&keys.earlier[0].id);
            }
            let error = keys.open(&codec, &bytes).unwrap_err();
            prop_assert_eq!(error.kind(), StoreErrorKind::Undecodable);
        }
    }
}
