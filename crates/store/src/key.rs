use std::fmt;

use sha2::{Digest, Sha256};

use crate::Handle;

/// Under which a store keeps a session: the SHA-256 of the session's id.
///
/// Nobody gets in with it. The id cannot be computed from it, so a leaked database opens no session (OWASP
/// ASVS 5.0, 6.5.2). Even so it is not for logs: `Debug` prints the [`Handle`] instead.
///
/// ```
/// use cloakroom_store::SessionKey;
///
/// let key = SessionKey::from_bytes([7; 32]);
/// assert!(!format!("{key:?}").contains("0707"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionKey([u8; 32]);

impl SessionKey {
    /// From the bytes as a store kept them.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes for a store to keep. They are evenly distributed, so any of them can pick a shard.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The public name of this session, for lists, logs and events. Computed, not stored: one SHA-256.
    #[must_use]
    pub fn handle(&self) -> Handle {
        let digest = Sha256::new()
            .chain_update(b"cloakroom handle v1")
            .chain_update(self.0)
            .finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        Handle::from_bytes(bytes)
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionKey({})", self.handle())
    }
}
