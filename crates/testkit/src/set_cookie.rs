use std::fmt;

/// A `Set-Cookie` field, read strictly by the grammar for servers (RFC 6265bis, section 4.1.1). What the
/// grammar does not know is a failed test.
#[derive(Clone, PartialEq, Eq)]
pub struct SetCookie {
    /// The cookie's name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Each attribute as it was written, in order.
    pub attributes: Vec<String>,
}

impl SetCookie {
    /// Reads it.
    ///
    /// # Panics
    /// If it does not follow the grammar.
    #[must_use]
    pub fn parse(field: &str) -> Self {
        let mut parts = field.split("; ");
        let pair = parts.next().expect("a split has a first part");
        let (name, value) = pair.split_once('=').expect("a cookie has a name");
        assert!(
            !name.is_empty() && name.bytes().all(is_token),
            "cookie name {name:?}"
        );
        let bare = value
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'))
            .unwrap_or(value);
        assert!(bare.bytes().all(is_cookie_octet), "the value of {name}");
        assert!(name.len() + value.len() <= 4096, "{name} is too large");
        let attributes: Vec<String> = parts.map(str::to_owned).collect();
        for (at, attribute) in attributes.iter().enumerate() {
            check_attribute(attribute);
            let name = |attribute: &str| {
                attribute
                    .split('=')
                    .next()
                    .unwrap_or_default()
                    .to_ascii_lowercase()
            };
            let again = attributes[at + 1..]
                .iter()
                .any(|other| name(other) == name(attribute));
            assert!(!again, "{attribute:?} comes twice");
        }
        Self {
            name: name.to_owned(),
            value: value.to_owned(),
            attributes,
        }
    }

    /// Whether this is a session's cookie: `<id>.<tag>`, or the removal of one.
    #[must_use]
    pub fn is_session(&self) -> bool {
        let of_ours = self.name.ends_with("sid") || self.name.ends_with("admin");
        of_ours && (self.value.is_empty() || self.value.len() == 87)
    }

    /// The value of an attribute, `Some("")` for one without.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find_map(|attribute| {
            let (found, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            (found == name).then_some(value)
        })
    }

    /// `Max-Age` in seconds.
    #[must_use]
    pub fn max_age(&self) -> Option<u64> {
        let seconds = self.attribute("Max-Age")?.parse();
        Some(seconds.expect("the grammar was checked"))
    }

    /// Everything that a removal has to repeat: the name, and the attributes but those that say how long.
    #[must_use]
    pub fn identity(&self) -> (&str, Vec<&str>) {
        let lasting = |attribute: &&String| {
            !attribute.starts_with("Max-Age=") && !attribute.starts_with("Expires=")
        };
        let attributes = self.attributes.iter().filter(lasting);
        (&self.name, attributes.map(String::as_str).collect())
    }

    /// Whether a browser drops the cookie at this.
    #[must_use]
    pub fn is_removal(&self) -> bool {
        self.value.is_empty()
            && self.max_age() == Some(0)
            && self.attribute("Expires") == Some("Thu, 01 Jan 1970 00:00:00 GMT")
    }

    /// As a browser sends it back.
    #[must_use]
    pub fn pair(&self) -> String {
        format!("{}={}", self.name, self.value)
    }
}

// Not derived: a failed assertion is not to print what opens a session.
impl fmt::Debug for SetCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetCookie")
            .field("name", &self.name)
            .field("attributes", &self.attributes)
            .finish_non_exhaustive()
    }
}

fn check_attribute(attribute: &str) {
    let good = match attribute.split_once('=') {
        None => ["Secure", "HttpOnly", "Partitioned"].contains(&attribute),
        Some(("Max-Age", value)) => {
            !value.is_empty() && value.len() <= 8 && value.bytes().all(|byte| byte.is_ascii_digit())
        }
        Some(("Expires", value)) => is_imf_fixdate(value),
        Some(("SameSite", value)) => ["Strict", "Lax", "None"].contains(&value),
        Some(("Path", value)) => value.starts_with('/') && value.bytes().all(is_av_octet),
        Some(("Domain", value)) => !value.is_empty() && value.bytes().all(is_av_octet),
        Some(_) => false,
    };
    assert!(good, "not an attribute: {attribute:?}");
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`
fn is_imf_fixdate(text: &str) -> bool {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let shape = "aaa, 00 aaa 0000 00:00:00 GMT";
    let fits = text.len() == shape.len()
        && shape
            .bytes()
            .zip(text.bytes())
            .all(|(shape, byte)| match shape {
                b'0' => byte.is_ascii_digit(),
                b'a' => byte.is_ascii_alphabetic(),
                literal => byte == literal,
            });
    fits && DAYS.contains(&&text[..3]) && MONTHS.contains(&&text[8..11])
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_cookie_octet(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e)
}

fn is_av_octet(byte: u8) -> bool {
    matches!(byte, 0x20..=0x3a | 0x3c..=0x7e)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_cookie_is_read() {
        let cookie = SetCookie::parse(
            "sid=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; Secure; SameSite=Lax",
        );
        assert!(cookie.is_removal() && cookie.is_session());
        assert_eq!(cookie.attribute("Path"), Some("/"));
        assert_eq!(
            cookie.identity(),
            ("sid", vec!["Path=/", "Secure", "SameSite=Lax"])
        );
    }

    #[test]
    fn whatever_bends_the_grammar_fails() {
        for bad in [
            "sid",
            "=x",
            "s id=x",
            "sid=a b",
            "sid=a,b",
            "sid=x;Path=/",
            "sid=x;  Path=/",
            "sid=x; path=/",
            "sid=x; Path=/; Path=/",
            "sid=x; Max-Age=-1",
            "sid=x; Max-Age=",
            "sid=x; Max-Age=1.5",
            "sid=x; Expires=Thu, 01-Jan-1970 00:00:00 GMT",
            "sid=x; Expires=Thu, 01 Jan 70 00:00:00 GMT",
            "sid=x; SameSite=lax",
            "sid=x; Secure=true",
            "sid=x; ",
            "sid=x;",
        ] {
            let parsed = std::panic::catch_unwind(|| SetCookie::parse(bad));
            assert!(parsed.is_err(), "{bad:?}");
        }
    }
}
