//! The names of all keys. The table of them is in the guide.

use cloakroom_store::{Owner, SessionKey};

use crate::KeyPrefix;

/// Slots of a cluster.
pub(crate) const SLOTS: u16 = 16_384;

#[derive(Clone, Debug)]
pub(crate) struct Layout {
    prefix: KeyPrefix,
}

impl Layout {
    pub(crate) fn new(prefix: KeyPrefix) -> Self {
        Self { prefix }
    }

    pub(crate) fn prefix(&self) -> &KeyPrefix {
        &self.prefix
    }

    /// A session. The braces let its tombstones share its slot.
    pub(crate) fn session(&self, member: &str) -> String {
        self.name(["s:{", member, "}"])
    }

    /// What marks an index entry as dead for ever. In the slot of its session.
    pub(crate) fn tombstone(&self, member: &str, nonce: &str) -> String {
        self.name(["t:{", member, "}", nonce])
    }

    /// Where a session moved. In the slot of the key that it left.
    pub(crate) fn trail(&self, member: &str) -> String {
        self.name(["r:{", member, "}"])
    }

    /// What lets a session that moves land under its new key. In the slot of that key.
    pub(crate) fn pass(&self, member: &str) -> String {
        self.name(["p:{", member, "}"])
    }

    /// The channel on which endings are announced.
    pub(crate) fn channel(&self) -> String {
        self.name(["ended"])
    }

    /// What the index of every owner begins with.
    pub(crate) fn index_prefix(&self) -> String {
        self.name(["o:"])
    }

    /// The index of an owner.
    pub(crate) fn index(&self, owner: &Owner) -> String {
        self.name(["o:", owner.as_str()])
    }

    /// The pattern that sessions fit.
    pub(crate) fn sessions(&self) -> String {
        self.name(["s:*"])
    }

    /// The pattern that sessions, trails and passes fit.
    pub(crate) fn sessions_and_traces(&self) -> String {
        self.name(["[spr]:{*"])
    }

    /// The pattern that indexes fit.
    pub(crate) fn indexes(&self) -> String {
        self.name(["o:*"])
    }

    // Each request needs one, and `format!` takes several times as long.
    fn name<const N: usize>(&self, parts: [&str; N]) -> String {
        let prefix = self.prefix.as_str();
        let length = parts.iter().map(|part| part.len()).sum::<usize>();
        let mut name = String::with_capacity(prefix.len() + length);
        name.push_str(prefix);
        parts.iter().for_each(|part| name.push_str(part));
        name
    }

    /// The session that a key is of.
    pub(crate) fn key_of(&self, name: &[u8]) -> Option<SessionKey> {
        let rest = name.strip_prefix(self.prefix.as_str().as_bytes())?;
        let rest = rest.strip_prefix(b"s:{")?.strip_suffix(b"}")?;
        from_member(rest)
    }

    /// The owner that an index is of.
    pub(crate) fn owner_of(&self, name: &[u8]) -> Option<Owner> {
        let rest = name.strip_prefix(self.prefix.as_str().as_bytes())?;
        let rest = std::str::from_utf8(rest.strip_prefix(b"o:")?).ok()?;
        Owner::new(rest).ok()
    }
}

/// How keys and indexes name a session: 64 hexadecimal digits.
pub(crate) fn member(key: &SessionKey) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut digits = [0; 64];
    for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(key.as_bytes()) {
        *pair = [byte >> 4, byte & 15].map(|half| DIGITS[usize::from(half)]);
    }
    std::str::from_utf8(&digits)
        .expect("hexadecimal digits are ASCII")
        .to_owned()
}

/// The session of such a name.
pub(crate) fn from_member(member: &[u8]) -> Option<SessionKey> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = member.as_chunks::<2>();
    if pairs.len() != 32 || !rest.is_empty() {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(SessionKey::from_bytes(bytes))
}

/// The slot of a key: CRC-16 (XMODEM) of what stands between the first braces, or of all of it.
pub(crate) fn slot(key: &[u8]) -> u16 {
    let tag = key
        .iter()
        .position(|&byte| byte == b'{')
        .and_then(|open| {
            let rest = &key[open + 1..];
            let close = rest.iter().position(|&byte| byte == b'}')?;
            (close > 0).then(|| &rest[..close])
        })
        .unwrap_or(key);
    let crc = tag.iter().fold(0_u16, |crc, &byte| {
        (0..8).fold(crc ^ u16::from(byte) << 8, |crc, _| match crc & 0x8000 {
            0 => crc << 1,
            _ => crc << 1 ^ 0x1021,
        })
    });
    crc % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_the_specification() {
        // The check value of the algorithm, and what CLUSTER KEYSLOT answers.
        assert_eq!(slot(b"123456789"), 0x31c3);
        assert_eq!(slot(b"foo"), 12_182);
        assert_eq!(slot(b"{foo}bar"), slot(b"foo"));
        assert_eq!(slot(b"a{foo}{bar}"), slot(b"foo"));
        assert_eq!(slot(b"foo{}{bar}"), 8_363);
        assert_eq!(slot(b"foo{{bar}}zap"), slot(b"{bar"));
    }

    #[test]
    fn names_lead_back_to_what_they_name() {
        let layout = Layout::new(KeyPrefix::default());
        let key = SessionKey::from_bytes(std::array::from_fn(|at| at as u8 * 7));
        let name = layout.session(&member(&key));
        assert_eq!(layout.key_of(name.as_bytes()), Some(key));
        let tombstone = layout.tombstone(&member(&key), "0123");
        assert_eq!(slot(tombstone.as_bytes()), slot(name.as_bytes()));
        assert_eq!(layout.key_of(tombstone.as_bytes()), None);
        for other in [layout.trail(&member(&key)), layout.pass(&member(&key))] {
            assert_eq!(slot(other.as_bytes()), slot(name.as_bytes()));
            assert_eq!(layout.key_of(other.as_bytes()), None);
        }
        let owner = Owner::new("a{b}*").unwrap();
        assert_eq!(
            layout.owner_of(layout.index(&owner).as_bytes()),
            Some(owner)
        );
        for bad in ["", "cloakroom:s:{00}", "other:s:{}"] {
            assert_eq!(layout.key_of(bad.as_bytes()), None, "{bad:?}");
        }
    }
}
