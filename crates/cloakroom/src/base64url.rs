//! Base64url without padding (RFC 4648, section 5) for values of exactly 32 bytes: 43 characters.
//!
//! Fixed sizes need no allocation and no error but "no". Decoding is strict and canonical: one spelling per
//! value. Neither direction looks up memory or branches by the value of a secret byte.
//!
//! Six bytes are eight characters, and both fit into a word: bits are moved a word at a time, and then all
//! characters go through the same arithmetic on bytes, which compilers do for 16 or more at once.

use subtle::ConstantTimeEq;

/// The length of 32 bytes in base64url.
pub(crate) const LENGTH: usize = 43;

/// Six words' worth: 36 bytes, 48 characters.
const WORDS: usize = 6;

/// Whole words are read and written at every sixth byte, the last two bytes of which belong to the next.
const ROOM: usize = 6 * WORDS + 2;

pub(crate) fn encode(bytes: &[u8; 32]) -> [u8; LENGTH] {
    let mut padded = [0; ROOM];
    padded[..32].copy_from_slice(bytes);
    let mut words: [u64; WORDS] = std::array::from_fn(|at| word_at(&padded, 6 * at) >> 16);
    // In a loop of its own, so that two words are spread at once.
    for word in &mut words {
        *word = spread(*word);
    }
    let mut text = [0; 8 * WORDS];
    for (text, word) in text.chunks_exact_mut(8).zip(words) {
        text.copy_from_slice(&word.to_le_bytes());
    }
    for character in &mut text {
        *character = to_character(*character);
    }
    *text.first_chunk().expect("48 are at least 43")
}

pub(crate) fn decode(text: &[u8]) -> Option<[u8; 32]> {
    let text: &[u8; LENGTH] = text.try_into().ok()?;
    let mut numbers = [b'A'; 8 * WORDS];
    numbers[..LENGTH].copy_from_slice(text);
    // Its highest bit is set as soon as one character is not in the alphabet; looked at once, at the end.
    let mut wrong = 0;
    for number in &mut numbers {
        *number = from_character(*number);
        wrong |= *number;
    }
    let mut bytes = [0; ROOM];
    for at in 0..WORDS {
        let word = gather(word_at(&numbers, 8 * at)) << 16;
        bytes[6 * at..6 * at + 8].copy_from_slice(&word.to_be_bytes());
    }
    // The last character carries four bits; the other two must be zero, or it is not canonical.
    let canonical = numbers[LENGTH - 1] & 0b11 == 0;
    let bytes = bytes.first_chunk().expect("38 are at least 32");
    (wrong < 0x80 && canonical).then_some(*bytes)
}

/// Whether two texts are the same, in constant time: a word at a time, of which the last two overlap. Byte by byte it
/// takes as long as hashing.
pub(crate) fn same(a: &[u8; LENGTH], b: &[u8; LENGTH]) -> bool {
    let pairs = words(a).into_iter().zip(words(b));
    // All differences first, then one look at them.
    let differences = pairs.fold(0, |all, (a, b)| all | (a ^ b));
    differences.ct_eq(&0).into()
}

fn words(text: &[u8; LENGTH]) -> [u64; WORDS] {
    let mut words = [word_at(text, LENGTH - 8); WORDS];
    for (at, word) in words.iter_mut().take(LENGTH / 8).enumerate() {
        *word = word_at(text, 8 * at);
    }
    words
}

fn word_at(bytes: &[u8], at: usize) -> u64 {
    let word = bytes[at..].first_chunk();
    u64::from_be_bytes(*word.expect("whole words only"))
}

/// Eight numbers of six bits, side by side, each into a byte of its own, the first into the lowest: on most processors
/// they lie in memory like that.
fn spread(bits: u64) -> u64 {
    let halves = bits >> 24 | (bits & 0xff_ffff) << 32;
    let quarters = halves >> 12 & 0x0fff_0000_0fff | (halves & 0x0fff_0000_0fff) << 16;
    quarters >> 6 & 0x003f_003f_003f_003f | (quarters & 0x003f_003f_003f_003f) << 8
}

/// And back, from bytes of which the highest is the first.
fn gather(bytes: u64) -> u64 {
    let quarters = (bytes & 0x3f00_3f00_3f00_3f00) >> 2 | bytes & 0x003f_003f_003f_003f;
    let halves = (quarters & 0x0fff_0000_0fff_0000) >> 4 | quarters & 0x0000_0fff_0000_0fff;
    (halves & 0x00ff_ffff_0000_0000) >> 8 | halves & 0xff_ffff
}

/// The character of a number below 64.
fn to_character(six: u8) -> u8 {
    // Each comparison adds the distance to the next range of the alphabet when it is reached.
    let mut character = six + b'A';
    for (limit, before, first) in [
        (26, b'Z', b'a'),
        (52, b'z', b'0'),
        (62, b'9', b'-'),
        (63, b'-', b'_'),
    ] {
        // Signed, for which processors have the one instruction.
        let reached = u8::from(six as i8 >= limit).wrapping_neg();
        let distance = first.wrapping_sub(before).wrapping_sub(1);
        character = character.wrapping_add(reached & distance);
    }
    character
}

/// The number of a character; 128 or more if it is not in the alphabet.
fn from_character(character: u8) -> u8 {
    let mut number = within(character, b'A', 26, 0);
    number |= within(character, b'a', 26, 26);
    number |= within(character, b'0', 10, 52);
    number |= within(character, b'-', 1, 62);
    number |= within(character, b'_', 1, 63);
    // One less: nothing was found where nothing was added.
    number.wrapping_sub(1)
}

/// One more than the number of a character that is one of the `many` from `first`, whose numbers begin at `from`; else
/// zero.
fn within(character: u8, first: u8, many: u8, from: u8) -> u8 {
    let above = character.wrapping_sub(first);
    let is = u8::from(above < many).wrapping_neg();
    is & above.wrapping_add(from + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;

    fn samples() -> impl Iterator<Item = [u8; 32]> {
        (0..=255u8).flat_map(|seed| {
            let stepped = std::array::from_fn(|at| {
                seed.wrapping_mul(31)
                    .wrapping_add((at as u8).wrapping_mul(37))
            });
            [[seed; 32], stepped]
        })
    }

    #[test]
    fn agrees_with_another_implementation() {
        for bytes in samples() {
            let text = encode(&bytes);
            assert_eq!(
                text.as_slice(),
                BASE64_URL_SAFE_NO_PAD.encode(bytes).as_bytes()
            );
            assert_eq!(decode(&text), Some(bytes));
        }
    }

    #[test]
    fn texts_are_the_same_only_if_every_bit_is() {
        let text = encode(&[0x5a; 32]);
        assert!(same(&text, &text));
        for at in 0..8 * LENGTH {
            let mut other = text;
            other[at / 8] ^= 1 << (at % 8);
            assert!(!same(&text, &other) && !same(&other, &text), "bit {at}");
        }
    }

    #[test]
    fn accepts_exactly_what_a_strict_implementation_accepts() {
        let good = encode(&[0x5a; 32]);
        for at in 0..LENGTH {
            for byte in 0..=255u8 {
                let mut text = good;
                text[at] = byte;
                let expected = BASE64_URL_SAFE_NO_PAD.decode(text).ok();
                assert_eq!(decode(&text).map(Vec::from), expected, "{byte} at {at}");
            }
        }
        assert_eq!(decode(b""), None);
        assert_eq!(decode(&good[..42]), None);
        assert_eq!(decode(&[good.as_slice(), b"A"].concat()), None);
    }
}
