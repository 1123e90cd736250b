//! Counts each visitor's visits. `examples/axum-counter` is the same program with axum.

use actix_web::web::{ServiceConfig, get, post, resource};
use cloakroom::Sessions;
use cloakroom_actix::{CurrentSession, LazySession, SessionError, SessionMiddleware};

/// The application.
pub fn app(sessions: Sessions<u64>) -> impl FnOnce(&mut ServiceConfig) {
    move |config| {
        let layer = || SessionMiddleware::new(sessions.clone());
        config
            .service(resource("/").wrap(layer()).route(get().to(visit)))
            .service(resource("/forget").wrap(layer()).route(post().to(forget)));
    }
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
