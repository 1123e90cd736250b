use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aho_corasick::AhoCorasick;

use crate::response::ID_FIELD;
use crate::{Response, logs};

/// What one scenario saw: every response, and every secret that must not show up in the wrong place.
#[derive(Clone, Debug)]
pub struct Notebook(Arc<Mutex<Pages>>);

#[derive(Debug)]
struct Pages {
    log_start: usize,
    /// Bodies and fields of all responses, but neither `Set-Cookie` nor the header that carries the id.
    responses: Vec<u8>,
    /// Neither logged nor sent in anything but those.
    secrets: Vec<Secret>,
    /// Not logged.
    tokens: Vec<Secret>,
}

#[derive(Clone, Debug)]
struct Secret {
    what: &'static str,
    bytes: Vec<u8>,
}

impl Notebook {
    pub(crate) fn new() -> Self {
        let log_start = logs::capture();
        // For `check_for_leaks` to see that something is captured.
        tracing::trace!("a scenario begins");
        Self(Arc::new(Mutex::new(Pages {
            log_start,
            responses: Vec::new(),
            secrets: Vec::new(),
            tokens: Vec::new(),
        })))
    }

    /// Writes down something that is only ever sent as a cookie.
    pub(crate) fn secret(&self, what: &'static str, bytes: impl Into<Vec<u8>>) {
        let bytes = bytes.into();
        self.pages().secrets.push(Secret { what, bytes });
    }

    /// Writes down something that may be sent to its owner, but not logged.
    pub(crate) fn token(&self, what: &'static str, bytes: impl Into<Vec<u8>>) {
        let bytes = bytes.into();
        self.pages().tokens.push(Secret { what, bytes });
    }

    /// Checks a response against the rules that hold for all of them, and writes it down.
    pub(crate) fn saw(&self, response: &Response) {
        response.check_rules();
        for cookie in response.set_cookies() {
            if let Some((id, tag)) = cookie.value.split_once('.')
                && cookie.is_session()
            {
                self.session_id(id, tag);
            }
        }
        for value in response.all(ID_FIELD) {
            if let Some((id, tag)) = value.split_once('.') {
                self.session_id(id, tag);
            }
        }
        let mut pages = self.pages();
        for (name, value) in &response.fields {
            if name != "set-cookie" && name != ID_FIELD {
                pages.responses.extend_from_slice(value);
                pages.responses.push(b'\n');
            }
        }
        pages.responses.extend_from_slice(&response.body);
        pages.responses.push(b'\n');
    }

    /// What was logged since the scenario began, by this and by those that run beside it.
    #[must_use]
    pub fn logged(&self) -> String {
        let start = self.pages().log_start;
        String::from_utf8_lossy(&logs::since(start)).into_owned()
    }

    /// Searches all that was logged and sent.
    pub(crate) fn check_for_leaks(&self) {
        let pages = self.pages();
        let logged = logs::since(pages.log_start);
        assert!(!logged.is_empty(), "nothing was captured");
        search(
            "the log",
            &logged,
            pages.secrets.iter().chain(&pages.tokens),
        );
        search("a response", &pages.responses, pages.secrets.iter());
    }

    fn session_id(&self, id: &str, tag: &str) {
        self.secret("a session's id", id);
        self.secret("a session's tag", tag);
        let Some(bytes) = decode(id) else {
            panic!("an id is base64url");
        };
        self.secret("the bytes of an id, as Debug shows them", listed(&bytes));
        self.secret("an id in hexadecimal", hex(&bytes));
    }

    /// Writes down a store's key in the forms in which it could show up.
    pub(crate) fn key(&self, key: &[u8; 32]) {
        self.secret("the bytes of a key, as Debug shows them", listed(key));
        self.secret("a key in hexadecimal", hex(key));
        self.secret("a key's raw bytes", *key);
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn search<'a>(place: &str, text: &[u8], secrets: impl Iterator<Item = &'a Secret>) {
    let secrets: Vec<&Secret> = secrets.collect();
    let patterns = secrets.iter().map(|secret| &secret.bytes);
    let searcher = AhoCorasick::new(patterns).expect("so few patterns fit");
    if let Some(found) = searcher.find(text) {
        let start = text[..found.start()]
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |newline| newline + 1);
        let before = String::from_utf8_lossy(&text[start..found.start()]);
        let what = secrets[found.pattern()].what;
        panic!("{place} shows {what}, after {before:?}");
    }
}

/// The beginning is enough: eight bytes are no coincidence.
fn listed(bytes: &[u8]) -> String {
    let numbers: Vec<String> = bytes[..8].iter().map(u8::to_string).collect();
    numbers.join(", ")
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes[..8].iter().map(|byte| format!("{byte:02x}"));
    digits.collect()
}

/// Base64url without padding, 43 characters.
fn decode(text: &str) -> Option<[u8; 32]> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bytes = [0; 32];
    let mut bits = 0_u32;
    let mut count = 0;
    let mut at = 0;
    for character in text.bytes() {
        let number = ALPHABET.iter().position(|letter| *letter == character)?;
        bits = bits << 6 | u32::try_from(number).ok()?;
        count += 6;
        if count >= 8 {
            count -= 8;
            *bytes.get_mut(at)? = (bits >> count) as u8;
            at += 1;
        }
    }
    (at == 32).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_the_log_is_found() {
        let notebook = Notebook::new();
        notebook.secret("a test's secret", "swordfish-1");
        notebook.check_for_leaks();
        tracing::trace!(value = "swordfish-1", "leak");
        let found = std::panic::catch_unwind(|| notebook.check_for_leaks());
        assert!(found.is_err());
    }

    #[test]
    fn a_record_of_the_log_crate_is_captured() {
        let notebook = Notebook::new();
        notebook.token("a test's token", "swordfish-2");
        tracing_log::log::trace!("leak: swordfish-2");
        assert!(std::panic::catch_unwind(|| notebook.check_for_leaks()).is_err());
    }

    #[test]
    fn a_secret_in_a_body_is_found() {
        let notebook = Notebook::new();
        notebook.secret("a test's secret", "swordfish-3");
        notebook.saw(&Response {
            status: 200,
            fields: Vec::new(),
            body: b"<p>swordfish-3".to_vec(),
        });
        assert!(std::panic::catch_unwind(|| notebook.check_for_leaks()).is_err());
    }

    #[test]
    fn an_id_is_searched_for_in_every_form() {
        assert_eq!(decode(&"A".repeat(43)), Some([0; 32]));
        assert_eq!(decode(&"_".repeat(43)), Some([255; 32]));
        assert_eq!(decode("AA"), None);
        assert_eq!(listed(&[7; 32]), "7, 7, 7, 7, 7, 7, 7, 7");
        assert_eq!(hex(&[171; 32]), "abababababababab");
    }
}
