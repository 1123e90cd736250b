use crate::Sessions;
use crate::testing::{CookieEffect, SessionCookie};

/// Somebody who keeps the session's cookie from response to response, as a browser does.
#[derive(Clone, Debug, Default)]
pub struct Visitor {
    cookie: Option<SessionCookie>,
}

impl Visitor {
    /// Somebody who was never here.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Somebody who comes with that cookie.
    #[must_use]
    pub fn with(cookie: SessionCookie) -> Self {
        Self {
            cookie: Some(cookie),
        }
    }

    /// The value of the next request's `Cookie` field, or of the header that carries the id; empty without one.
    #[must_use]
    pub fn cookie_field(&self) -> String {
        let cookie = self.cookie.as_ref().map(SessionCookie::as_str);
        cookie.unwrap_or_default().to_owned()
    }

    /// Takes what a response's `Set-Cookie` fields say, or those of the header that carries the id, and answers what they
    /// did.
    ///
    /// # Panics
    /// As [`CookieEffect::of`].
    #[track_caller]
    pub fn receive<T: Send + Sync + 'static>(
        &mut self,
        sessions: &Sessions<T>,
        set_cookies: impl IntoIterator<Item = impl AsRef<[u8]>>,
    ) -> CookieEffect {
        let effect = CookieEffect::of(sessions, set_cookies);
        match &effect {
            CookieEffect::Untouched => {}
            CookieEffect::Set(cookie) => self.cookie = Some(cookie.clone()),
            CookieEffect::Removed => self.cookie = None,
        }
        effect
    }
}
