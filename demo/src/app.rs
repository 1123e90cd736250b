use std::net::SocketAddr;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::StatusCode;
use axum::middleware::map_response;
use cloakroom::Sessions;
use cloakroom_tower::SessionLayer;
use tower_http::csrf::CsrfLayer;

use crate::settings::Settings;
use crate::shopper::Shopper;
use crate::{api, headers, page};

/// The application: the pages, and below `/api` the JSON interface with its sessions.
///
/// Serve it [with the connection's address](axum::Router::into_make_service_with_connect_info) as a `SocketAddr`
/// where clients are recorded.
///
/// ```
/// use cloakroom::{CookieOptions, MemoryStore, Secret, Sessions};
/// use cloakroom_demo::Settings;
///
/// let sessions = Sessions::builder(MemoryStore::new(), Secret::generate()?)
///     .cookie(CookieOptions::insecure_for_local_http())
///     .build()?;
/// let router: axum::Router = cloakroom_demo::app(sessions, Settings::default());
/// # Ok::<(), cloakroom::Error>(())
/// ```
pub fn app(sessions: Sessions<Shopper>, settings: Settings) -> Router {
    let layer = SessionLayer::new(sessions)
        .peer_address(|extensions| Some(extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip()));
    Router::new()
        .merge(page::routes())
        .nest("/api", api::routes(settings).layer(layer))
        .fallback(|| async { (StatusCode::NOT_FOUND, "There is nothing here.\n") })
        // No other site acts for a visitor. `SameSite` leaves sibling hosts, and on a developer's machine other ports.
        .layer(CsrfLayer::new())
        .layer(map_response(headers::harden))
}
