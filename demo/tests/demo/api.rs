//! The interface, row by row.

use std::sync::Arc;

use cloakroom::{
    Clock, CookieName, Expect, KeyRing, MemoryStore, Record, SetOutcome, Store, SystemClock, Times,
    verify_session_id,
};
use cloakroom_demo::Shopper;
use serde_json::json;

use crate::server::{Server, every_store, secret};

async fn server() -> Server {
    Server::start(&[], MemoryStore::new()).await
}

#[tokio::test]
async fn ping_never_touches_the_session() {
    // Even where every request that asks for a session gets a cookie.
    let server = Server::start(&["--save-uninitialized"], MemoryStore::new()).await;
    let mut visitor = server.visitor();
    let reply = visitor.get("/api/ping").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json(), json!({ "ok": true }));
    assert_eq!(reply.set_cookie(), None);
    assert_eq!(reply.header("vary"), None);
}

#[tokio::test]
async fn sign_in_shop_and_sign_out() {
    let (stores, _directory) = every_store().await;
    for store in stores {
        let server = Server::start(&[], store).await;
        let mut ada = server.visitor();
        let reply = ada.sign_in("ada").await;
        assert_eq!(reply.json(), json!({ "name": "ada", "cart": [] }));
        let set_cookie = reply.set_cookie().unwrap().to_owned();
        assert!(set_cookie.starts_with("sid="), "{set_cookie}");
        assert_eq!(reply.header("cache-control"), Some("no-store"));

        let reply = ada.get("/api/me").await;
        assert_eq!(reply.json(), json!({ "name": "ada", "cart": [] }));
        assert_eq!(reply.set_cookie(), None);
        let vary = reply.header("vary").map(str::to_ascii_lowercase);
        assert_eq!(vary.as_deref(), Some("cookie"));

        let reply = ada.post("/api/cart", r#"{"item":"tea","work_ms":5}"#).await;
        assert_eq!(reply.json(), json!({ "name": "ada", "cart": ["tea"] }));
        assert_eq!(reply.set_cookie(), None);
        let reply = ada.post("/api/cart/save", r#"{"item":"milk"}"#).await;
        assert_eq!(
            reply.json(),
            json!({ "name": "ada", "cart": ["tea", "milk"] })
        );
        assert_eq!(reply.set_cookie(), None);

        let mut copy = ada.clone();
        let reply = ada.post("/api/logout", "").await;
        assert_eq!((reply.status, reply.body.as_str()), (204, ""));
        let removal = reply.set_cookie().unwrap();
        assert!(removal.starts_with("sid=;"), "{removal}");
        // The same attributes as the cookie that it removes, apart from how long.
        let attributes = |cookie: &str| -> Vec<String> {
            let all = cookie.split("; ").skip(1).map(ToOwned::to_owned);
            let mut kept: Vec<String> = all
                .filter(|text| !text.starts_with("Max-Age") && !text.starts_with("Expires"))
                .collect();
            kept.sort();
            kept
        };
        assert_eq!(
            attributes(&set_cookie),
            ["HttpOnly", "Path=/", "SameSite=Lax"]
        );
        assert_eq!(attributes(removal), attributes(&set_cookie));
        assert_eq!(ada.cookie, None);
        // A copy of the cookie opens nothing.
        assert_eq!(copy.get("/api/me").await.assert_error(401), "not signed in");
    }
}

#[tokio::test]
async fn destroy_ends_the_session_and_keeps_the_cookie() {
    let server = server().await;
    let mut ada = server.visitor();
    ada.sign_in("ada").await;
    let before = ada.cookie.clone();
    let reply = ada.post("/api/destroy", "").await;
    assert_eq!((reply.status, reply.body.as_str()), (204, ""));
    assert_eq!(reply.set_cookie(), None);
    assert_eq!(ada.cookie, before);
    ada.get("/api/me").await.assert_error(401);
    // Ending what has ended is fine, and so is ending nothing.
    assert_eq!(ada.post("/api/destroy", "").await.status, 204);
    assert_eq!(server.visitor().post("/api/logout", "").await.status, 204);
}

#[tokio::test]
async fn a_sign_in_that_makes_no_sense_is_a_400_and_leaves_no_session() {
    let server = server().await;
    let too_long = format!(r#"{{"name":"{}"}}"#, "a".repeat(101));
    for body in [
        r#"{"name":""}"#,
        r#"{"name":" \t"}"#,
        r#"{"name":"a\u0000b"}"#,
        r#"{"name":5}"#,
        r#"{"name":null}"#,
        "{}",
        "[]",
        "{",
        "\"\"",
        &too_long,
    ] {
        let mut visitor = server.visitor();
        visitor.post("/api/login", body).await.assert_error(400);
    }
    let mut ada = server.visitor();
    ada.sign_in("ada").await;
    ada.post("/api/login", "{").await.assert_error(400);
    assert_eq!(ada.cart().await, Ok(vec![]));
}

#[tokio::test]
async fn a_body_has_to_say_that_it_is_json() {
    let server = server().await;
    let mut visitor = server.visitor();
    let body = r#"{"name":"ada"}"#;
    for content_type in ["", "text/plain", "application/x-www-form-urlencoded"] {
        let reply = visitor.try_send("POST", "/api/login", content_type, body);
        let error = reply.await.unwrap().assert_error(415);
        assert!(error.contains("application/json"), "{error}");
    }
    let reply = visitor.try_send(
        "POST",
        "/api/login",
        "application/json; charset=utf-8",
        body,
    );
    assert_eq!(reply.await.unwrap().status, 200);
    let huge = format!(r#"{{"name":"{}"}}"#, "a".repeat(3 << 20));
    let reply = visitor.try_post("/api/login", &huge).await;
    // The server may hang up on what it does not want to read.
    if let Ok(reply) = reply {
        reply.assert_error(413);
    }
}

#[tokio::test]
async fn the_cart_is_for_those_who_signed_in() {
    let server = server().await;
    let mut nobody = server.visitor();
    let mut counted = server.visitor();
    assert_eq!(counted.post("/api/visit", "").await.status, 200);
    for visitor in [&mut nobody, &mut counted] {
        for path in ["/api/cart", "/api/cart/save"] {
            let reply = visitor.post(path, r#"{"item":"tea","work_ms":0}"#).await;
            assert_eq!(reply.assert_error(401), "not signed in");
        }
        assert_eq!(
            visitor.get("/api/me").await.assert_error(401),
            "not signed in"
        );
    }
}

#[tokio::test]
async fn items_and_work_are_bounded() {
    let server = server().await;
    let mut ada = server.visitor();
    ada.sign_in("ada").await;
    for path in ["/api/cart", "/api/cart/save"] {
        for body in [
            r#"{"item":""}"#,
            r#"{"work_ms":5}"#,
            r#"{"item":"tea","work_ms":-1}"#,
            r#"{"item":"tea","work_ms":10001}"#,
            r#"{"item":"tea","work_ms":"5"}"#,
            "tea",
        ] {
            ada.post(path, body).await.assert_error(400);
        }
    }
    assert_eq!(ada.cart().await, Ok(vec![]));
}

#[tokio::test]
async fn a_full_cart_takes_nothing_more() {
    let store = Arc::new(MemoryStore::new());
    let server = Server::start(&[], Arc::clone(&store)).await;
    let mut ada = server.visitor();
    ada.sign_in("ada").await;
    let full: Shopper =
        serde_json::from_value(json!({ "name": "ada", "cart": vec!["tea"; 5_000], "visits": 0 }))
            .unwrap();
    let keys = KeyRing::new(&secret(), &CookieName::new("sid").unwrap());
    let cookie = ada.cookie.clone().unwrap();
    let id = verify_session_id(cookie.strip_prefix("sid=").unwrap(), &keys).unwrap();
    let record = Record::new(Arc::new(full), Times::starting(SystemClock.now()));
    let stored = store.set(&id.key(), record, Expect::Present).await.unwrap();
    assert_eq!(stored, SetOutcome::Stored(2));

    for path in ["/api/cart", "/api/cart/save"] {
        let reply = ada.post(path, r#"{"item":"one more"}"#).await;
        assert!(reply.assert_error(422).contains("full"));
    }
    assert_eq!(ada.cart().await.unwrap().len(), 5_000);
}

#[tokio::test]
async fn visits_are_counted_without_a_name_and_come_along_at_sign_in() {
    let (stores, _directory) = every_store().await;
    for store in stores {
        let server = Server::start(&[], store).await;
        let mut visitor = server.visitor();
        let first = visitor.post("/api/visit", "").await;
        assert_eq!(first.json(), json!({ "visits": 1 }));
        assert!(first.set_cookie().is_some());
        let second = visitor.post("/api/visit", "").await;
        assert_eq!(second.json(), json!({ "visits": 2 }));
        assert_eq!(second.set_cookie(), None);

        let anonymous = visitor.clone();
        visitor.sign_in("ada").await;
        assert_ne!(visitor.cookie, anonymous.cookie);
        assert_eq!(visitor.post("/api/visit", "").await.json()["visits"], 3);
        assert_eq!(visitor.add("tea").await.status, 200);
        // The session before the sign-in has ended; its cookie begins anew.
        assert_eq!(
            anonymous.clone().post("/api/visit", "").await.json()["visits"],
            1
        );

        // Nothing of one shopper comes along to another.
        visitor.sign_in("bob").await;
        assert_eq!(visitor.cart().await, Ok(vec![]));
        assert_eq!(visitor.post("/api/visit", "").await.json()["visits"], 1);
    }
}

#[tokio::test]
async fn no_id_from_outside_is_ever_adopted() {
    let (stores, _directory) = every_store().await;
    for store in stores {
        let server = Server::start(&[], store).await;
        let mut dead = server.visitor();
        dead.sign_in("eve").await;
        let mut leaver = dead.clone();
        leaver.post("/api/logout", "").await;
        let dead = dead.cookie.unwrap();
        let zeros = "A".repeat(43);
        let forged = format!("sid={zeros}.{zeros}");
        let unsigned = format!("sid={zeros}");
        for planted in [dead, forged, unsigned, "sid=".to_owned()] {
            let mut victim = server.visitor().with_cookie(&*planted);
            victim.get("/api/me").await.assert_error(401);
            let visit = victim.post("/api/visit", "").await;
            assert_eq!(visit.json()["visits"], 1);
            assert_ne!(victim.cookie.as_deref(), Some(&*planted));

            let mut victim = server.visitor().with_cookie(&*planted);
            victim.sign_in("ada").await;
            assert_ne!(victim.cookie.as_deref(), Some(&*planted));
            let mut attacker = server.visitor().with_cookie(planted);
            attacker.get("/api/me").await.assert_error(401);
        }
    }
}

#[tokio::test]
async fn pre_sessions_have_an_id_and_nothing_else() {
    let server = Server::start(&["--save-uninitialized"], MemoryStore::new()).await;
    let mut visitor = server.visitor();
    let reply = visitor.get("/api/me").await;
    assert_eq!(reply.status, 401);
    assert!(reply.set_cookie().is_some());
    let before = visitor.cookie.clone();
    visitor.get("/api/me").await.assert_error(401);
    visitor.sign_in("ada").await;
    assert_ne!(visitor.cookie, before);

    let plain = self::server().await;
    plain.visitor().get("/api/me").await.assert_error(401);
}

#[tokio::test]
async fn behind_tls_the_cookie_is_the_production_one() {
    let server = Server::start(&["--secure", "--listen", "0.0.0.0:1"], MemoryStore::new()).await;
    let mut ada = server.visitor();
    let set_cookie = ada.sign_in("ada").await.set_cookie().unwrap().to_owned();
    assert!(set_cookie.starts_with("__Host-sid="), "{set_cookie}");
    for attribute in ["Secure", "HttpOnly", "Path=/", "SameSite=Lax"] {
        let found = set_cookie.split("; ").any(|text| text == attribute);
        assert!(found, "{attribute} in {set_cookie}");
    }
    assert_eq!(ada.cart().await, Ok(vec![]));
}

#[tokio::test]
async fn what_is_not_there_and_what_is_not_allowed() {
    let server = server().await;
    let mut visitor = server.visitor();
    for path in ["/api/nothing", "/api/cart/nothing", "/api"] {
        visitor.get(path).await.assert_error(404);
    }
    let reply = visitor.get("/api/cart").await;
    reply.assert_error(405);
    assert_eq!(reply.header("allow"), Some("POST"));
    let reply = visitor.post("/api/me", "").await;
    reply.assert_error(405);
    assert_eq!(reply.header("allow"), Some("GET,HEAD"));
    let reply = visitor.get("/nothing").await;
    assert_eq!(reply.status, 404);
}

/// Those that have no body need no JSON, which no form can send: a page elsewhere could ask for them.
#[tokio::test]
async fn no_page_of_another_site_acts_for_a_visitor() {
    let server = server().await;
    let mut ada = server.visitor();
    ada.sign_in("ada").await;
    for path in ["/api/logout", "/api/logout-everywhere", "/api/sudo"] {
        for site in ["cross-site", "same-site"] {
            let mut elsewhere = ada.clone().with_header("sec-fetch-site", site);
            assert_eq!(elsewhere.post(path, "").await.status, 403, "{site} {path}");
        }
    }
    let mut here = ada.clone().with_header("sec-fetch-site", "same-origin");
    assert_eq!(here.get("/api/me").await.status, 200);
    assert_eq!(here.post("/api/logout", "").await.status, 204);
}
