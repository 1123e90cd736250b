//! Finding the session's id among the lines of its header. One line is one value: no list, no quotes, no parameters.

use super::IdHeader;
use crate::presented::{Candidates, Presented};
use crate::{KeyRing, RequestHead};

pub(crate) fn read<H: RequestHead + ?Sized>(
    head: &H,
    header: &IdHeader,
    keys: &KeyRing,
) -> Presented {
    let mut candidates = Candidates::new(keys);
    head.id_fields(&mut |field| {
        if candidates.look_through(field.len())
            && let Some(value) = value(field, header)
        {
            candidates.offer(value);
        }
    });
    candidates.presented()
}

/// `None` where nobody speaks of a session: an empty line, or credentials of another scheme.
fn value<'a>(field: &'a [u8], header: &IdHeader) -> Option<&'a [u8]> {
    let field = trim(field);
    let value = if header.is_bearer() {
        let (scheme, value) = field.split_at_checked(b"bearer".len())?;
        if !scheme.eq_ignore_ascii_case(b"bearer") || !value.starts_with(b" ") {
            return None;
        }
        trim(value)
    } else {
        field
    };
    (!value.is_empty()).then_some(value)
}

fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t'] | [b' ' | b'\t', rest @ ..] = bytes {
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

    struct Fixture {
        header: IdHeader,
        keys: KeyRing,
        a: String,
        b: String,
    }

    impl Fixture {
        fn new(header: IdHeader) -> Self {
            let secret = Secret::generate().unwrap();
            let keys = KeyRing::bound_to(&secret, (&header).into());
            let id = || new_session_id(keys.signing_key()).unwrap().1;
            let (a, b) = (id().as_str().to_owned(), id().as_str().to_owned());
            Self { header, keys, a, b }
        }

        /// With `{a}` and `{b}` for two signed ids.
        fn read(&self, fields: &[&str]) -> &'static str {
            let fill = |field: &&str| field.replace("{a}", &self.a).replace("{b}", &self.b);
            let fields: Vec<String> = fields.iter().map(fill).collect();
            let a = verify(self.a.as_bytes(), &self.keys).unwrap();
            match read(&fields, &self.header, &self.keys) {
                Presented::Nothing => "nothing",
                Presented::Invalid => "invalid",
                Presented::Several(_) => "several",
                Presented::TooMuch(_) => "too much",
                Presented::Id(id) if id == a => "a",
                Presented::Id(_) => "b",
            }
        }
    }

    fn plain() -> Fixture {
        Fixture::new(IdHeader::new("x-session-id").unwrap())
    }

    #[test]
    fn a_line_is_one_value() {
        let it = plain();
        assert_eq!(it.read(&[]), "nothing");
        assert_eq!(it.read(&["{a}"]), "a");
        assert_eq!(it.read(&[" \t{a}\t "]), "a");
        for empty in ["", " ", "\t"] {
            assert_eq!(it.read(&[empty]), "nothing", "as after a sign-out");
        }
        for bad in [
            "Bearer {a}",
            "\"{a}\"",
            "{a};",
            "{a}, {a}",
            "{a},{b}",
            "x={a}",
            "{a} x",
            "\u{a0}{a}",
            "x",
        ] {
            assert_eq!(it.read(&[bad]), "invalid", "{bad}");
        }
    }

    #[test]
    fn a_bearer_is_told_by_a_scheme_in_any_case() {
        let it = Fixture::new(IdHeader::bearer());
        for good in ["Bearer {a}", "bearer {a}", "BEARER {a}", " bEaReR   {a} "] {
            assert_eq!(it.read(&[good]), "a", "{good}");
        }
        for other in [
            "",
            "{a}",
            "Basic {a}",
            "Bearer",
            "Bearer ",
            "Bearer{a}",
            "Bearer\t{a}",
            "Bearers {a}",
            "Bear",
            "\u{e9}\u{e9}\u{e9}\u{e9} {a}",
        ] {
            assert_eq!(it.read(&[other]), "nothing", "{other}");
        }
        for bad in [
            "Bearer x",
            "Bearer Bearer {a}",
            "Bearer {a}, Bearer {b}",
            "Bearer \"{a}\"",
        ] {
            assert_eq!(it.read(&[bad]), "invalid", "{bad}");
        }
        assert_eq!(it.read(&["Basic eDp5", "Bearer {a}"]), "a");
    }

    #[test]
    fn several_lines_prove_nothing_by_their_order() {
        let it = plain();
        assert_eq!(it.read(&["{a}", "{a}"]), "a");
        assert_eq!(it.read(&["x", "{a}"]), "a");
        assert_eq!(it.read(&["{b}", "", "x"]), "b");
        assert_eq!(it.read(&["{a}", "{b}"]), "several");
        assert_eq!(it.read(&["{b}", "x", "{a}"]), "several");
    }

    #[test]
    fn the_work_is_bounded() {
        let it = plain();
        assert_eq!(it.read(&["{a}"; 4]), "a");
        assert_eq!(it.read(&["{a}"; 5]), "too much");
        assert_eq!(it.read(&["x"; 5]), "too much");
        assert_eq!(it.read(&["{a}", &"p".repeat(MAX_BYTES)]), "too much");
        assert_eq!(it.read(&[&" ".repeat(MAX_BYTES + 1)]), "too much");
    }

    #[test]
    fn a_value_of_another_place_does_not_verify() {
        let secret = Secret::generate().unwrap();
        let (plain, bearer) = (IdHeader::new("x-session-id").unwrap(), IdHeader::bearer());
        let cookie = CookieName::new("x-session-id").unwrap();
        let rings = [
            KeyRing::bound_to(&secret, (&plain).into()),
            KeyRing::bound_to(&secret, (&bearer).into()),
            KeyRing::new(&secret, &cookie),
            KeyRing::bound_to(&secret, (&IdHeader::new("x-other").unwrap()).into()),
        ];
        for (at, ring) in rings.iter().enumerate() {
            let (_, signed) = new_session_id(ring.signing_key()).unwrap();
            for (other, keys) in rings.iter().enumerate() {
                let found = verify(signed.as_str().as_bytes(), keys).is_some();
                assert_eq!(found, at == other);
            }
        }
    }
}
