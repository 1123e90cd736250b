use crate::session_id::verify;
use crate::{KeyRing, SessionId};

/// More bytes of the fields that carry ids than this are not looked through. Servers commonly refuse 8 KiB already.
pub(crate) const MAX_BYTES: usize = 16 * 1024;

/// More values than this are not looked at. A browser sends several cookies of one name when they were set for
/// different paths or domains, which only somebody else can have done with ours.
const MAX_CANDIDATES: u32 = 4;

/// What a request presented where the session's id is expected: under the cookie's name, or in the header.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Presented {
    /// Nothing there.
    Nothing,
    /// Only values that no key signed.
    Invalid,
    /// One id, perhaps several times or among invalid ones.
    Id(SessionId),
    /// Different ids that all verify. Their order does not tell which one is the user's (RFC 6265bis, section 4.2.2).
    Several(Vec<SessionId>),
    /// More candidates or bytes than are looked at. Those that verified.
    TooMuch(Vec<SessionId>),
}

/// The values of one request that may be the session's id.
#[derive(Debug)]
pub(crate) struct Candidates<'k> {
    keys: &'k KeyRing,
    bytes: usize,
    count: u32,
    found: Option<SessionId>,
    others: Vec<SessionId>,
}

impl<'k> Candidates<'k> {
    pub(crate) fn new(keys: &'k KeyRing) -> Self {
        Self {
            keys,
            bytes: 0,
            count: 0,
            found: None,
            others: Vec::new(),
        }
    }

    /// Whether a field of that length is still to be looked through.
    pub(crate) fn look_through(&mut self, length: usize) -> bool {
        self.bytes += length;
        self.bytes <= MAX_BYTES
    }

    /// Whether more are looked at.
    pub(crate) fn offer(&mut self, value: &[u8]) -> bool {
        self.count += 1;
        if self.count > MAX_CANDIDATES {
            return false;
        }
        if let Some(id) = verify(value, self.keys) {
            match &self.found {
                None => self.found = Some(id),
                Some(first) if *first == id || self.others.contains(&id) => {}
                Some(_) => self.others.push(id),
            }
        }
        true
    }

    pub(crate) fn presented(self) -> Presented {
        let too_much = self.count > MAX_CANDIDATES || self.bytes > MAX_BYTES;
        let mut others = self.others;
        match self.found {
            found if too_much => {
                others.extend(found);
                Presented::TooMuch(others)
            }
            Some(id) if others.is_empty() => Presented::Id(id),
            Some(id) => {
                others.push(id);
                Presented::Several(others)
            }
            None if self.count > 0 => Presented::Invalid,
            None => Presented::Nothing,
        }
    }
}
