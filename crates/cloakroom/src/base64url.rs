//! Base64url without padding (RFC 4648, section 5) for values of exactly 32 bytes: 43 characters.
//!
//! Fixed sizes need no allocation and no error but "no". Decoding is strict and canonical: one spelling per
//! value, so a cookie cannot be respelled into another that also verifies. Neither direction looks up memory
//! or branches by the value of a secret byte.

/// The length of 32 bytes in base64url.
pub(crate) const LENGTH: usize = 43;

pub(crate) fn encode(bytes: &[u8; 32]) -> [u8; LENGTH] {
    let mut text = [0; LENGTH];
    // The 30 bytes that make whole groups; then two bytes that make three characters.
    for (group, characters) in bytes[..30].chunks_exact(3).zip(text.chunks_exact_mut(4)) {
        let bits = u32::from(group[0]) << 16 | u32::from(group[1]) << 8 | u32::from(group[2]);
        characters[0] = to_character(bits >> 18);
        characters[1] = to_character(bits >> 12 & 63);
        characters[2] = to_character(bits >> 6 & 63);
        characters[3] = to_character(bits & 63);
    }
    let last = u32::from(bytes[30]) << 16 | u32::from(bytes[31]) << 8;
    text[40] = to_character(last >> 18);
    text[41] = to_character(last >> 12 & 63);
    text[42] = to_character(last >> 6 & 63);
    text
}

pub(crate) fn decode(text: &[u8]) -> Option<[u8; 32]> {
    let text: &[u8; LENGTH] = text.try_into().ok()?;
    let mut bytes = [0; 32];
    // Negative as soon as one character is not in the alphabet; looked at once, at the end.
    let mut wrong = 0;
    for (characters, group) in text.chunks_exact(4).zip(bytes.chunks_exact_mut(3)) {
        let [a, b, c, d] = [0, 1, 2, 3].map(|at| from_character(characters[at]));
        wrong |= a | b | c | d;
        let bits = a << 18 | b << 12 | c << 6 | d;
        group[0] = (bits >> 16) as u8;
        group[1] = (bits >> 8) as u8;
        group[2] = bits as u8;
    }
    let [a, b, c] = [40, 41, 42].map(|at| from_character(text[at]));
    wrong |= a | b | c;
    let bits = a << 18 | b << 12 | c << 6;
    bytes[30] = (bits >> 16) as u8;
    bytes[31] = (bits >> 8) as u8;
    // The last character carries four bits; the other two must be zero, or it is not canonical.
    let canonical = c & 0b11 == 0;
    (wrong >= 0 && canonical).then_some(bytes)
}

/// The character of a number below 64.
fn to_character(six: u32) -> u8 {
    // Each comparison adds the distance to the next range of the alphabet when it is reached.
    let six = six as i32;
    let mut character = six + i32::from(b'A');
    character += after(six, 26) & (i32::from(b'a') - i32::from(b'Z') - 1);
    character += after(six, 52) & (i32::from(b'0') - i32::from(b'z') - 1);
    character += after(six, 62) & (i32::from(b'-') - i32::from(b'9') - 1);
    character += after(six, 63) & (i32::from(b'_') - i32::from(b'-') - 1);
    character as u8
}

/// All ones where `number >= limit`, else zero.
fn after(number: i32, limit: i32) -> i32 {
    (limit - 1 - number) >> 31
}

/// The number of a character; -1 if it is not in the alphabet.
fn from_character(character: u8) -> i32 {
    let character = i32::from(character);
    let mut number = -1;
    number += within(character, b'A', b'Z') & (character - i32::from(b'A') + 1);
    number += within(character, b'a', b'z') & (character - i32::from(b'a') + 27);
    number += within(character, b'0', b'9') & (character - i32::from(b'0') + 53);
    number += within(character, b'-', b'-') & 63;
    number += within(character, b'_', b'_') & 64;
    number
}

/// All ones where the character lies in the range, else zero.
fn within(character: i32, first: u8, last: u8) -> i32 {
    let (first, last) = (i32::from(first), i32::from(last));
    ((first - 1 - character) & (character - last - 1)) >> 31
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
