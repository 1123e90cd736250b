use std::fmt;

use zeroize::Zeroizing;

use crate::Error;

/// The application's secret, from which every key is derived: at least 32 random bytes.
///
/// Keep it outside the program and the repository. It is wiped from memory when dropped, and `Debug` prints
/// nothing of it.
///
/// ```
/// use cloakroom::Secret;
///
/// let secret = Secret::generate()?;
/// let same = Secret::from_hex(&secret.to_hex())?;
/// assert_eq!(format!("{same:?}"), "Secret(…)");
///
/// let error = Secret::from_bytes(b"too short").unwrap_err();
/// assert!(error.to_string().contains("openssl rand -hex 32"));
/// # Ok::<(), cloakroom::Error>(())
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// The fewest bytes: the length of an HMAC-SHA256 output (RFC 2104, section 3).
    pub const MIN_BYTES: usize = 32;

    /// A new secret: 32 bytes from the operating system's generator.
    ///
    /// # Errors
    /// `Randomness` if the generator fails.
    pub fn generate() -> Result<Self, Error> {
        let mut bytes = Zeroizing::new(vec![0; Self::MIN_BYTES]);
        getrandom::fill(&mut bytes).map_err(Error::randomness)?;
        Ok(Self(bytes))
    }

    /// From raw bytes.
    ///
    /// # Errors
    /// `Configuration` below [`Secret::MIN_BYTES`], or if all bytes are the same.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() < Self::MIN_BYTES {
            return Err(Error::configuration(format!(
                "a secret needs at least {} bytes, this one has {}; {HOW}",
                Self::MIN_BYTES,
                bytes.len()
            )));
        }
        if bytes.iter().all(|byte| *byte == bytes[0]) {
            return Err(Error::configuration(format!(
                "a secret must be random, this one repeats a single byte; {HOW}"
            )));
        }
        Ok(Self(Zeroizing::new(bytes.to_vec())))
    }

    /// From hexadecimal digits, in either case. White space around them is ignored.
    ///
    /// # Errors
    /// `Configuration` if it is not hexadecimal or too short.
    pub fn from_hex(text: &str) -> Result<Self, Error> {
        let digits = text.trim().as_bytes();
        let bytes: Option<Zeroizing<Vec<u8>>> = digits
            .len()
            .is_multiple_of(2)
            .then(|| {
                digits
                    .chunks_exact(2)
                    .map(byte_of_hex)
                    .collect::<Option<Vec<u8>>>()
            })
            .flatten()
            .map(Zeroizing::new);
        match bytes {
            Some(bytes) => Self::from_bytes(&bytes),
            None => Err(Error::configuration(format!(
                "the secret is not hexadecimal; {HOW}"
            ))),
        }
    }

    /// From base64 or base64url, with or without padding. White space around it is ignored.
    ///
    /// # Errors
    /// `Configuration` if it is not base64 or too short.
    pub fn from_base64(text: &str) -> Result<Self, Error> {
        match bytes_of_base64(text.trim()) {
            Some(bytes) => Self::from_bytes(&bytes),
            None => Err(Error::configuration(format!(
                "the secret is not base64; {HOW}"
            ))),
        }
    }

    /// From an environment variable that holds hexadecimal digits or base64. A value that is both is read as
    /// hexadecimal, and refused if it is too short as that.
    ///
    /// # Errors
    /// `Configuration` if the variable is not set, is neither, or is too short. The message names the
    /// variable, never its value.
    pub fn from_env(variable: &str) -> Result<Self, Error> {
        let text = std::env::var(variable).map(Zeroizing::new).map_err(|_| {
            Error::configuration(format!(
                "the environment variable {variable} is not set to text; {HOW}"
            ))
        })?;
        Self::from_hex_or_base64(&text).map_err(|_| {
                Error::configuration(format!(
                    "the environment variable {variable} does not hold at least {} random bytes as hexadecimal digits or base64; {HOW}",
                    Self::MIN_BYTES
                ))
            })
    }

    fn from_hex_or_base64(text: &str) -> Result<Self, Error> {
        // Hexadecimal digits are base64 too, and half as many bytes more: a hexadecimal secret that was cut off must
        // not pass as one in base64.
        let is_hex = text.trim().bytes().all(|byte| byte.is_ascii_hexdigit());
        match is_hex {
            true => Self::from_hex(text),
            false => Self::from_base64(text),
        }
    }

    /// The secret as hexadecimal digits, to write it into a file that only its owner can read.
    #[must_use]
    pub fn to_hex(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(self.0.len() * 2));
        for byte in self.0.iter() {
            for digit in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(digit), 16).expect("four bits are a digit"));
            }
        }
        text
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

const HOW: &str = "make one with `openssl rand -hex 32`";

fn byte_of_hex(pair: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(pair[at]).to_digit(16);
    Some((digit(0)? * 16 + digit(1)?) as u8)
}

fn bytes_of_base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let text = text.trim_end_matches('=').as_bytes();
    if text.len() % 4 == 1 {
        return None;
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() * 3 / 4));
    for group in text.chunks(4) {
        let mut bits = 0;
        for at in 0..4 {
            let number = match group.get(at) {
                None => 0,
                Some(byte @ b'A'..=b'Z') => byte - b'A',
                Some(byte @ b'a'..=b'z') => byte - b'a' + 26,
                Some(byte @ b'0'..=b'9') => byte - b'0' + 52,
                Some(b'+' | b'-') => 62,
                Some(b'/' | b'_') => 63,
                Some(_) => return None,
            };
            bits = bits << 6 | u32::from(number);
        }
        bytes.extend_from_slice(&bits.to_be_bytes()[1..group.len()]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

    #[test]
    fn all_spellings_of_one_secret_are_the_same_secret() {
        for length in 32..40 {
            let bytes: Vec<u8> = (0..length)
                .map(|at: u8| at.wrapping_mul(7).wrapping_add(250))
                .collect();
            let hex: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
            assert_eq!(Secret::from_hex(&hex).unwrap().as_bytes(), bytes);
            let standard = format!(" {}\n", BASE64_STANDARD.encode(&bytes));
            assert_eq!(Secret::from_base64(&standard).unwrap().as_bytes(), bytes);
            let url = BASE64_URL_SAFE_NO_PAD.encode(&bytes);
            assert_eq!(Secret::from_base64(&url).unwrap().as_bytes(), bytes);
        }
    }

    #[test]
    fn weak_or_garbled_secrets_are_refused_without_being_shown() {
        let refused = [
            Secret::from_bytes(&[1; 31]),
            Secret::from_bytes(&[0; 32]),
            Secret::from_hex("abc"),
            Secret::from_hex(&"zz".repeat(32)),
            Secret::from_base64("hunter2!hunter2!hunter2!hunter2!hunter2!hunter2!"),
            Secret::from_env("CLOAKROOM_NO_SUCH_VARIABLE"),
        ];
        for result in refused {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Configuration);
            assert!(
                error.to_string().contains("openssl rand -hex 32"),
                "{error}"
            );
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_hexadecimal_secret_that_was_cut_off_does_not_pass_as_base64() {
        let hex = "0123456789abcdef".repeat(4);
        let whole = Secret::from_hex_or_base64(&format!(" {hex}\n")).unwrap();
        assert_eq!(whole.as_bytes().len(), 32);
        for cut_off in [62, 63, 48, 44, 0] {
            assert!(Secret::from_hex_or_base64(&hex[..cut_off]).is_err());
        }
        let base64 = BASE64_STANDARD.encode(whole.as_bytes());
        let same = Secret::from_hex_or_base64(&base64).unwrap();
        assert_eq!(same.as_bytes(), whole.as_bytes());
    }

    #[test]
    fn debug_prints_nothing_of_a_secret() {
        let secret = Secret::from_bytes(b"correct horse battery staple 123").unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }
}
