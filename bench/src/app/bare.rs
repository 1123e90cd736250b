use axum::Router;
use axum::routing::get;
use tower::util::BoxCloneSyncService;

use super::Service;

pub fn service() -> Service {
    let handler = || get(async || "ok");
    let router = Router::new()
        .route("/ignore", handler())
        .route("/read", handler())
        .route("/write", handler())
        .route("/sign-in", handler());
    BoxCloneSyncService::new(router)
}
