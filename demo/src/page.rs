use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};

/// The pages and what belongs to them, built into the program. None of it knows of sessions.
pub(crate) fn routes() -> Router {
    const HTML: &str = "text/html; charset=utf-8";
    const CSS: &str = "text/css; charset=utf-8";
    const SCRIPT: &str = "text/javascript; charset=utf-8";
    Router::new()
        .route("/", file(HTML, include_str!("page/index.html")))
        .route("/devices", file(HTML, include_str!("page/devices.html")))
        .route("/style.css", file(CSS, include_str!("page/style.css")))
        .route("/page.js", file(SCRIPT, include_str!("page/page.js")))
        .route("/live.js", file(SCRIPT, include_str!("page/live.js")))
        .route("/shop.js", file(SCRIPT, include_str!("page/shop.js")))
        .route("/devices.js", file(SCRIPT, include_str!("page/devices.js")))
        .route(
            "/icon.svg",
            file("image/svg+xml", include_str!("page/icon.svg")),
        )
}

fn file(content_type: &'static str, text: &'static str) -> MethodRouter {
    get(move || async move { respond(content_type, text) })
}

fn respond(content_type: &'static str, text: &'static str) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(content_type)),
        // The next start may bring another version.
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, text).into_response()
}
