use crate::testing::SessionCookie;
use crate::{Carrier, Sessions};

/// What a response did to the session's cookie, or to the header that carries the id.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "look at it, or say what you expect"]
pub enum CookieEffect {
    /// Nothing: the session neither began nor moved nor ended.
    Untouched,
    /// A session began, or got another id.
    Set(SessionCookie),
    /// The cookie was removed: signed out.
    Removed,
}

impl CookieEffect {
    /// From the values of a response's `Set-Cookie` fields, ours and others. With
    /// [`id_in_header`](crate::SessionsBuilder::id_in_header), from those of the response's header.
    ///
    /// # Panics
    /// If our cookie is set twice, or to something that none of the keys signed: no browser should see that.
    #[track_caller]
    pub fn of<T: Send + Sync + 'static>(
        sessions: &Sessions<T>,
        set_cookies: impl IntoIterator<Item = impl AsRef<[u8]>>,
    ) -> Self {
        let mut effect = Self::Untouched;
        for field in set_cookies {
            let field = String::from_utf8_lossy(field.as_ref());
            let pair = field.split(';').next().unwrap_or_default().trim();
            let value = match sessions.carrier() {
                Carrier::Header(_) => pair,
                Carrier::Cookie(ours) => match pair.split_once('=') {
                    Some((name, value)) if name.trim() == ours.as_str() => value,
                    _ => continue,
                },
            };
            assert_eq!(effect, Self::Untouched, "the session's cookie is set twice");
            effect = if value.is_empty() {
                Self::Removed
            } else {
                let verified = sessions.verify_session_id(value);
                assert!(verified.is_ok(), "the session's cookie is not signed");
                Self::Set(SessionCookie::new(sessions.carrier(), pair))
            };
        }
        effect
    }

    /// The cookie that was set.
    ///
    /// # Panics
    /// If none was.
    #[track_caller]
    pub fn expect_set(self) -> SessionCookie {
        match self {
            Self::Set(cookie) => cookie,
            other => panic!("a session cookie should have been set: {other:?}"),
        }
    }

    /// # Panics
    /// Unless the cookie was removed.
    #[track_caller]
    pub fn expect_removed(self) {
        assert_eq!(self, Self::Removed, "the session cookie should be removed");
    }

    /// # Panics
    /// Unless the response said nothing of the cookie.
    #[track_caller]
    pub fn expect_untouched(self) {
        assert_eq!(self, Self::Untouched, "no session cookie should be sent");
    }
}
