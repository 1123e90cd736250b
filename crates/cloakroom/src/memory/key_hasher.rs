use std::hash::{BuildHasherDefault, Hasher};

/// Takes eight bytes of a session key as its hash. Keys are SHA-256 values of ids that only this server mints, so
/// they are evenly distributed already and nobody can choose them to collide.
#[derive(Default)]
pub(super) struct KeyHasher(u64);

pub(super) type BuildKeyHasher = BuildHasherDefault<KeyHasher>;

impl Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(last) = bytes.last_chunk() {
            self.0 = u64::from_le_bytes(*last);
        }
    }

    // The length that comes before the bytes says nothing.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloakroom_store::SessionKey;
    use std::hash::BuildHasher;

    #[test]
    fn different_keys_hash_differently() {
        let build = BuildKeyHasher::default();
        let mut bytes = [0; 32];
        let first = build.hash_one(SessionKey::from_bytes(bytes));
        bytes[31] = 1;
        assert_ne!(first, build.hash_one(SessionKey::from_bytes(bytes)));
    }
}
