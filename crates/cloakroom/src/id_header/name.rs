use std::fmt;

use crate::Error;

/// The header that carries the signed id, for clients that are no browsers: see
/// [`id_in_header`](crate::SessionsBuilder::id_in_header).
///
/// Upper and lower case do not differ in names of headers; it is kept in lower case.
///
/// ```
/// use cloakroom::IdHeader;
///
/// let header = IdHeader::new("X-Session-Id")?;
/// assert_eq!((header.request_name(), header.response_name()), ("x-session-id", "x-session-id"));
/// let bearer = IdHeader::bearer();
/// assert_eq!((bearer.request_name(), bearer.response_name()), ("authorization", "x-session-id"));
///
/// assert!(IdHeader::new("cookie").is_err());
/// # Ok::<(), cloakroom::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IdHeader {
    name: Box<str>,
    bearer: bool,
}

/// In which the response to a bearer gives the new value: `Authorization` is for requests only.
const BEARERS_RESPONSE: &str = "x-session-id";

impl IdHeader {
    /// A header of the application's own, such as `x-session-id`: requests and responses carry the value in it, and
    /// nothing else.
    ///
    /// # Errors
    /// `Configuration` if it is not a header's name (RFC 9110, section 5.1) of at most 64 bytes, or one that has
    /// another meaning: `cookie`, `host`, `origin` and all that browsers or proxies send by themselves. For
    /// `authorization` there is [`bearer`](IdHeader::bearer).
    pub fn new(name: &str) -> Result<Self, Error> {
        if name.is_empty() || name.len() > 64 || !name.bytes().all(is_token_byte) {
            return Err(Error::configuration(format!(
                "{name:?} is not the name of a header: 1 to 64 letters, digits and any of !#$%&'*+-.^_`|~"
            )));
        }
        let name = name.to_ascii_lowercase();
        if name == "authorization" {
            return Err(Error::configuration(
                "in `authorization` an id comes after a scheme: use IdHeader::bearer()",
            ));
        }
        if has_another_meaning(&name) {
            return Err(Error::configuration(format!(
                "the header {name:?} has a meaning of its own; use a name such as \"x-session-id\""
            )));
        }
        Ok(Self {
            name: name.into(),
            bearer: false,
        })
    }

    /// `Authorization: Bearer <value>` in requests (RFC 6750, section 2.1), and `x-session-id: <value>` in responses.
    /// Credentials of another scheme, such as `Basic`, are none of the session's business.
    #[must_use]
    pub fn bearer() -> Self {
        Self {
            name: "authorization".into(),
            bearer: true,
        }
    }

    /// The header of requests, in lower case.
    #[must_use]
    pub fn request_name(&self) -> &str {
        &self.name
    }

    /// The header of responses, in lower case.
    #[must_use]
    pub fn response_name(&self) -> &str {
        if self.bearer {
            BEARERS_RESPONSE
        } else {
            &self.name
        }
    }

    /// What a request has to say in [that header](IdHeader::request_name) to bring this signed value.
    #[must_use]
    pub fn request_value(&self, signed: &str) -> String {
        if self.bearer {
            format!("Bearer {signed}")
        } else {
            signed.to_owned()
        }
    }

    /// Whether the value comes after the scheme `Bearer`.
    pub(super) fn is_bearer(&self) -> bool {
        self.bearer
    }
}

impl fmt::Debug for IdHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdHeader({:?})", self.request_name())
    }
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// What browsers and proxies send or read by themselves. That no browser sends the id by itself is what protects
/// against requests that another site causes.
fn has_another_meaning(name: &str) -> bool {
    const FAMILIES: [&str; 9] = [
        "accept",
        "access-control-",
        "content-",
        "cross-origin-",
        "if-",
        "proxy-",
        "sec-",
        "x-forwarded-",
        "cookie",
    ];
    const NAMES: &str = "age allow alt-svc alt-used cache-control clear-site-data connection date dnt early-data \
        etag expect expires forwarded from host http2-settings keep-alive last-event-id \
        last-modified link location max-forwards origin origin-agent-cluster ping-from ping-to \
        pragma priority range referer referrer-policy refresh retry-after server set-cookie \
        set-cookie2 strict-transport-security te trailer transfer-encoding upgrade \
        upgrade-insecure-requests user-agent vary via warning www-authenticate x-real-ip";
    FAMILIES.iter().any(|family| name.starts_with(family))
        || NAMES.split(' ').any(|other| other == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn names_are_tokens_in_any_case() {
        for good in [
            "x-session-id",
            "X-Auth-Token",
            "ticket",
            "authentication-info",
        ] {
            let header = IdHeader::new(good).unwrap();
            assert_eq!(header.request_name(), good.to_ascii_lowercase());
            assert_eq!(header.response_name(), header.request_name());
            assert_eq!(header.request_value("a.b"), "a.b");
        }
        let long = "x".repeat(65);
        for bad in [
            "",
            " x",
            "x:",
            "x y",
            "x\r\nset-cookie",
            "sïd",
            "x\0",
            ":path",
            &long,
        ] {
            let error = IdHeader::new(bad).expect_err(bad);
            assert_eq!(error.kind(), ErrorKind::Configuration);
        }
    }

    #[test]
    fn what_browsers_and_proxies_send_by_themselves_carries_no_id() {
        for bad in [
            "cookie",
            "Cookie",
            "cookie2",
            "set-cookie",
            "host",
            "content-length",
            "origin",
            "referer",
            "sec-fetch-site",
            "x-forwarded-for",
            "transfer-encoding",
            "authorization",
            "proxy-authorization",
            "cache-control",
            "vary",
            "accept-language",
        ] {
            let error = IdHeader::new(bad).expect_err(bad);
            assert_eq!(error.kind(), ErrorKind::Configuration, "{bad}");
        }
    }

    #[test]
    fn a_bearer_is_answered_in_another_header() {
        let bearer = IdHeader::bearer();
        assert_eq!(bearer.request_name(), "authorization");
        assert_eq!(bearer.response_name(), "x-session-id");
        assert_eq!(bearer.request_value("a.b"), "Bearer a.b");
        assert_ne!(bearer, IdHeader::new("x-session-id").unwrap());
    }
}
