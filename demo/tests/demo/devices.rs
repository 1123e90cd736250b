//! A shopper's sessions: listed, ended one by one, ended all at once; and what others can do about them.

use std::time::Duration;

use cloakroom::{CookieName, KeyRing, MemoryStore, verify_session_id};
use serde_json::{Value, json};

use crate::client::Visitor;
use crate::server::{Server, every_store, secret};

async fn devices(visitor: &mut Visitor) -> Vec<Value> {
    let reply = visitor.get("/api/sessions").await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json().as_array().unwrap().clone()
}

async fn handles(visitor: &mut Visitor) -> Vec<String> {
    let devices = devices(visitor).await;
    let handle = |device: &Value| device["handle"].as_str().unwrap().to_owned();
    devices.iter().map(handle).collect()
}

/// The visitor's own.
async fn own_handle(visitor: &mut Visitor) -> String {
    let devices = devices(visitor).await;
    let mut own = devices.iter().filter(|device| device["current"] == true);
    let handle = own.next().unwrap()["handle"].as_str().unwrap().to_owned();
    assert_eq!(own.next(), None);
    handle
}

async fn signed_in(server: &Server, name: &str, user_agent: &str) -> Visitor {
    // Of two sessions that begin in the same millisecond neither is the older one.
    tokio::time::sleep(Duration::from_millis(2)).await;
    let mut visitor = server.visitor().with_header("User-Agent", user_agent);
    visitor.sign_in(name).await;
    visitor
}

#[tokio::test]
async fn the_list_says_what_a_user_wants_to_know_and_nothing_that_opens_a_session() {
    let (stores, _directory) = every_store().await;
    for store in stores {
        let server = Server::start(&[], store).await;
        let mut laptop = signed_in(&server, "ada", "Laptop/1").await;
        let mut phone = signed_in(&server, "ada", "Phone/2\tbeta").await;
        signed_in(&server, "bob", "Bobs/3").await;

        for (visitor, at) in [(&mut laptop, 0), (&mut phone, 1)] {
            let reply = visitor.get("/api/sessions").await;
            assert_eq!(reply.set_cookie(), None);
            let list = reply.json();
            let list = list.as_array().unwrap();
            let agents = list.iter().map(|device| device["user_agent"].as_str());
            assert!(
                agents.eq([Some("Laptop/1"), Some("Phone/2 beta")]),
                "{list:?}"
            );
            for (index, device) in list.iter().enumerate() {
                assert_eq!(device["address"], "127.0.0.1");
                assert_eq!(device["current"], index == at);
                let [created, seen, ends] = ["created_at", "last_seen_at", "expires_at"]
                    .map(|field| device[field].as_i64().unwrap());
                assert!(created > 1_700_000_000_000 && seen >= created && ends > seen);
                assert_eq!(device.as_object().unwrap().len(), 7, "{device}");
            }
            let keys = KeyRing::new(&secret(), &CookieName::new("sid").unwrap());
            let value = visitor.cookie.clone().unwrap().split_off("sid=".len());
            let key = verify_session_id(&value, &keys).unwrap().key();
            let hash: String = key.as_bytes().map(|byte| format!("{byte:02x}")).concat();
            let (id, tag) = value.split_once('.').unwrap();
            for secret in [id, tag, &hash, "bob", "Bobs"] {
                assert!(!reply.body.contains(secret), "{}", reply.body);
            }
        }
    }
}

#[tokio::test]
async fn a_session_is_ended_from_another_one() {
    let (stores, _directory) = every_store().await;
    for store in stores {
        let server = Server::start(&[], store).await;
        let mut laptop = signed_in(&server, "ada", "Laptop").await;
        let mut phone = signed_in(&server, "ada", "Phone").await;
        let mut bob = signed_in(&server, "bob", "Bobs").await;
        let path = format!("/api/sessions/{}", own_handle(&mut phone).await);

        let reply = laptop.delete(&path).await;
        assert_eq!((reply.status, reply.set_cookie()), (204, None));
        for path in ["/api/me", "/api/sessions", "/api/live"] {
            phone.get(path).await.assert_error(401);
        }
        phone
            .post("/api/cart", r#"{"item":"tea"}"#)
            .await
            .assert_error(401);
        // Once is enough.
        laptop.delete(&path).await.assert_error(404);
        assert_eq!(handles(&mut laptop).await, [own_handle(&mut laptop).await]);
        assert_eq!(bob.cart().await, Ok(vec![]));
    }
}

#[tokio::test]
async fn ending_the_session_that_asks_removes_its_cookie() {
    let server = Server::start(&[], MemoryStore::new()).await;
    let mut ada = signed_in(&server, "ada", "Laptop").await;
    let mut copy = ada.clone();
    let path = format!("/api/sessions/{}", own_handle(&mut ada).await);
    let reply = ada.delete(&path).await;
    assert_eq!(reply.status, 204);
    assert!(reply.set_cookie().unwrap().contains("Max-Age=0"));
    copy.get("/api/me").await.assert_error(401);
}

#[tokio::test]
async fn nobody_ends_what_is_somebody_elses_or_learns_that_it_is_there() {
    let (stores, _directory) = every_store().await;
    for store in stores {
        let server = Server::start(&[], store).await;
        let mut ada = signed_in(&server, "ada", "Laptop").await;
        let mut eve = signed_in(&server, "eve", "Evil").await;
        let mut anonymous = server.visitor();
        anonymous.post("/api/visit", "").await;
        let theirs = own_handle(&mut ada).await;
        let nobodys = "0".repeat(32);

        let refused = eve.delete(&format!("/api/sessions/{theirs}")).await;
        let unknown = eve.delete(&format!("/api/sessions/{nobodys}")).await;
        assert_eq!(refused.assert_error(404), unknown.assert_error(404));
        assert_eq!(refused.headers.len(), unknown.headers.len());
        let cookie = ada.cookie.clone().unwrap().split_off("sid=".len());
        let id = cookie.split('.').next().unwrap().to_owned();
        for forged in [
            &*theirs.to_uppercase(),
            &theirs[1..],
            &format!("{theirs}0"),
            &format!("%20{theirs}"),
            &format!("{theirs}%00"),
            "%ff%fe",
            "..%2f..",
            "*",
            "%25",
            "'%20OR%20'1'='1",
            &*id,
            &*cookie,
        ] {
            let reply = eve.delete(&format!("/api/sessions/{forged}")).await;
            reply.assert_error(404);
        }
        // Not signed in, or with nothing but a count of visits.
        for visitor in [&mut server.visitor(), &mut anonymous] {
            visitor.get("/api/sessions").await.assert_error(401);
            visitor.get("/api/live").await.assert_error(401);
            let reply = visitor.delete(&format!("/api/sessions/{theirs}")).await;
            assert_eq!(reply.assert_error(401), "not signed in");
            for path in ["/api/logout-others", "/api/logout-everywhere"] {
                let reply = visitor.post(path, "").await;
                assert_eq!(reply.assert_error(401), "not signed in");
            }
        }
        // Eve's ending everything ends what is hers.
        let reply = eve.post("/api/logout-others", "").await;
        assert_eq!(reply.json(), json!({ "ended": 0 }));
        let reply = eve.post("/api/logout-everywhere", "").await;
        assert_eq!(reply.json(), json!({ "ended": 1 }));
        assert_eq!(ada.cart().await, Ok(vec![]));
    }
}

#[tokio::test]
async fn signing_out_the_others_keeps_this_one_and_everywhere_keeps_none() {
    let (stores, _directory) = every_store().await;
    for store in stores {
        let server = Server::start(&[], store).await;
        let mut bob = signed_in(&server, "bob", "Bobs").await;
        let mut laptop = signed_in(&server, "ada", "Laptop").await;
        let mut others = Vec::new();
        for _ in 0..3 {
            others.push(signed_in(&server, "ada", "Other").await);
        }
        let reply = laptop.post("/api/logout-others", "").await;
        assert_eq!((reply.status, reply.set_cookie()), (200, None));
        assert_eq!(reply.json(), json!({ "ended": 3 }));
        for other in &mut others {
            other.get("/api/me").await.assert_error(401);
        }
        assert_eq!(handles(&mut laptop).await.len(), 1);

        let mut phone = signed_in(&server, "ada", "Phone").await;
        let mut copy = laptop.clone();
        let reply = laptop.post("/api/logout-everywhere", "").await;
        assert_eq!(reply.json(), json!({ "ended": 2 }));
        assert!(reply.set_cookie().unwrap().contains("Max-Age=0"));
        for visitor in [&mut copy, &mut phone] {
            visitor.get("/api/me").await.assert_error(401);
            visitor
                .post("/api/logout-everywhere", "")
                .await
                .assert_error(401);
        }
        assert_eq!(bob.cart().await, Ok(vec![]));
    }
}

#[tokio::test]
async fn an_address_in_a_header_counts_only_from_a_trusted_proxy() {
    let address = async |arguments: &[&str], headers: &[(&str, &str)]| {
        let server = Server::start(arguments, MemoryStore::new()).await;
        let mut ada = server.visitor();
        for (name, value) in headers {
            ada = ada.with_header(name, value);
        }
        ada.sign_in("ada").await;
        devices(&mut ada).await[0]["address"].clone()
    };
    let forged = ("X-Forwarded-For", "203.0.113.1, 192.0.2.7");
    assert_eq!(address(&[], &[forged]).await, "127.0.0.1");
    let proxy = ["--trusted-proxy", "127.0.0.1"];
    assert_eq!(address(&proxy, &[forged]).await, "192.0.2.7");
    assert_eq!(address(&proxy, &[]).await, "127.0.0.1");
    let elsewhere = ["--trusted-proxy", "10.0.0.0/8"];
    assert_eq!(address(&elsewhere, &[forged]).await, "127.0.0.1");
    let other_header = [&proxy[..], &["--proxy-header", "X-Real-IP"]].concat();
    let real = ("X-Real-IP", "198.51.100.9");
    assert_eq!(
        address(&other_header, &[forged, real]).await,
        "198.51.100.9"
    );
}

#[tokio::test]
async fn with_a_limit_one_more_sign_in_ends_the_oldest() {
    let (stores, _directory) = every_store().await;
    for store in stores {
        if store.owner_limits().is_none() {
            use clap::Parser;

            let arguments = ["cloakroom-demo", "--max-sessions", "2"];
            let options = cloakroom_demo::Options::try_parse_from(arguments).unwrap();
            let error = options.sessions(store, secret()).unwrap_err();
            assert!(error.with_causes().contains("cannot limit"), "{error:?}");
            continue;
        }
        let server = Server::start(&["--max-sessions", "2"], store).await;
        let mut first = signed_in(&server, "ada", "First").await;
        let mut second = signed_in(&server, "ada", "Second").await;
        let mut bob = signed_in(&server, "bob", "Bobs").await;
        let mut third = signed_in(&server, "ada", "Third").await;
        first.get("/api/me").await.assert_error(401);
        assert_eq!(second.cart().await, Ok(vec![]));
        assert_eq!(bob.cart().await, Ok(vec![]));
        assert_eq!(handles(&mut third).await.len(), 2);
    }
}
