//! What stands before the data of a session. The table of it is in the guide; the scripts know the same places.
//!
//! All of it is text of fixed width but four texts, whose lengths are among it. So a script reads one piece from the
//! beginning, and changes times where they stand without touching the data.

use std::ops::Range;
use std::str::from_utf8;
use std::time::Duration;

use cloakroom_store::{Times, Timestamp};

use crate::error::RedisStoreError;
use crate::moment::{WIDTH, digits, number, of_digits, of_span_digits, padded, span_digits};

/// What every session begins with. Another layout would begin with something else.
const MARK: &[u8] = b"c1";
const VERSION: Range<usize> = 2..22;
const NOTE_LENGTH: Range<usize> = 22..24;
/// Where the note of a cluster begins: until when its index entry is kept, and the number of that.
const NOTE: usize = 24;
/// The times, counted from the first: `expires_at`, `last_seen_at`, `created_at`, `authenticated_at`, `renewed_at`,
/// `ends_at`, and the idle time-out.
pub(crate) const TIMES: usize = 7 * WIDTH;
/// After them, whether it ends with the browser, and the lengths of owner, client and codec.
const BROWSER: usize = TIMES;
const LENGTHS: [Range<usize>; 3] = [141..144, 144..147, 147..149];
const TEXTS: usize = 149;
/// The last place at which something may stand that is asked for without the data: the end of the longest owner.
pub(crate) const LAST: &str = "499";

/// The head of a session as it is stored, with the data or without it.
#[derive(Clone, Copy)]
pub(crate) struct Head<'a> {
    version: &'a [u8],
    note: &'a [u8],
    /// From the times on.
    rest: &'a [u8],
}

impl<'a> Head<'a> {
    pub(crate) fn of(stored: &'a [u8]) -> Result<Self, RedisStoreError> {
        let part = |range: Range<usize>| stored.get(range).ok_or_else(malformed);
        if !stored.starts_with(MARK) {
            return Err(malformed());
        }
        let end = NOTE + length(part(NOTE_LENGTH)?)?;
        let head = Self {
            version: part(VERSION)?,
            note: part(NOTE..end)?,
            rest: stored.get(end..).unwrap_or_default(),
        };
        match head.rest.len() < TEXTS {
            true => Err(malformed()),
            false => Ok(head),
        }
    }

    pub(crate) fn version(&self) -> Result<u64, RedisStoreError> {
        number(self.version).ok_or_else(malformed)
    }

    /// Cluster only: the second half of its name in the index of its owner.
    pub(crate) fn entry(&self) -> Result<Option<&'a str>, RedisStoreError> {
        let entry = self.note.get(WIDTH..).map(from_utf8).transpose();
        entry.map_err(|_| malformed())
    }

    pub(crate) fn expires_at(&self) -> Result<Option<Timestamp>, RedisStoreError> {
        self.time(0)
    }

    pub(crate) fn created_at(&self) -> Result<Timestamp, RedisStoreError> {
        self.time(2)?.ok_or_else(malformed)
    }

    pub(crate) fn times(&self) -> Result<Times, RedisStoreError> {
        let mut times = Times::starting(self.created_at()?);
        times.last_seen_at = self.time(1)?.ok_or_else(malformed)?;
        times.authenticated_at = self.time(3)?;
        times.renewed_at = self.time(4)?.ok_or_else(malformed)?;
        times.ends_at = self.time(5)?;
        let idle = of_span_digits(&self.rest[6 * WIDTH..TIMES]).ok_or_else(malformed)?;
        times.idle_timeout = idle.map(Duration::from_millis);
        Ok(times)
    }

    pub(crate) fn browser_session(&self) -> bool {
        self.rest[BROWSER] == b'1'
    }

    pub(crate) fn owner(&self) -> Result<Option<&'a str>, RedisStoreError> {
        let owner = self.text(0)?;
        Ok((!owner.is_empty()).then_some(owner))
    }

    /// Address and user agent.
    pub(crate) fn client(&self) -> Result<(Option<&'a str>, Option<&'a str>), RedisStoreError> {
        let filled = |text: &'a str| (!text.is_empty()).then_some(text);
        Ok(match self.text(1)?.split_once(' ') {
            Some((address, agent)) => (filled(address), filled(agent)),
            None => (None, None),
        })
    }

    pub(crate) fn codec(&self) -> Result<&'a str, RedisStoreError> {
        self.text(2)
    }

    /// How long the data is that follows.
    pub(crate) fn data_length(&self) -> Result<usize, RedisStoreError> {
        let head = TEXTS + self.lengths()?.iter().sum::<usize>();
        self.rest.len().checked_sub(head).ok_or_else(malformed)
    }

    /// All that is neither the server's nor a time.
    pub(crate) fn after_times(&self) -> &'a [u8] {
        &self.rest[TIMES..]
    }

    fn time(&self, which: usize) -> Result<Option<Timestamp>, RedisStoreError> {
        of_digits(&self.rest[which * WIDTH..][..WIDTH]).ok_or_else(malformed)
    }

    fn lengths(&self) -> Result<[usize; 3], RedisStoreError> {
        let [owner, client, codec] = LENGTHS.map(|range| length(&self.rest[range]));
        Ok([owner?, client?, codec?])
    }

    fn text(&self, which: usize) -> Result<&'a str, RedisStoreError> {
        let lengths = self.lengths()?;
        let start = TEXTS + lengths[..which].iter().sum::<usize>();
        let text = self.rest.get(start..start + lengths[which]);
        text.and_then(|text| from_utf8(text).ok())
            .ok_or_else(malformed)
    }
}

pub(crate) fn time_digits(times: &Times) -> [u8; TIMES] {
    let idle = times
        .idle_timeout
        .map(|idle| u64::try_from(idle.as_millis()).unwrap_or(u64::MAX));
    let parts = [
        digits(times.expires_at()),
        digits(Some(times.last_seen_at)),
        digits(Some(times.created_at)),
        digits(times.authenticated_at),
        digits(Some(times.renewed_at)),
        digits(times.ends_at),
        span_digits(idle),
    ];
    let mut all = [0; TIMES];
    for (place, part) in all.as_chunks_mut().0.iter_mut().zip(parts) {
        *place = part;
    }
    all
}

/// A session from its times on. The texts are owner, client and codec.
pub(crate) fn write(
    times: &Times,
    browser_session: bool,
    texts: [&str; 3],
    data: &[u8],
) -> Option<Vec<u8>> {
    let [owner, client, codec] = texts;
    if owner.len() > 999 || client.len() > 999 || codec.len() > 99 {
        return None;
    }
    let length = TEXTS + texts.iter().map(|text| text.len()).sum::<usize>() + data.len();
    let mut written = Vec::with_capacity(length);
    written.extend_from_slice(&time_digits(times));
    written.push(if browser_session { b'1' } else { b'0' });
    written.extend_from_slice(&padded::<3>(owner.len() as u64));
    written.extend_from_slice(&padded::<3>(client.len() as u64));
    written.extend_from_slice(&padded::<2>(codec.len() as u64));
    for text in texts {
        written.extend_from_slice(text.as_bytes());
    }
    written.extend_from_slice(data);
    Some(written)
}

fn length(digits: &[u8]) -> Result<usize, RedisStoreError> {
    let length = number(digits).and_then(|length| usize::try_from(length).ok());
    length.ok_or_else(malformed)
}

fn malformed() -> RedisStoreError {
    RedisStoreError::malformed("a session does not hold what was written there")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(note: &str) -> Vec<u8> {
        let moment = Timestamp::from_millis;
        let mut times = Times::starting(moment(1));
        times.last_seen_at = moment(2);
        times.authenticated_at = Some(moment(-3));
        times.renewed_at = moment(4);
        times.ends_at = Some(moment(500));
        times.idle_timeout = Some(Duration::from_millis(6));
        let rest = write(&times, true, ["ada", "::1 agent", "json"], b"[]").unwrap();
        let version = "00000000000000000007";
        [
            format!("c1{version}{:02}{note}", note.len()).as_bytes(),
            &rest,
        ]
        .concat()
    }

    #[test]
    fn a_head_says_what_was_written() {
        for note in ["", "99999999999999999999ab.1"] {
            let stored = stored(note);
            let head = Head::of(&stored).unwrap();
            assert_eq!(head.version().unwrap(), 7);
            assert_eq!(head.entry().unwrap(), note.get(20..));
            assert_eq!(head.expires_at().unwrap(), Some(Timestamp::from_millis(8)));
            assert_eq!(head.created_at().unwrap(), Timestamp::from_millis(1));
            let times = head.times().unwrap();
            assert_eq!(times.expires_at(), head.expires_at().unwrap());
            assert_eq!(time_digits(&times), stored[NOTE + note.len()..][..TIMES]);
            assert!(head.browser_session());
            assert_eq!(head.owner().unwrap(), Some("ada"));
            assert_eq!(head.client().unwrap(), (Some("::1"), Some("agent")));
            assert_eq!(
                (head.codec().unwrap(), head.data_length().unwrap()),
                ("json", 2)
            );
        }
    }

    #[test]
    fn what_is_cut_off_is_malformed_and_nothing_worse() {
        let stored = stored("99999999999999999999ab.1");
        let whole = stored.len() - 2;
        for end in 0..whole {
            let head = Head::of(&stored[..end]);
            assert!(
                head.is_err() || head.unwrap().data_length().is_err(),
                "{end}"
            );
        }
        assert_eq!(
            Head::of(&stored[..whole]).unwrap().data_length().unwrap(),
            0
        );
    }
}
