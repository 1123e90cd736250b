use std::time::Duration;

/// What is measured: a library with a store, or what it is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Bare,
    Cloakroom,
    TowerSessions,
    TowerSessionsMoka,
    Ruts,
    AxumSession,
    BareActix,
    CloakroomActix,
    ActixSession,
    /// What a signed session costs at least, without any framework.
    Optimum,
    /// What the optimum is above.
    Nothing,
}

/// What may differ between measurements; everything else is as the library's documentation recommends.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long a session lives.
    pub ttl: Duration,
    /// How many sessions there will be, for stores that have to know.
    pub sessions: u64,
    /// Purge expired sessions this often, for libraries where that is a setting. `None`: as it comes.
    pub purge: Option<Duration>,
}

impl Settings {
    pub fn resident(sessions: u64) -> Self {
        Self { ttl: Duration::from_secs(30 * 24 * 60 * 60), sessions, purge: None }
    }
}

impl Subject {
    /// Those that keep sessions.
    pub const LIBRARIES: [Self; 7] = [
        Self::Cloakroom,
        Self::TowerSessions,
        Self::TowerSessionsMoka,
        Self::Ruts,
        Self::AxumSession,
        Self::CloakroomActix,
        Self::ActixSession,
    ];

    const ALL: [Self; 11] = [
        Self::Bare,
        Self::Cloakroom,
        Self::TowerSessions,
        Self::TowerSessionsMoka,
        Self::Ruts,
        Self::AxumSession,
        Self::BareActix,
        Self::CloakroomActix,
        Self::ActixSession,
        Self::Optimum,
        Self::Nothing,
    ];

    /// On the command line.
    pub fn id(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Cloakroom => "cloakroom",
            Self::TowerSessions => "tower-sessions",
            Self::TowerSessionsMoka => "tower-sessions-moka",
            Self::Ruts => "ruts",
            Self::AxumSession => "axum_session",
            Self::BareActix => "bare-actix",
            Self::CloakroomActix => "cloakroom-actix",
            Self::ActixSession => "actix-session",
            Self::Optimum => "optimum",
            Self::Nothing => "nothing",
        }
    }

    /// On the page.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bare => "no sessions (axum)",
            Self::Cloakroom => "Cloakroom",
            Self::TowerSessions => "tower-sessions",
            Self::TowerSessionsMoka => "tower-sessions, moka",
            Self::Ruts => "ruts, moka",
            Self::AxumSession => "axum_session",
            Self::BareActix => "no sessions (actix)",
            Self::CloakroomActix => "Cloakroom (actix)",
            Self::ActixSession => "actix-session, cookie (actix)",
            Self::Optimum => "optimum",
            Self::Nothing => "nothing",
        }
    }

    pub fn parse(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|subject| subject.id() == id)
    }

    /// The same application without sessions.
    pub fn base(self) -> Self {
        match self {
            Self::BareActix | Self::CloakroomActix | Self::ActixSession => Self::BareActix,
            Self::Optimum | Self::Nothing => Self::Nothing,
            _ => Self::Bare,
        }
    }

    /// How it is set up, where that is a choice.
    pub fn setup(self) -> &'static str {
        match self {
            Self::Bare | Self::BareActix | Self::Nothing => "the same routes and handlers, no session",
            Self::Cloakroom => {
                "`SessionLayer`, `MemoryStore` with `max_sessions` raised above the number of sessions; cookies \
                 are always signed (HMAC-SHA256); the sign-in takes a `LazySession`, as the README's does: it ends the old \
                 session without reading it"
            }
            Self::CloakroomActix => "`SessionMiddleware`, else as on axum",
            Self::TowerSessions => {
                "0.15: `SessionManagerLayer`, `MemoryStore`, `with_signed`, `Expiry::OnInactivity`"
            }
            Self::TowerSessionsMoka => {
                "0.14, the newest that its moka store takes: `MokaStore::new(None)`, `with_signed`, \
                 `Expiry::OnInactivity`"
            }
            Self::Ruts => {
                "`SessionLayer` under `CookieManagerLayer`, `signing_key`, `MokaStore` with `max_capacity` raised \
                 to the number of sessions and `time_to_live`"
            }
            Self::AxumSession => {
                "`SessionLayer`, `SessionNullPool` (memory only), `with_key` (signed), mode `Persistent`, the default"
            }
            Self::ActixSession => {
                "`SessionMiddleware`, `CookieSessionStore`: the data is in the cookie, encrypted, and there is no \
                 store"
            }
            Self::Optimum => {
                "no framework: scan the cookie field, HMAC with kept key state, SHA-256 of the id, one lookup in a \
                 sharded `HashMap`, a coarse clock"
            }
        }
    }
}
