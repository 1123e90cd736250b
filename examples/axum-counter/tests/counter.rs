//! The counter, asked as a browser would.

use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum_counter::app;
use cloakroom::{MemoryStore, Secret, Sessions};
use tower::ServiceExt;

#[tokio::test]
async fn it_counts_and_forgets() {
    let sessions = Sessions::builder(MemoryStore::new(), Secret::generate().unwrap());
    let app = app(sessions.build().unwrap());
    let ask = async |method: &str, path: &str, cookie: &str| {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("cookie", cookie);
        let request = request.body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        let cookie = response.headers().get("set-cookie");
        let cookie = cookie.map(|value| {
            value
                .to_str()
                .unwrap()
                .split(';')
                .next()
                .unwrap()
                .to_owned()
        });
        let body = to_bytes(response.into_body(), 1_000).await.unwrap();
        (String::from_utf8(body.to_vec()).unwrap(), cookie)
    };

    let (body, cookie) = ask("GET", "/", "").await;
    let cookie = cookie.unwrap();
    assert_eq!(body, "visit 1\n");
    assert_eq!(
        ask("GET", "/", &cookie).await,
        ("visit 2\n".to_owned(), None)
    );
    let (_, removal) = ask("POST", "/forget", &cookie).await;
    assert_eq!(removal.as_deref(), Some("__Host-sid="));
    assert_eq!(ask("GET", "/", &cookie).await.0, "visit 1\n");
}
