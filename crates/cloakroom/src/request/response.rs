use crate::lifetimes::cookie_max_age;
use crate::request::Exchange;
use crate::request::state::{CookieChange, Phase, State};
use crate::{SessionId, SignedSessionId};

/// What the response to a request needs on account of its session.
///
/// An adapter turns it into headers: append the [cookie](ResponseEffect::set_cookie), or put the
/// [id](ResponseEffect::set_header) in the place of any value of that header, and with either set
/// `Cache-Control: no-store` and take out the fields by which [only some caches go](is_for_some_caches); add
/// [what carries the id](crate::Carrier::request_field) to `Vary` if the [session was read](ResponseEffect::vary).
#[derive(Debug)]
#[must_use = "without it a session that was created is lost"]
pub struct ResponseEffect {
    sent: Option<Sent>,
    // No more than a flag: every response carries an effect to its end.
    in_header: bool,
    vary: bool,
}

/// ASCII.
struct Sent(Vec<u8>);

impl Sent {
    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("what is sent is ASCII")
    }
}

// By hand: what is sent opens the session.
impl std::fmt::Debug for Sent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sent(…)")
    }
}

impl ResponseEffect {
    /// Of a session that nothing asked for.
    pub(super) const NOTHING: Self = Self {
        sent: None,
        in_header: false,
        vary: false,
    };

    /// The value of a `Set-Cookie` field: to be appended, and no other cookie of this name with it. Such a
    /// response must not be stored by a cache (RFC 9111, section 7.3): `Cache-Control: no-store`.
    #[must_use]
    pub fn set_cookie(&self) -> Option<&str> {
        let cookie = self.sent.as_ref().filter(|_| !self.in_header);
        cookie.map(Sent::as_str)
    }

    /// The same, given away.
    #[must_use]
    pub fn into_set_cookie(self) -> Option<String> {
        let cookie = self.into_set_cookie_bytes()?;
        Some(String::from_utf8(cookie).expect("what is sent is ASCII"))
    }

    /// The same as bytes: for frameworks whose header values are bytes that they check themselves.
    #[must_use]
    pub fn into_set_cookie_bytes(self) -> Option<Vec<u8>> {
        let cookie = self.sent.filter(|_| !self.in_header);
        cookie.map(|Sent(cookie)| cookie)
    }

    /// With [`id_in_header`](crate::SessionsBuilder::id_in_header): the value of the
    /// [response's header](crate::IdHeader::response_name), empty after a sign-out. To replace what is there, with
    /// `Cache-Control: no-store`.
    #[must_use]
    pub fn set_header(&self) -> Option<&str> {
        let value = self.sent.as_ref().filter(|_| self.in_header);
        value.map(Sent::as_str)
    }

    /// Whether the response depends on the session, so that caches must tell apart who asked: `Vary`, with
    /// [what carries the id](crate::Carrier::request_field) (RFC 9110, section 12.5.5).
    #[must_use]
    pub fn vary(&self) -> bool {
        self.vary
    }

    /// Whether the response is to go as it is.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.sent.is_none() && !self.vary
    }
}

/// Whether a `Vary` field's value covers that field already, by name or by `*`.
///
/// ```
/// use cloakroom::vary_has;
///
/// assert!(vary_has(b"Accept, cookie", "cookie"));
/// assert!(vary_has(b"*", "cookie"));
/// assert!(!vary_has(b"Accept-Encoding", "cookie"));
/// ```
#[must_use]
pub fn vary_has(value: &[u8], field: &str) -> bool {
    value
        .split(|byte| *byte == b',')
        .map(<[u8]>::trim_ascii)
        .any(|name| name.eq_ignore_ascii_case(field.as_bytes()) || name == b"*")
}

/// Whether a field of that name tells only some caches what to keep, those of a content delivery network, which then do
/// not look at `Cache-Control` (RFC 9213, section 2.2): `CDN-Cache-Control`, any network's own such as
/// `Cloudflare-CDN-Cache-Control`, and `Surrogate-Control`. Beside an id none may stay.
///
/// ```
/// use cloakroom::is_for_some_caches;
///
/// assert!(is_for_some_caches("cdn-cache-control"));
/// assert!(is_for_some_caches("Netlify-CDN-Cache-Control"));
/// assert!(is_for_some_caches("surrogate-control"));
/// assert!(!is_for_some_caches("cache-control"));
/// ```
#[must_use]
#[inline]
pub fn is_for_some_caches(field: &str) -> bool {
    // Most fields have shorter names than any of these.
    field.len() >= NETWORKS.len() && has_name_for_some_caches(field.as_bytes())
}

const NETWORKS: &[u8; 17] = b"cdn-cache-control";
const SURROGATES: &[u8; 17] = b"surrogate-control";

fn has_name_for_some_caches(field: &[u8]) -> bool {
    let Some((network, last)) = field.split_last_chunk::<17>() else {
        return false;
    };
    match network {
        [] => last.eq_ignore_ascii_case(NETWORKS) || last.eq_ignore_ascii_case(SURROGATES),
        [.., end] => *end == b'-' && last.eq_ignore_ascii_case(NETWORKS),
    }
}

impl<T: Send + Sync + 'static> Exchange<T> {
    /// From here on the cookie, or the header, cannot change.
    pub(super) fn respond(&self, state: &mut State<T>) -> ResponseEffect {
        state.responded = true;
        let change = std::mem::replace(&mut state.cookie, CookieChange::Keep);
        let resend = state.resend.take();
        let sent = match change {
            CookieChange::Keep if resend.is_none() => None,
            CookieChange::Remove => Some(match &self.inner().cookie {
                Some(cookie) => Sent(cookie.remove()),
                None => Sent(Vec::new()),
            }),
            CookieChange::Keep | CookieChange::Send => {
                let id = resend.as_deref().or(state.id());
                id.map(|id| self.send(id, state))
            }
        };
        ResponseEffect {
            sent,
            in_header: self.inner().cookie.is_none(),
            vary: !matches!(state.phase, Phase::Unread),
        }
    }

    fn send(&self, id: &SessionId, state: &State<T>) -> Sent {
        let inner = self.inner();
        let signed = SignedSessionId::sign(id, inner.keys.signing_key());
        let Some(cookie) = &inner.cookie else {
            return Sent(signed.as_bytes().to_vec());
        };
        let max_age = match state.live() {
            Some(live) => {
                let now = inner.storage.now();
                cookie_max_age(&live.record.times, live.record.browser_session, now)
            }
            None => inner.lifetimes.cookie_max_age(),
        };
        Sent(cookie.set(&signed, max_age))
    }
}
