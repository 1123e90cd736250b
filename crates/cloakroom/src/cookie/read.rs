//! Finding the session's id among a request's cookies, as RFC 6265bis sends them: pairs split at `;`, names
//! compared byte by byte, space and tab trimmed and nothing else, no quotes, no percent decoding.

use crate::presented::{Candidates, Presented};
use crate::{KeyRing, RequestHead};

pub(crate) fn read<C: RequestHead + ?Sized>(head: &C, name: &str, keys: &KeyRing) -> Presented {
    let mut candidates = Candidates::new(keys);
    head.id_fields(&mut |field| {
        if !candidates.look_through(field.len()) {
            return;
        }
        for value in values(field, name.as_bytes()) {
            if !candidates.offer(value) {
                return;
            }
        }
    });
    candidates.presented()
}

fn values<'a>(field: &'a [u8], name: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    pairs(field).filter_map(move |pair| {
        // The name first: most cookies of a request are not ours.
        let value = trim_start(pair).strip_prefix(name)?;
        let value = trim_start(value).strip_prefix(b"=")?;
        Some(trim(value))
    })
}

/// What stands between the semicolons.
fn pairs(field: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(field).filter(|field| !field.is_empty());
    std::iter::from_fn(move || {
        let field = rest?;
        let pair = &field[..until_semicolon(field)];
        rest = field.get(pair.len() + 1..).filter(|rest| !rest.is_empty());
        Some(pair)
    })
}

/// How many bytes stand before the first semicolon, or how many there are.
fn until_semicolon(bytes: &[u8]) -> usize {
    const AT_ONCE: usize = 16;
    // All of a chunk are compared at once, as processors can, if the loop does not stop in the middle of one.
    let has_one =
        |chunk: &[u8; AT_ONCE]| chunk.iter().fold(false, |has, byte| has | (*byte == b';'));
    let (chunks, _) = bytes.as_chunks();
    let start = AT_ONCE * chunks.iter().take_while(|chunk| !has_one(chunk)).count();
    let rest = &bytes[start..];
    start + rest.iter().take_while(|byte| **byte != b';').count()
}

fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    trim_start(bytes)
}

fn trim_start(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presented::MAX_BYTES;
    use crate::session_id::verify;
    use crate::{CookieName, Secret, new_session_id};

    const NAME: &str = "__Host-sid";

    struct Fixture {
        keys: KeyRing,
        a: String,
        b: String,
    }

    impl Fixture {
        fn new() -> Self {
            let secret = Secret::generate().unwrap();
            let keys = KeyRing::new(&secret, &CookieName::new(NAME).unwrap());
            let id = || {
                new_session_id(keys.signing_key())
                    .unwrap()
                    .1
                    .as_str()
                    .to_owned()
            };
            let (a, b) = (id(), id());
            Self { keys, a, b }
        }

        /// With `{a}` and `{b}` for two signed ids.
        fn read(&self, fields: &[&str]) -> &'static str {
            let fill = |field: &&str| field.replace("{a}", &self.a).replace("{b}", &self.b);
            let fields: Vec<String> = fields.iter().map(fill).collect();
            self.read_bytes(fields.into_iter().map(String::into_bytes).collect())
        }

        fn read_bytes(&self, fields: Vec<Vec<u8>>) -> &'static str {
            let a = verify(self.a.as_bytes(), &self.keys).unwrap();
            match read(&fields, NAME, &self.keys) {
                Presented::Nothing => "nothing",
                Presented::Invalid => "invalid",
                Presented::Several(_) => "several",
                Presented::TooMuch(_) => "too much",
                Presented::Id(id) if id == a => "a",
                Presented::Id(_) => "b",
            }
        }
    }

    #[test]
    fn the_cookie_is_found_wherever_it_stands() {
        let it = Fixture::new();
        assert_eq!(it.read(&["__Host-sid={a}"]), "a");
        assert_eq!(it.read(&["x=1; __Host-sid={a}; y=2"]), "a");
        assert_eq!(it.read(&["x=1;__Host-sid={a};y=2"]), "a");
        assert_eq!(it.read(&["x=1", "__Host-sid={a}"]), "a");
        assert_eq!(it.read(&["x=1;\t __Host-sid \t=\t {a} \t"]), "a");
        assert_eq!(it.read(&[]), "nothing");
        assert_eq!(it.read(&["x=1; y=2"]), "nothing");
    }

    #[test]
    fn pairs_are_what_stands_between_semicolons() {
        for before in 0..40 {
            for between in 0..40 {
                for after in 0..3 {
                    let field = ["a".repeat(before), "b".repeat(between), "c".repeat(after)];
                    let field = field.join(";");
                    let mut expected: Vec<_> = field.split(';').map(str::as_bytes).collect();
                    // What ends with one has nothing behind it.
                    expected.pop_if(|last| last.is_empty());
                    assert_eq!(pairs(field.as_bytes()).collect::<Vec<_>>(), expected);
                }
            }
        }
        assert_eq!(pairs(b"").count(), 0);
    }

    #[test]
    fn bad_pairs_are_skipped_one_by_one() {
        let it = Fixture::new();
        assert_eq!(
            it.read(&["foo; =x; a\u{1}=b; é=1; ;;; __Host-sid={a}"]),
            "a"
        );
        let mut bytes = b"\xff\xfe\0=1; \x80; __Host-sid=".to_vec();
        bytes.extend_from_slice(it.a.as_bytes());
        assert_eq!(it.read_bytes(vec![bytes]), "a");
    }

    #[test]
    fn several_cookies_of_the_name_prove_nothing_by_their_order() {
        let it = Fixture::new();
        assert_eq!(it.read(&["__Host-sid=bad; __Host-sid={a}"]), "a");
        assert_eq!(it.read(&["__Host-sid={a}; __Host-sid=bad"]), "a");
        assert_eq!(it.read(&["__Host-sid={a}; __Host-sid={a}"]), "a");
        assert_eq!(it.read(&["__Host-sid={a}; __Host-sid={b}"]), "several");
        assert_eq!(it.read(&["__Host-sid={b}", "__Host-sid={a}"]), "several");
        assert_eq!(it.read(&["__Host-sid={a}; ".repeat(4).as_str()]), "a");
        assert_eq!(
            it.read(&["__Host-sid={a}; ".repeat(5).as_str()]),
            "too much"
        );
        assert_eq!(
            it.read(&["__Host-sid=bad; ".repeat(100).as_str()]),
            "too much"
        );
        assert_eq!(it.read(&["__Host-sid=bad"]), "invalid");
    }

    #[test]
    fn only_space_and_tab_are_trimmed_and_names_are_bytes() {
        let it = Fixture::new();
        for field in [
            "\u{2000}__Host-sid={a}",
            "\u{a0}__Host-sid={a}",
            "\u{85}__Host-sid={a}",
            "\u{b}__Host-sid={a}",
            "\r\n__Host-sid={a}",
            "__host-sid={a}",
            "__HOST-SID={a}",
            "%5f%5fHost-sid={a}",
            "x__Host-sid={a}",
            "__Host-sid2={a}",
            "__Host-sid",
        ] {
            assert_eq!(it.read(&[field]), "nothing", "{field:?}");
        }
    }

    #[test]
    fn quotes_and_versions_mean_nothing() {
        let it = Fixture::new();
        assert_eq!(it.read(&["__Host-sid=\"{a}\""]), "invalid");
        assert_eq!(it.read(&["$Version=1; __Host-sid=\"{a}; x=\""]), "invalid");
        assert_eq!(it.read(&["$Version=1; y=\"z; __Host-sid={a}"]), "a");
        assert_eq!(it.read(&["__Host-sid={a}%20"]), "invalid");
        assert_eq!(it.read(&["__Host-sid={a}\u{a0}"]), "invalid");
    }

    #[test]
    fn the_work_is_bounded() {
        let it = Fixture::new();
        let padding = "p".repeat(MAX_BYTES);
        assert_eq!(it.read(&["__Host-sid={a}", &padding]), "too much");
        assert_eq!(it.read(&[&padding, "__Host-sid={a}"]), "too much");
        let rest = "q".repeat(MAX_BYTES - "__Host-sid={a}".len() - 87 + "{a}".len());
        assert_eq!(it.read(&["__Host-sid={a}", &rest]), "a");
    }
}
