//! The same application with each library, set up as its own documentation recommends.

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{HeaderValue, Request, Response};
use std::convert::Infallible;
use tower::util::BoxCloneSyncService;
use tower::{Layer, ServiceExt};

/// What a session holds in each of them.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct User {
    id: u64,
    name: String,
    visits: u32,
}

const SESSIONS: u64 = 10_000;

/// What a request does with its session.
#[derive(Clone, Copy)]
pub enum Case {
    NoCookie,
    Ignore,
    Read,
    Write,
    SignIn,
}

impl Case {
    pub const ALL: [Self; 5] = [Self::NoCookie, Self::Ignore, Self::Read, Self::Write, Self::SignIn];

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

pub struct App {
    pub service: BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>,
    pub cookie: String,
}

impl App {
    /// The layer goes around the whole router, so that its own cost is measured and not that of boxing routes.
    async fn new<L, S>(router: Router, layer: L) -> Self
    where
        L: Layer<Router, Service = S>,
        S: tower::Service<Request<Body>, Response = Response<Body>, Error = Infallible>
            + Clone + Send + Sync + 'static,
        S::Future: Send,
    {
        let service = BoxCloneSyncService::new(layer.layer(router));
        let mut cookie = String::new();
        for _ in 0..SESSIONS {
            let request = Request::builder().uri("/sign-in").body(Body::empty()).expect("a request");
            let response = service.clone().oneshot(request).await.expect("infallible");
            if let Some(sent) = response.headers().get("set-cookie") {
                cookie = name_and_value(sent);
            }
        }
        Self { service, cookie }
    }
}

pub fn name_and_value(sent: &HeaderValue) -> String {
    let text = sent.to_str().expect("a cookie is ASCII");
    text.split(';').next().unwrap_or_default().to_owned()
}

pub fn bare() -> App {
    let handler = || get(async || "ok");
    let router = Router::new()
        .route("/ignore", handler())
        .route("/read", handler())
        .route("/write", handler())
        .route("/sign-in", handler());
    App {
        service: BoxCloneSyncService::new(router),
        cookie: format!("id={}", "x".repeat(87)),
    }
}

pub async fn cloakroom() -> App {
    use cloakroom::{MemoryStore, Secret, Sessions};
    use cloakroom_tower::{CurrentSession, SessionData, SessionLayer};

    async fn read(user: SessionData<User>) -> &'static str {
        std::hint::black_box(user.id);
        "ok"
    }
    async fn write(session: CurrentSession<User>) -> &'static str {
        let mut user = session.data().map(|user| (*user).clone()).expect("signed in");
        user.visits += 1;
        session.save(user).await.expect("stored");
        "ok"
    }
    async fn sign_in(session: CurrentSession<User>) -> &'static str {
        session.resave(ada()).await.expect("stored");
        "ok"
    }
    let router = Router::new()
        .route("/ignore", get(async || "ok"))
        .route("/read", get(read))
        .route("/write", get(write))
        .route("/sign-in", get(sign_in));
    let secret = Secret::generate().expect("randomness");
    let sessions: Sessions<User> =
        Sessions::builder(MemoryStore::new(), secret).build().expect("a good configuration");
    App::new(router, SessionLayer::new(sessions)).await
}

pub async fn tower_sessions() -> App {
    use tower_sessions::cookie::Key;
    use tower_sessions::{Expiry, MemoryStore, Session, SessionManagerLayer};

    async fn read(session: Session) -> &'static str {
        let user: Option<User> = session.get("user").await.expect("loaded");
        std::hint::black_box(user.expect("signed in").id);
        "ok"
    }
    async fn write(session: Session) -> &'static str {
        let user: Option<User> = session.get("user").await.expect("loaded");
        let mut user = user.expect("signed in");
        user.visits += 1;
        session.insert("user", user).await.expect("kept");
        "ok"
    }
    async fn sign_in(session: Session) -> &'static str {
        session.cycle_id().await.expect("cycled");
        session.insert("user", ada()).await.expect("kept");
        "ok"
    }
    let router = Router::new()
        .route("/ignore", get(async || "ok"))
        .route("/read", get(read))
        .route("/write", get(write))
        .route("/sign-in", get(sign_in));
    let layer = SessionManagerLayer::new(MemoryStore::default())
        .with_expiry(Expiry::OnInactivity(time::Duration::days(30)))
        .with_signed(Key::generate());
    App::new(router, layer).await
}

fn ada() -> User {
    User { id: 17, name: "ada".to_owned(), visits: 0 }
}
