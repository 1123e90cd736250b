//! What a request does with its session, and what a session holds.

/// What a session holds in each of the libraries.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub struct User {
    pub id: u64,
    pub name: String,
    pub visits: u32,
}

impl User {
    pub fn ada() -> Self {
        Self { id: 17, name: "ada".to_owned(), visits: 0 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    NoCookie,
    Ignore,
    Read,
    Write,
    SignIn,
}

impl Case {
    pub const ALL: [Self; 5] =
        [Self::NoCookie, Self::Ignore, Self::Read, Self::Write, Self::SignIn];

    /// As the page says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoCookie => "no cookie, the handler ignores the session",
            Self::Ignore => "valid cookie, the handler ignores the session",
            Self::Read => "the handler reads a small struct",
            Self::Write => "the handler reads and saves it",
            Self::SignIn => "sign-in over a live session, fresh id",
        }
    }

    pub fn path(self) -> &'static str {
        match self {
            Self::NoCookie | Self::Ignore => "/ignore",
            Self::Read => "/read",
            Self::Write => "/write",
            Self::SignIn => "/sign-in",
        }
    }

    pub fn has_cookie(self) -> bool {
        !matches!(self, Self::NoCookie)
    }
}
