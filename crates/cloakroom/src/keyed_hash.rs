//! SHA-256 (FIPS 180-4) and HMAC-SHA256 (RFC 2104) of what fits into one block, as an id does. Nothing longer is ever
//! hashed while a request waits, and for one length the padding is always the same, so that hashing is no more than
//! calls of the hash function itself, of which the `sha2` crate has one for each processor.

use sha2::block_api::compress256;
use zeroize::{Zeroize, Zeroizing};

/// Where SHA-256 begins (FIPS 180-4, section 5.3.3).
const BEGINNING: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// SHA-256.
pub(crate) fn hash<const LENGTH: usize>(bytes: &[u8; LENGTH]) -> [u8; 32] {
    finish(BEGINNING, bytes, 0)
}

/// HMAC-SHA256 that has taken in its key.
#[derive(Clone)]
pub(crate) struct KeyedHash {
    // The states after the key's block: each use costs two blocks less than starting from the key.
    inner: [u32; 8],
    outer: [u32; 8],
}

impl KeyedHash {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self {
            inner: after_key(key, 0x36),
            outer: after_key(key, 0x5c),
        }
    }

    pub(crate) fn of<const LENGTH: usize>(&self, bytes: &[u8; LENGTH]) -> [u8; 32] {
        finish(self.outer, &finish(self.inner, bytes, 1), 1)
    }
}

impl Drop for KeyedHash {
    fn drop(&mut self) {
        self.inner.zeroize();
        self.outer.zeroize();
    }
}

fn after_key(key: &[u8; 32], pad: u8) -> [u32; 8] {
    let mut block = Zeroizing::new([pad; 64]);
    for (byte, key) in block.iter_mut().zip(key) {
        *byte ^= key;
    }
    let mut state = BEGINNING;
    compress256(&mut state, std::slice::from_ref(&*block));
    state
}

/// Takes in the last bytes of a message, of which so many whole blocks were taken in before.
fn finish<const LENGTH: usize>(mut state: [u32; 8], bytes: &[u8; LENGTH], blocks: u64) -> [u8; 32] {
    const { assert!(LENGTH < 56, "a bit and the length are behind it") };
    let bits = 8 * (64 * blocks + LENGTH as u64);
    let mut block = [0; 64];
    block[..LENGTH].copy_from_slice(bytes);
    block[LENGTH] = 0x80;
    block[56..].copy_from_slice(&bits.to_be_bytes());
    compress256(&mut state, &[block]);
    let mut digest = [0; 32];
    for (bytes, word) in digest.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    digest
}

#[cfg(test)]
mod tests {
    use super::*;
    use hmac::{Hmac, KeyInit, Mac};
    use sha2::{Digest, Sha256};

    fn samples<const LENGTH: usize>() -> impl Iterator<Item = [u8; LENGTH]> {
        let bytes = |seed: u8| std::array::from_fn(|at| (at as u8).wrapping_mul(seed | 1) ^ seed);
        (0..=255).map(bytes).chain([[0; LENGTH], [0xff; LENGTH]])
    }

    #[test]
    fn a_hash_is_what_another_implementation_says() {
        fn check<const LENGTH: usize>() {
            for bytes in samples::<LENGTH>() {
                assert_eq!(hash(&bytes), <[u8; 32]>::from(Sha256::digest(bytes)));
            }
        }
        check::<0>();
        check::<32>();
        check::<43>();
        check::<55>();
    }

    #[test]
    fn a_keyed_hash_is_what_another_implementation_says() {
        fn check<const LENGTH: usize>() {
            for (key, bytes) in samples::<32>().zip(samples::<LENGTH>().skip(1)) {
                let expected = Hmac::<Sha256>::new_from_slice(&key).unwrap();
                let expected = expected.chain_update(bytes).finalize().into_bytes();
                let keyed = KeyedHash::new(&key);
                assert_eq!(keyed.of(&bytes), <[u8; 32]>::from(expected));
                assert_eq!(keyed.clone().of(&bytes), keyed.of(&bytes));
            }
        }
        check::<0>();
        check::<32>();
        check::<43>();
        check::<55>();
    }
}
