//! The counter, asked as a browser would.

use actix_counter::app;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App, http};
use cloakroom::{MemoryStore, Secret, Sessions};

#[actix_web::test]
async fn it_counts_and_forgets() {
    let sessions = Sessions::builder(MemoryStore::new(), Secret::generate().unwrap());
    let app = App::new().configure(app(sessions.build().unwrap()));
    let app = init_service(app).await;
    let ask = async |method: http::Method, path: &str, cookie: &str| {
        let request = TestRequest::with_uri(path)
            .method(method)
            .insert_header(("cookie", cookie));
        let response = call_service(&app, request.to_request()).await;
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
        (
            String::from_utf8(read_body(response).await.to_vec()).unwrap(),
            cookie,
        )
    };

    let (body, cookie) = ask(http::Method::GET, "/", "").await;
    let cookie = cookie.unwrap();
    assert_eq!(body, "visit 1\n");
    assert_eq!(
        ask(http::Method::GET, "/", &cookie).await,
        ("visit 2\n".to_owned(), None)
    );
    let (_, removal) = ask(http::Method::POST, "/forget", &cookie).await;
    assert_eq!(removal.as_deref(), Some("__Host-sid="));
    assert_eq!(ask(http::Method::GET, "/", &cookie).await.0, "visit 1\n");
}
