//! What stands before the data of a session. The table of it is in the guide; the scripts know the same places.
//!
//! First comes what has a fixed width, with the times and the lengths of the texts, and then the texts. So a script
//! reads one piece from the beginning, and changes times where they stand without touching the data.

use std::ops::Range;
use std::str::from_utf8;
use std::time::Duration;

use cloakroom_store::{Times, Timestamp};

use crate::error::RedisStoreError;
use crate::moment::{WIDTH, digits, number, of_digits, of_span_digits, padded, span_digits};

/// What every session begins with. Another layout would begin with something else.
const MARK: &[u8] = b"c1";
/// How long the note of a cluster is: until when its index entry is kept, and the number of that.
const NOTE_LENGTH: Range<usize> = 2..4;
const OWNER_LENGTH: Range<usize> = 4..7;
const VERSION: Range<usize> = 7..27;
/// `expires_at`, `last_seen_at`, `created_at`, `authenticated_at`, `renewed_at`, `ends_at`, and the idle time-out.
const TIMES: Range<usize> = 27..167;
pub(crate) const TIMES_WIDTH: usize = 7 * WIDTH;
/// Whether it ends with the browser.
const BROWSER: usize = 167;
const CLIENT_LENGTH: Range<usize> = 168..171;
const CODEC_LENGTH: Range<usize> = 171..173;
/// Where the texts begin: note, owner, client, codec. After them comes the data.
const TEXTS: usize = 173;
/// The last place at which something may stand that is asked for without the data: the end of the longest owner.
pub(crate) const LAST: &str = "499";

/// The head of a session as it is stored, with the data or without it.
#[derive(Clone, Copy)]
pub(crate) struct Head<'a> {
    fixed: &'a [u8; TEXTS],
    texts: &'a [u8],
    /// How long each of the texts is.
    lengths: [usize; 4],
}

impl<'a> Head<'a> {
    pub(crate) fn of(stored: &'a [u8]) -> Result<Self, RedisStoreError> {
        let (fixed, texts) = stored.split_first_chunk().ok_or_else(malformed)?;
        if !fixed.starts_with(MARK) {
            return Err(malformed());
        }
        let lengths = [NOTE_LENGTH, OWNER_LENGTH, CLIENT_LENGTH, CODEC_LENGTH];
        let [note, owner, client, codec] = lengths.map(|range| length(&fixed[range]));
        Ok(Self {
            fixed,
            texts,
            lengths: [note?, owner?, client?, codec?],
        })
    }

    pub(crate) fn version(&self) -> Result<u64, RedisStoreError> {
        number(&self.fixed[VERSION]).ok_or_else(malformed)
    }

    /// Cluster only: the second half of its name in the index of its owner.
    pub(crate) fn entry(&self) -> Result<Option<&'a str>, RedisStoreError> {
        Ok(self.text(0)?.get(WIDTH..))
    }

    /// Cluster only: until when that lasts, in digits.
    pub(crate) fn entry_lasts(&self) -> Result<Option<&'a str>, RedisStoreError> {
        Ok(self.text(0)?.get(..WIDTH))
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
        let idle = of_span_digits(self.place(6)).ok_or_else(malformed)?;
        times.idle_timeout = idle.map(Duration::from_millis);
        Ok(times)
    }

    pub(crate) fn browser_session(&self) -> bool {
        self.fixed[BROWSER] == b'1'
    }

    pub(crate) fn owner(&self) -> Result<Option<&'a str>, RedisStoreError> {
        let owner = self.text(1)?;
        Ok((!owner.is_empty()).then_some(owner))
    }

    /// Address and user agent.
    pub(crate) fn client(&self) -> Result<(Option<&'a str>, Option<&'a str>), RedisStoreError> {
        let filled = |text: &'a str| (!text.is_empty()).then_some(text);
        Ok(match self.text(2)?.split_once(' ') {
            Some((address, agent)) => (filled(address), filled(agent)),
            None => (None, None),
        })
    }

    pub(crate) fn codec(&self) -> Result<&'a str, RedisStoreError> {
        self.text(3)
    }

    /// How long the data is that follows.
    pub(crate) fn data_length(&self) -> Result<usize, RedisStoreError> {
        let head = self.lengths.iter().sum();
        self.texts.len().checked_sub(head).ok_or_else(malformed)
    }

    /// The same session with other times, a first version, and no note.
    pub(crate) fn moved(&self, times: &Times) -> Vec<u8> {
        let texts = self.texts.get(self.lengths[0]..).unwrap_or_default();
        let mut written = [self.fixed, texts].concat();
        written[NOTE_LENGTH].copy_from_slice(b"00");
        written[TIMES].copy_from_slice(&time_digits(times));
        set_version(&mut written, 1);
        written
    }

    fn time(&self, which: usize) -> Result<Option<Timestamp>, RedisStoreError> {
        of_digits(self.place(which)).ok_or_else(malformed)
    }

    fn place(&self, which: usize) -> &'a [u8] {
        &self.fixed[TIMES][which * WIDTH..][..WIDTH]
    }

    fn text(&self, which: usize) -> Result<&'a str, RedisStoreError> {
        let start = self.lengths[..which].iter().sum::<usize>();
        let text = self.texts.get(start..start + self.lengths[which]);
        text.and_then(|text| from_utf8(text).ok())
            .ok_or_else(malformed)
    }
}

pub(crate) fn time_digits(times: &Times) -> [u8; TIMES_WIDTH] {
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
    let mut all = [0; TIMES_WIDTH];
    for (place, part) in all.as_chunks_mut().0.iter_mut().zip(parts) {
        *place = part;
    }
    all
}

/// A session without note, with a first version. The texts are owner, client and codec.
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
    written.extend_from_slice(MARK);
    written.extend_from_slice(b"00");
    written.extend_from_slice(&padded::<3>(owner.len() as u64));
    written.extend_from_slice(&padded::<20>(1));
    written.extend_from_slice(&time_digits(times));
    written.push(if browser_session { b'1' } else { b'0' });
    written.extend_from_slice(&padded::<3>(client.len() as u64));
    written.extend_from_slice(&padded::<2>(codec.len() as u64));
    for text in texts {
        written.extend_from_slice(text.as_bytes());
    }
    written.extend_from_slice(data);
    Some(written)
}

pub(crate) fn set_version(written: &mut [u8], version: u64) {
    written[VERSION].copy_from_slice(&padded::<20>(version));
}

/// The two pieces between which a cluster puts the note, the first without what it writes itself.
pub(crate) fn around_note(written: &[u8]) -> (&[u8], &[u8]) {
    (&written[NOTE_LENGTH.end..TEXTS], &written[TEXTS..])
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
        let mut written = write(&times, true, ["ada", "::1 agent", "json"], b"[]").unwrap();
        set_version(&mut written, 7);
        let (start, end) = around_note(&written);
        [
            format!("c1{:02}", note.len()).as_bytes(),
            start,
            note.as_bytes(),
            end,
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
            assert_eq!(head.entry_lasts().unwrap(), note.get(..20));
            assert_eq!(head.expires_at().unwrap(), Some(Timestamp::from_millis(8)));
            assert_eq!(head.created_at().unwrap(), Timestamp::from_millis(1));
            let times = head.times().unwrap();
            assert_eq!(times.expires_at(), head.expires_at().unwrap());
            assert_eq!(time_digits(&times), stored[TIMES]);
            let moved = head.moved(&times);
            assert_eq!(Head::of(&moved).unwrap().version().unwrap(), 1);
            assert_eq!(around_note(&moved).1, around_note(&self::stored("")).1);
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
