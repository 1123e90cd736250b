/// What a request does with its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    NoCookie,
    Ignore,
    Read,
    Write,
    SignIn,
}

impl Case {
    /// By its name in `instructions.toml`.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "no-cookie" => Self::NoCookie,
            "ignore" => Self::Ignore,
            "read" => Self::Read,
            "write" => Self::Write,
            "sign-in" => Self::SignIn,
            _ => return None,
        })
    }

    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::NoCookie | Self::Ignore => "/ignore",
            Self::Read => "/read",
            Self::Write => "/write",
            Self::SignIn => "/sign-in",
        }
    }

    pub(crate) fn has_cookie(self) -> bool {
        !matches!(self, Self::NoCookie)
    }
}
