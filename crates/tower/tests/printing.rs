//! What is printed of a response.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use cloakroom::{MemoryStore, Secret, Sessions};
use cloakroom_tower::{LazySession, SessionError, SessionLayer};
use http::Request;
use http::header::SET_COOKIE;
use tower::ServiceExt;

async fn sign_in(session: LazySession<String>) -> Result<(), SessionError> {
    Ok(session.resave("ada".to_owned()).await?)
}

/// Middleware that logs the fields of responses prints them by `Debug`.
#[tokio::test]
async fn the_fields_of_a_response_print_no_id() {
    let sessions = Sessions::<String>::builder(MemoryStore::new(), Secret::generate().unwrap());
    let app: Router = Router::new()
        .route("/", get(sign_in))
        .layer(SessionLayer::new(sessions.build().unwrap()));
    let request = Request::get("/").body(Body::empty()).unwrap();
    let response = app.oneshot(request).await.unwrap();
    let fields = response.headers();
    let cookie = fields[SET_COOKIE].to_str().unwrap();
    let value = cookie.split(['=', ';']).nth(1).unwrap();
    assert!(!format!("{fields:?}").contains(value));
}
