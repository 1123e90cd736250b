use crate::SignedSessionId;
use crate::lifetimes::cookie_max_age;
use crate::request::Exchange;
use crate::request::state::{CookieChange, Phase, State};

/// What the response to a request needs on account of its session.
///
/// An adapter turns it into headers: append the [cookie](ResponseEffect::set_cookie), and with it set
/// `Cache-Control: no-store`; add `Cookie` to `Vary` if the [session was read](ResponseEffect::vary_cookie).
#[derive(Debug)]
#[must_use = "without its cookie a session that was created is lost"]
pub struct ResponseEffect {
    // Not printed by `Debug`: see `SetCookie`.
    set_cookie: Option<SetCookie>,
    vary_cookie: bool,
}

struct SetCookie(String);

impl std::fmt::Debug for SetCookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SetCookie(…)")
    }
}

impl ResponseEffect {
    /// Of a session that nothing asked for.
    pub(super) const NOTHING: Self = Self {
        set_cookie: None,
        vary_cookie: false,
    };

    /// The value of a `Set-Cookie` field: to be appended, and no other cookie of this name with it. Such a
    /// response must not be stored by a cache (RFC 9111, section 7.3): `Cache-Control: no-store`.
    #[must_use]
    pub fn set_cookie(&self) -> Option<&str> {
        self.set_cookie.as_ref().map(|cookie| cookie.0.as_str())
    }

    /// The same, given away.
    #[must_use]
    pub fn into_set_cookie(self) -> Option<String> {
        self.set_cookie.map(|cookie| cookie.0)
    }

    /// Whether the response depends on the session's cookie, so that caches must tell apart who asked: `Vary:
    /// Cookie` (RFC 9110, section 12.5.5).
    #[must_use]
    pub fn vary_cookie(&self) -> bool {
        self.vary_cookie
    }
}

/// Whether a `Vary` field's value covers `Cookie` already, by name or by `*`.
///
/// ```
/// use cloakroom::vary_has_cookie;
///
/// assert!(vary_has_cookie(b"Accept, cookie"));
/// assert!(vary_has_cookie(b"*"));
/// assert!(!vary_has_cookie(b"Accept-Encoding"));
/// ```
#[must_use]
pub fn vary_has_cookie(value: &[u8]) -> bool {
    value
        .split(|byte| *byte == b',')
        .map(<[u8]>::trim_ascii)
        .any(|name| name.eq_ignore_ascii_case(b"cookie") || name == b"*")
}

impl<T: Send + Sync + 'static> Exchange<T> {
    /// From here on the cookie cannot change.
    pub(super) fn respond(&self, state: &mut State<T>) -> ResponseEffect {
        state.responded = true;
        let change = std::mem::replace(&mut state.cookie, CookieChange::Keep);
        let resend = state.resend.take();
        let inner = self.inner();
        let set_cookie = match change {
            CookieChange::Keep if resend.is_none() => None,
            CookieChange::Remove => Some(inner.cookie.remove()),
            CookieChange::Keep | CookieChange::Send => resend.as_deref().or(state.id()).map(|id| {
                let now = inner.storage.now();
                let max_age = match state.live() {
                    Some(live) => {
                        cookie_max_age(&live.record.times, live.record.browser_session, now)
                    }
                    None => {
                        let lifetimes = inner.lifetimes;
                        cookie_max_age(&lifetimes.times(now), lifetimes.browser_session, now)
                    }
                };
                let signed = SignedSessionId::sign(id, inner.keys.signing_key());
                inner.cookie.set(&signed, max_age)
            }),
        };
        ResponseEffect {
            set_cookie: set_cookie.map(SetCookie),
            vary_cookie: !matches!(state.phase, Phase::Unread),
        }
    }
}
