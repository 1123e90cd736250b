//! Signing in and out, as a browser would.

#![allow(clippy::unwrap_used)] // In a test a panic is the answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use axum_login::{Accounts, User, app};
use cloakroom::{MemoryStore, Secret, Sessions};
use serde_json::json;
use tower::ServiceExt;

async fn start() -> Router {
    let accounts = Accounts::new().unwrap();
    accounts.add("ada", "lovelace").unwrap();
    let sessions = Sessions::builder(MemoryStore::new(), Secret::generate().unwrap());
    let sessions = sessions.owned_by(|user: &User| user.name.clone());
    app(accounts, sessions.build().unwrap())
}

async fn ask(app: &Router, method: &str, path: &str, cookie: &str, body: String) -> Response<Body> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("cookie", cookie)
        .header("content-type", "application/json")
        .body(Body::from(body))
        .unwrap();
    app.clone().oneshot(request).await.unwrap()
}

fn set_cookie(response: &Response<Body>) -> Option<&str> {
    response
        .headers()
        .get("set-cookie")
        .map(|value| value.to_str().unwrap())
}

fn name_and_value(set_cookie: &str) -> String {
    set_cookie.split(';').next().unwrap().to_owned()
}

fn credentials(password: &str, remember: bool) -> String {
    json!({"name": "ada", "password": password, "remember": remember}).to_string()
}

#[tokio::test]
async fn only_the_right_password_signs_in() {
    let app = start().await;
    let wrong = ask(&app, "POST", "/sign-in", "", credentials("wrong", false)).await;
    assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(set_cookie(&wrong), None);
    let guarded = ask(&app, "GET", "/account", "", String::new()).await;
    assert_eq!(guarded.status(), StatusCode::UNAUTHORIZED);

    let right = ask(&app, "POST", "/sign-in", "", credentials("lovelace", false)).await;
    let cookie = name_and_value(set_cookie(&right).unwrap());
    let guarded = ask(&app, "GET", "/account", &cookie, String::new()).await;
    assert_eq!(guarded.status(), StatusCode::OK);
}

#[tokio::test]
async fn remember_me_makes_the_cookie_outlast_the_browser() {
    let app = start().await;
    let brief = ask(&app, "POST", "/sign-in", "", credentials("lovelace", false)).await;
    assert!(!set_cookie(&brief).unwrap().contains("Max-Age"));
    let long = ask(&app, "POST", "/sign-in", "", credentials("lovelace", true)).await;
    assert!(set_cookie(&long).unwrap().contains("Max-Age=7776000"));
}

#[tokio::test]
async fn a_sign_in_and_a_change_of_password_change_the_id_and_the_latter_signs_others_out() {
    let app = start().await;
    let phone = ask(&app, "POST", "/sign-in", "", credentials("lovelace", true)).await;
    let phone = name_and_value(set_cookie(&phone).unwrap());
    let first = ask(&app, "POST", "/sign-in", "", credentials("lovelace", false)).await;
    let first = name_and_value(set_cookie(&first).unwrap());
    let again = ask(
        &app,
        "POST",
        "/sign-in",
        &first,
        credentials("lovelace", false),
    )
    .await;
    let second = name_and_value(set_cookie(&again).unwrap());
    assert_ne!(first, second);
    let change = async |current: &str| {
        let passwords = json!({"current": current, "new": "countess"}).to_string();
        ask(&app, "POST", "/account/password", &second, passwords).await
    };
    let refused = change("not that").await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert_eq!(set_cookie(&refused), None);
    let changed = change("lovelace").await;
    let third = name_and_value(set_cookie(&changed).unwrap());
    assert_ne!(second, third);
    for (cookie, status) in [(&phone, 401), (&first, 401), (&second, 401), (&third, 200)] {
        let response = ask(&app, "GET", "/account", cookie, String::new()).await;
        assert_eq!(response.status(), status);
    }
    let old = ask(&app, "POST", "/sign-in", "", credentials("lovelace", false)).await;
    assert_eq!(old.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn signing_out_ends_the_session_and_removes_the_cookie() {
    let app = start().await;
    let response = ask(&app, "POST", "/sign-in", "", credentials("lovelace", true)).await;
    let cookie = name_and_value(set_cookie(&response).unwrap());
    let out = ask(&app, "POST", "/sign-out", &cookie, String::new()).await;
    assert!(set_cookie(&out).unwrap().contains("Max-Age=0"));
    let guarded = ask(&app, "GET", "/account", &cookie, String::new()).await;
    assert_eq!(guarded.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn no_more_passwords_are_checked_at_once_than_there_are_processors() {
    let accounts = Accounts::new().unwrap();
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut asked = tokio::task::JoinSet::new();
    let processors = std::thread::available_parallelism().unwrap().get();
    for _ in 0..8 * processors {
        let (accounts, now, most) = (accounts.clone(), now.clone(), most.clone());
        asked.spawn(async move {
            let check = move |_: &Accounts| {
                let running = now.fetch_add(1, Ordering::SeqCst) + 1;
                most.fetch_max(running, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(20));
                now.fetch_sub(1, Ordering::SeqCst);
            };
            accounts.hashing(check).await
        });
    }
    while let Some(done) = asked.join_next().await {
        assert!(done.unwrap().is_some(), "everybody has a turn");
    }
    assert!(most.load(Ordering::SeqCst) <= processors);
}
