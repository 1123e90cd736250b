//! What is fuzzed here: each function takes any bytes and panics if something that must hold does not. They are
//! run by `fuzz`, which lies outside the workspace, and by the tests over the corpus that is kept there. Not part of
//! the API: only there with `--cfg fuzzing`.

use std::sync::OnceLock;
use std::time::Duration;

use crate::cookie::{CookieWriter, read};
use crate::csrf::CsrfKeys;
use crate::presented::Presented;
use crate::session_id::verify;
use crate::{
    CookieName, CookieOptions, IdHeader, KeyRing, SameSite, Secret, SessionId, SignedSessionId,
    base64url, id_header, new_session_id,
};

const NAME: &str = "sid";

/// Two good cookies, and what verifies them. Nothing depends on which ids they are.
struct Known {
    keys: KeyRing,
    csrf: CsrfKeys,
    ids: [SessionId; 2],
    values: [String; 2],
}

fn known() -> &'static Known {
    static KNOWN: OnceLock<Known> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let secret = Secret::generate().expect("the system has random numbers");
        let name = CookieName::new(NAME).expect("a good name");
        let keys = KeyRing::new(&secret, &name);
        let both = [(); 2]
            .map(|()| new_session_id(keys.signing_key()).expect("the system has random numbers"));
        Known {
            csrf: CsrfKeys::new([&secret].into_iter(), &name),
            values: both.each_ref().map(|(_, value)| value.as_str().to_owned()),
            ids: both.map(|(id, _)| id),
            keys,
        }
    })
}

/// `Cookie` fields, one a line. No fuzzer guesses a signature, so the bytes 1 and 2 stand for good values, 3 for
/// one whose end was changed, 4 for a kilobyte. What is read must be what another way of reading finds.
pub fn cookie_header(input: &[u8]) {
    let known = known();
    let mut text = Vec::new();
    for byte in input {
        match byte {
            1 | 2 => text.extend_from_slice(known.values[usize::from(*byte) - 1].as_bytes()),
            3 => {
                text.extend_from_slice(known.values[0].as_bytes());
                text.pop();
                text.push(b'!');
            }
            4 => text.extend([b'p'; 1024]),
            other => text.push(*other),
        }
    }
    let fields: Vec<Vec<u8>> = text
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    let found = match read(&fields, NAME, &known.keys) {
        Presented::Nothing => "nothing".to_owned(),
        Presented::Invalid => "invalid".to_owned(),
        Presented::Several(_) => "several".to_owned(),
        Presented::TooMuch(_) => "too much".to_owned(),
        Presented::Id(id) => format!("{:?}", known.ids.iter().position(|one| *one == id)),
    };
    assert_eq!(found, expected(known, &fields));
    check_header_lines(known, &fields);
}

/// The same lines as those of a header that carries the id: what is taken is all that one of them says.
fn check_header_lines(known: &Known, fields: &Vec<Vec<u8>>) {
    let own = IdHeader::new("x-session-id").expect("a good name");
    for (header, scheme) in [(own, ""), (IdHeader::bearer(), "bearer")] {
        let Presented::Id(id) = id_header::read(fields, &header, &known.keys) else {
            continue;
        };
        let at = known.ids.iter().position(|one| *one == id);
        let value = known.values[at.expect("nobody guesses an id")].as_bytes();
        let is_whole = |field: &Vec<u8>| {
            let start = field.trim_ascii().strip_suffix(value);
            start.is_some_and(|start| start.trim_ascii().eq_ignore_ascii_case(scheme.as_bytes()))
        };
        assert!(fields.iter().any(is_whole));
    }
}

/// By RFC 6265bis, section 5.7, read backwards: every pair is taken apart in full before names are compared.
fn expected(known: &Known, fields: &[Vec<u8>]) -> String {
    let white = |byte: &u8| *byte == b' ' || *byte == b'\t';
    let trimmed = |bytes: &[u8]| -> Vec<u8> {
        let start = bytes.iter().position(|byte| !white(byte));
        let end = bytes.iter().rposition(|byte| !white(byte));
        start
            .zip(end)
            .map_or(Vec::new(), |(start, end)| bytes[start..=end].to_vec())
    };
    let mut values = Vec::new();
    for pair in fields
        .iter()
        .flat_map(|field| field.split(|byte| *byte == b';'))
    {
        if let Some(equals) = pair.iter().position(|byte| *byte == b'=')
            && trimmed(&pair[..equals]) == NAME.as_bytes()
        {
            values.push(trimmed(&pair[equals + 1..]));
        }
    }
    let is_there = |good: &String| values.iter().any(|value| value == good.as_bytes());
    let there = known.values.each_ref().map(is_there);
    let too_much = values.len() > 4 || fields.iter().map(Vec::len).sum::<usize>() > 16 * 1024;
    match there {
        _ if too_much => "too much".to_owned(),
        [true, true] => "several".to_owned(),
        [false, false] if values.is_empty() => "nothing".to_owned(),
        [false, false] => "invalid".to_owned(),
        [first, _] => format!("{:?}", Some(usize::from(!first))),
    }
}

/// A cookie's value, as it is and laid over a good one. Only the good one passes. Also as a CSRF token.
pub fn signed_value(input: &[u8]) {
    let known = known();
    let good = known.values[0].as_bytes();
    assert!(verify(input, &known.keys).is_none() || input == good);

    let mut changed = good.to_vec();
    for (byte, change) in changed.iter_mut().zip(input) {
        *byte ^= change;
    }
    changed.extend(input.iter().skip(good.len()));
    let id = verify(&changed, &known.keys);
    assert_eq!(id.is_some(), changed == good);

    if let Some(bytes) = base64url::decode(input) {
        // One spelling only.
        assert_eq!(base64url::encode(&bytes), *input);
    }
    if let Ok(text) = std::str::from_utf8(input) {
        assert!(!known.csrf.accept(&known.ids[0], text));
    }
}

/// A byte of switches, then texts with NUL between them: the cookie's name, domain and path, and a secret. What
/// passes the checks makes a field that browsers take; what does not is an error that keeps the secret to itself.
pub fn configuration(input: &[u8]) {
    let Some((&switches, texts)) = input.split_first() else {
        return;
    };
    let text = String::from_utf8_lossy(texts);
    let mut texts = text.split('\0');
    let on = |bit: u8| switches & (1 << bit) != 0;
    let mut options = match on(0) {
        true => CookieOptions::new(),
        false => CookieOptions::insecure_for_local_http(),
    };
    options = options.same_site(match (on(1), on(2)) {
        (false, false) => SameSite::Lax,
        (false, true) => SameSite::Strict,
        (true, _) => SameSite::None,
    });
    if on(3) {
        options = options.partitioned();
    }
    if on(4) {
        options = options.dangerous_readable_by_scripts();
    }
    if let Some(name) = texts.next().filter(|_| on(5)) {
        options = options.name(name);
    }
    if let Some(domain) = texts.next().filter(|_| on(6)) {
        options = options.domain(domain);
    }
    if let Some(path) = texts.next().filter(|_| on(7)) {
        options = options.path(path);
    }
    if let Ok(writer) = CookieWriter::new(&options, None) {
        let id = SignedSessionId::sign(&known().ids[0], known().keys.signing_key());
        let left = Duration::from_secs(u64::from(switches));
        check_field(&writer.set(&id, Some(left)), id.as_str());
        check_field(&writer.set(&id, None), id.as_str());
        check_field(&writer.remove(), "");
    }
    if let Some(secret) = texts.next() {
        check_secret(secret);
    }
}

fn check_field(field: &[u8], value: &str) {
    let field = str::from_utf8(field).expect("a field is ASCII");
    assert!(
        field.bytes().all(|byte| (0x20..0x7f).contains(&byte)),
        "{field:?}"
    );
    let mut parts = field.split("; ");
    let pair = parts.next().expect("a split has a first part");
    let name = pair
        .strip_suffix(value)
        .and_then(|pair| pair.strip_suffix('='));
    let name = name.expect("first the name and the value");
    assert!(
        !name.is_empty() && !name.contains(['=', ';', ' ', ',', '"']),
        "{field:?}"
    );
    let attributes: Vec<&str> = parts.collect();
    let has = |wanted: &str| attributes.contains(&wanted);
    let names: Vec<_> = attributes.iter().map(|one| one.split('=').next()).collect();
    for (at, one) in names.iter().enumerate() {
        let known = [
            "Max-Age",
            "Expires",
            "Path",
            "Domain",
            "Secure",
            "HttpOnly",
            "SameSite",
            "Partitioned",
        ];
        assert!(known.map(Some).contains(one), "{field:?}");
        assert!(!names[..at].contains(one), "twice: {field:?}");
    }
    let lower = name.to_ascii_lowercase();
    if lower.starts_with("__secure-")
        || lower.starts_with("__host-")
        || lower.starts_with("__http-")
    {
        assert!(has("Secure"), "{field:?}");
    }
    if lower.starts_with("__host-") {
        assert!(
            has("Path=/") && !names.contains(&Some("Domain")),
            "{field:?}"
        );
    }
    if has("SameSite=None") || has("Partitioned") {
        assert!(has("Secure"), "{field:?}");
    }
}

fn check_secret(text: &str) {
    for parsed in [
        Secret::from_hex(text),
        Secret::from_base64(text),
        Secret::from_bytes(text.as_bytes()),
    ] {
        match parsed {
            Ok(secret) => {
                assert!(secret.as_bytes().len() >= Secret::MIN_BYTES);
                let again = Secret::from_hex(&secret.to_hex()).expect("it was taken before");
                assert_eq!(again.as_bytes(), secret.as_bytes());
                assert!(!format!("{secret:?}").contains(&secret.to_hex()[..16]));
            }
            // A whole sentence of the message is no secret, whoever guesses it.
            Err(error) => {
                let shown = text.len() >= 16 && format!("{error:?} {error}").contains(text);
                assert!(
                    !shown
                        || Secret::from_bytes(b"")
                            .expect_err("it is empty")
                            .to_string()
                            .contains(text)
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// Runs a target over what is kept of its corpus.
    fn replay(target: &str, run: fn(&[u8])) {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
        let mut inputs = 0;
        for file in std::fs::read_dir(corpus.join(target)).unwrap() {
            let path = file.unwrap().path();
            println!("{}", path.display());
            run(&std::fs::read(path).unwrap());
            inputs += 1;
        }
        assert!(inputs > 5, "{target}: {inputs}");
    }

    #[test]
    fn the_corpus_of_cookie_header() {
        replay("cookie_header", super::cookie_header);
    }

    #[test]
    fn the_corpus_of_signed_value() {
        replay("signed_value", super::signed_value);
    }

    #[test]
    fn the_corpus_of_configuration() {
        replay("configuration", super::configuration);
    }
}
