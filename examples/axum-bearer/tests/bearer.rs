//! A browser and a telephone of the same user.

#![allow(clippy::unwrap_used)] // In a test a panic is the answer.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use axum_bearer::{Both, app};
use cloakroom::testing::{CookieEffect, SessionCookie, sign_in};
use cloakroom::{MemoryStore, Secret};
use http_body_util::BodyExt;
use tower::ServiceExt;

fn both() -> Both {
    Both::over(MemoryStore::new(), Secret::generate().unwrap()).unwrap()
}

async fn send(
    app: &Router,
    method: &str,
    path: &str,
    who: Option<&SessionCookie>,
) -> Response<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(who) = who {
        request = request.header(who.field_name(), who.as_str());
    }
    let request = request.body(Body::from("ada")).unwrap();
    app.clone().oneshot(request).await.unwrap()
}

async fn text(response: Response<Body>) -> String {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn a_program_signs_in_and_out_without_a_cookie() {
    let both = both();
    let app = app(both.clone());
    let response = send(&app, "POST", "/api/sign-in", None).await;
    assert_eq!(response.headers().get("set-cookie"), None);
    let sent = response.headers().get_all("x-session-id").iter();
    let ada = CookieEffect::of(&both.api, sent).expect_set();
    assert!(ada.as_str().starts_with("Bearer "));

    assert_eq!(
        text(send(&app, "GET", "/api/me", Some(&ada)).await).await,
        "ada"
    );
    let response = send(&app, "POST", "/api/sign-out", Some(&ada)).await;
    let sent = response.headers().get_all("x-session-id").iter();
    CookieEffect::of(&both.api, sent).expect_removed();
    let response = send(&app, "GET", "/api/me", Some(&ada)).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_browser_sees_the_telephone_and_signs_it_out() {
    let both = both();
    let app = app(both.clone());
    let telephone = sign_in(&both.api, "ada".to_owned()).await.unwrap();
    let browser = sign_in(&both.pages, "ada".to_owned()).await.unwrap();
    let seen = text(send(&app, "GET", "/", Some(&browser)).await).await;
    assert_eq!(seen, "signed in 2 times");
    let ended = send(&app, "POST", "/sign-out-everywhere", Some(&browser)).await;
    assert_eq!(text(ended).await, "ended 2");
    let response = send(&app, "GET", "/api/me", Some(&telephone)).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_cookie_means_nothing_to_the_api() {
    let both = both();
    let app = app(both.clone());
    let browser = sign_in(&both.pages, "ada".to_owned()).await.unwrap();
    let response = send(&app, "GET", "/api/me", Some(&browser)).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}
