//! A visitor's browser, and the pages that try to use it.

#![allow(clippy::unwrap_used)] // In a test a panic is the answer.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use axum_csrf::app;
use cloakroom::{CookieOptions, MemoryStore, Secret, Sessions};
use http_body_util::BodyExt;
use tower::ServiceExt;

/// What a browser says of a form on this site.
const HERE: &[(&str, &str)] = &[
    ("sec-fetch-site", "same-origin"),
    ("origin", "https://shop.example"),
];

/// What a browser says of a form elsewhere; the second one is too old to say it outright.
const ELSEWHERE: [&[(&str, &str)]; 4] = [
    &[
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.example"),
    ],
    &[("origin", "https://evil.example")],
    &[
        ("sec-fetch-site", "same-site"),
        ("origin", "https://blog.shop.example"),
    ],
    &[("origin", "null")],
];

/// What a browser of long ago says, or a proxy leaves of it.
const NOTHING: &[(&str, &str)] = &[];

struct Browser {
    app: Router,
    cookie: String,
}

impl Browser {
    fn new(app: &Router) -> Self {
        Self {
            app: app.clone(),
            cookie: String::new(),
        }
    }

    async fn send(
        &mut self,
        method: &str,
        path: &str,
        says: &[(&str, &str)],
        form: String,
    ) -> Response<Body> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "shop.example")
            .header("cookie", &self.cookie)
            .header("content-type", "application/x-www-form-urlencoded");
        for (name, value) in says {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(form)).unwrap();
        let response = self.app.clone().oneshot(request).await.unwrap();
        if let Some(cookie) = response.headers().get("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next();
            self.cookie = pair.unwrap().to_owned();
        }
        response
    }

    async fn page(&mut self) -> String {
        let response = self.send("GET", "/", NOTHING, String::new()).await;
        assert_eq!(response.status(), StatusCode::OK);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(body.to_vec()).unwrap()
    }

    /// The token in the page's forms.
    async fn token(&mut self) -> String {
        let page = self.page().await;
        let (_, rest) = page.split_once(r#"name="csrf_token" value=""#).unwrap();
        rest.split('"').next().unwrap().to_owned()
    }

    async fn sign_in(&mut self, name: &str) {
        let form = format!("name={name}&csrf_token={}", self.token().await);
        let response = self.send("POST", "/sign-in", HERE, form).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
    }

    async fn give(&mut self, says: &[(&str, &str)], token: &str) -> StatusCode {
        let form = format!("coins=1&csrf_token={token}");
        self.send("POST", "/give", says, form).await.status()
    }
}

fn start() -> Router {
    let sessions = Sessions::builder(MemoryStore::new(), Secret::generate().unwrap())
        .cookie(CookieOptions::insecure_for_local_http())
        .save_uninitialized(true);
    app(sessions.build().unwrap())
}

#[tokio::test]
async fn a_form_of_this_site_does_what_it_says() {
    let mut ada = Browser::new(&start());
    ada.sign_in("<Ada>").await;
    assert!(ada.page().await.contains("&lt;Ada&gt; has 10 coins"));
    let token = ada.token().await;
    assert_eq!(ada.give(HERE, &token).await, StatusCode::SEE_OTHER);
    // Also where a browser of long ago says nothing of itself, and as often as one likes.
    assert_eq!(ada.give(NOTHING, &token).await, StatusCode::SEE_OTHER);
    assert!(ada.page().await.contains("has 8 coins"));
    let form = format!("csrf_token={token}");
    let response = ada.send("POST", "/sign-out", HERE, form).await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert!(ada.page().await.contains("Sign in"));
}

#[tokio::test]
async fn another_origin_is_refused_even_with_the_right_token() {
    let mut ada = Browser::new(&start());
    ada.sign_in("ada").await;
    let token = ada.token().await;
    for says in ELSEWHERE {
        assert_eq!(ada.give(says, &token).await, StatusCode::FORBIDDEN);
    }
    assert!(ada.page().await.contains("has 10 coins"));
}

#[tokio::test]
async fn without_the_sessions_own_token_nothing_happens_whatever_the_origin_is() {
    let app = start();
    let (mut ada, mut eve) = (Browser::new(&app), Browser::new(&app));
    ada.sign_in("ada").await;
    eve.sign_in("eve").await;
    let (own, eves) = (ada.token().await, eve.token().await);
    let cut = &own[..own.len() - 1];
    let changed = format!("{cut}{}", if own.ends_with('A') { 'E' } else { 'A' });
    for token in ["", "x", cut, &changed, &eves] {
        for says in [HERE, NOTHING] {
            assert_eq!(ada.give(says, token).await, StatusCode::FORBIDDEN);
        }
    }
    let response = ada.send("POST", "/give", HERE, "coins=1".to_owned()).await;
    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(ada.page().await.contains("has 10 coins"));
}

#[tokio::test]
async fn nobody_can_be_signed_in_from_elsewhere() {
    let app = start();
    let mut eve = Browser::new(&app);
    let eves = eve.token().await;
    let mut victim = Browser::new(&app);
    victim.page().await;
    for token in [&*eves, "", "x"] {
        let form = format!("name=eve&csrf_token={token}");
        let response = victim.send("POST", "/sign-in", NOTHING, form).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
    }
    assert!(victim.page().await.contains("Sign in"));
}

#[tokio::test]
async fn a_page_that_was_left_open_can_do_nothing_for_whoever_signed_in_since() {
    let mut browser = Browser::new(&start());
    let visitors = browser.token().await;
    browser.sign_in("ada").await;
    let adas = browser.token().await;
    assert_eq!(browser.give(HERE, &visitors).await, StatusCode::FORBIDDEN);
    browser.sign_in("bob").await;
    assert_eq!(browser.give(HERE, &adas).await, StatusCode::FORBIDDEN);
    assert!(browser.page().await.contains("bob has 10 coins"));
}

#[tokio::test]
async fn each_response_masks_the_token_anew() {
    let mut ada = Browser::new(&start());
    ada.sign_in("ada").await;
    let (first, second) = (ada.token().await, ada.token().await);
    assert_ne!(first, second);
    for token in [&first, &second] {
        assert_eq!(ada.give(HERE, token).await, StatusCode::SEE_OTHER);
    }
}
