//! Counts each visitor's visits. `examples/actix-counter` is the same program with actix-web.

use axum::Router;
use axum::routing::{get, post};
use cloakroom::Sessions;
use cloakroom_tower::{CurrentSession, LazySession, SessionError, SessionLayer};

/// The application.
pub fn app(sessions: Sessions<u64>) -> Router {
    Router::new()
        .route("/", get(visit))
        .route("/forget", post(forget))
        .layer(SessionLayer::new(sessions))
}

async fn visit(session: CurrentSession<u64>) -> Result<String, SessionError> {
    let count = |visits: &mut u64| {
        *visits += 1;
        *visits
    };
    let visits = session.update_or_default(count).await?;
    Ok(format!("visit {visits}\n"))
}

async fn forget(session: LazySession<u64>) -> Result<&'static str, SessionError> {
    session.logout().await?;
    Ok("forgotten\n")
}
