//! Entries of different types, kept in a real SQLite database.

use axum::body::{Body, to_bytes};
use axum::http::Request;
use cloakroom::{Secret, Sessions};
use cloakroom_sqlx::{SqliteFile, SqliteStore};
use dynamic::{Anything, app};
use serde_json::{Value, json};
use tower::ServiceExt;

#[tokio::test]
async fn entries_come_and_go() {
    let pool = SqliteFile::new(":memory:").open().await.unwrap();
    let store = SqliteStore::<Anything>::create(pool).await.unwrap();
    let sessions = Sessions::builder(store, Secret::generate().unwrap());
    let app = app(sessions.build().unwrap());
    let ask = async |method: &str, path: &str, cookie: &str, body: &str| {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("cookie", cookie)
            .header("content-type", "application/json");
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        let cookie = response.headers().get("set-cookie").cloned();
        let body = to_bytes(response.into_body(), 1_000).await.unwrap();
        (
            serde_json::from_slice::<Value>(&body).unwrap_or_default(),
            cookie,
        )
    };

    let (_, cookie) = ask("PUT", "/colour", "", "\"green\"").await;
    let cookie = cookie
        .unwrap()
        .to_str()
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    ask("PUT", "/seen", &cookie, "[1, 2, 3]").await;
    let (all, _) = ask("GET", "/", &cookie, "").await;
    assert_eq!(all, json!({"colour": "green", "seen": [1, 2, 3]}));
    ask("DELETE", "/colour", &cookie, "").await;
    assert_eq!(
        ask("GET", "/", &cookie, "").await.0,
        json!({"seen": [1, 2, 3]})
    );
    assert_eq!(ask("GET", "/", "", "").await.0, json!({}));
}
