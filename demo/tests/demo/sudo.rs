//! What needs a fresh sign-in, by a clock that the test holds.

use std::time::Duration;

use cloakroom::{CookieOptions, ManualClock, MemoryStore, Sessions};
use serde_json::json;

use crate::server::{Server, secret};

const SECOND: Duration = Duration::from_secs(1);
const ADA: &str = r#"{"name":"ada"}"#;

async fn by_the_clock(clock: &ManualClock) -> Server {
    let store = MemoryStore::builder().clock(clock.clone()).build();
    let sessions = Sessions::builder(store, secret())
        .cookie(CookieOptions::insecure_for_local_http())
        .clock(clock.clone());
    Server::serve(sessions.build().unwrap()).await
}

#[tokio::test]
async fn sudo_needs_a_sign_in_of_the_last_minute() {
    let clock = ManualClock::starting_now();
    let server = by_the_clock(&clock).await;
    let mut ada = server.visitor();
    ada.sign_in("ada").await;
    let reply = ada.post("/api/sudo", "").await;
    assert_eq!((reply.status, reply.json()), (200, json!({ "ok": true })));

    clock.advance(59 * SECOND);
    assert_eq!(ada.post("/api/sudo", "").await.status, 200);
    clock.advance(2 * SECOND);
    let reply = ada.post("/api/sudo", "").await;
    assert_eq!(reply.assert_error(403), "not_fresh");
    // Being busy does not make a sign-in fresh, and still it is one.
    assert_eq!(ada.add("tea").await.status, 200);
    ada.post("/api/sudo", "").await.assert_error(403);
    assert_eq!(ada.cart().await, Ok(vec!["tea".to_owned()]));
}

#[tokio::test]
async fn proving_anew_who_one_is_makes_it_fresh_under_another_id() {
    let clock = ManualClock::starting_now();
    let server = by_the_clock(&clock).await;
    let mut ada = server.visitor();
    ada.sign_in("ada").await;
    ada.add("tea").await;
    clock.advance(61 * SECOND);
    ada.post("/api/sudo", "").await.assert_error(403);

    let before = ada.clone();
    for wrong in [r#"{"name":"eve"}"#, r#"{"name":"Ada"}"#] {
        let reply = ada.post("/api/reauthenticate", wrong).await;
        assert_eq!(reply.set_cookie(), None);
        assert!(reply.assert_error(403).contains("not the name"));
    }
    for nonsense in ["{}", "", r#"{"name":""}"#] {
        let reply = ada.post("/api/reauthenticate", nonsense).await;
        assert!([400, 415].contains(&reply.status), "{reply:?}");
    }
    ada.post("/api/sudo", "").await.assert_error(403);

    let reply = ada.post("/api/reauthenticate", ADA).await;
    assert_eq!(reply.json(), json!({ "name": "ada", "cart": ["tea"] }));
    assert_ne!(ada.cookie, before.cookie);
    assert_eq!(ada.post("/api/sudo", "").await.status, 200);
    // What somebody saw or copied before opens nothing, let alone this.
    for path in ["/api/sudo", "/api/logout-everywhere"] {
        before.clone().post(path, "").await.assert_error(401);
    }
    assert_eq!(ada.cart().await, Ok(vec!["tea".to_owned()]));
}

#[tokio::test]
async fn whoever_has_not_signed_in_hears_just_that() {
    let server = by_the_clock(&ManualClock::starting_now()).await;
    let mut nobody = server.visitor();
    let mut counted = server.visitor();
    counted.post("/api/visit", "").await;
    for visitor in [&mut nobody, &mut counted] {
        for (path, body) in [("/api/sudo", ""), ("/api/reauthenticate", ADA)] {
            let reply = visitor.post(path, body).await;
            assert_eq!(reply.assert_error(401), "not signed in");
        }
    }
}

#[tokio::test]
async fn no_form_of_another_site_can_prove_who_somebody_is() {
    let server = by_the_clock(&ManualClock::starting_now()).await;
    let mut ada = server.visitor();
    ada.sign_in("ada").await;
    for content_type in ["", "text/plain", "application/x-www-form-urlencoded"] {
        let reply = ada.try_send("POST", "/api/reauthenticate", content_type, ADA);
        reply.await.unwrap().assert_error(415);
    }
}
