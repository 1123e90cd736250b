use axum::Router;
use axum::http::StatusCode;
use axum::middleware::map_response;
use cloakroom::Sessions;
use cloakroom_tower::SessionLayer;

use crate::shopper::Shopper;
use crate::{api, headers, page};

/// The application: the page, and below `/api` the JSON interface with its sessions.
///
/// ```
/// use cloakroom::{CookieOptions, MemoryStore, Secret, Sessions};
///
/// let sessions = Sessions::builder(MemoryStore::new(), Secret::generate()?)
///     .cookie(CookieOptions::insecure_for_local_http())
///     .build()?;
/// let router: axum::Router = cloakroom_demo::app(sessions);
/// # Ok::<(), cloakroom::Error>(())
/// ```
pub fn app(sessions: Sessions<Shopper>) -> Router {
    Router::new()
        .merge(page::routes())
        .nest("/api", api::routes().layer(SessionLayer::new(sessions)))
        .fallback(|| async { (StatusCode::NOT_FOUND, "There is nothing here.\n") })
        .layer(map_response(headers::harden))
}
