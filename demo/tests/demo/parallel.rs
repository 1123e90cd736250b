//! Many requests of one session at once.

use serde_json::json;
use tokio::task::JoinSet;

use crate::client::{Reply, Visitor};
use crate::server::{Server, every_store};
use crate::stores::Gated;

/// The same request from that many clients with one cookie.
async fn at_once(
    visitor: &Visitor,
    times: usize,
    path: &str,
    body: impl Fn(usize) -> String,
) -> Vec<Reply> {
    let mut requests = JoinSet::new();
    for at in 0..times {
        let (mut visitor, path, body) = (visitor.clone(), path.to_owned(), body(at));
        requests.spawn(async move { visitor.post(&path, &body).await });
    }
    requests.join_all().await
}

fn numbered(at: usize) -> String {
    format!(r#"{{"item":"item {at}","work_ms":5}}"#)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_parallel_adds_none_is_lost() {
    let (stores, _directory) = every_store().await;
    for store in stores {
        let server = Server::start(&[], store).await;
        let mut ada = server.visitor();
        ada.sign_in("ada").await;
        for reply in at_once(&ada, 64, "/api/cart", numbered).await {
            assert_eq!(reply.status, 200, "{reply:?}");
            assert_eq!(reply.set_cookie(), None);
        }
        let mut cart = ada.cart().await.unwrap();
        cart.sort();
        let mut expected: Vec<String> = (0..64).map(|at| format!("item {at}")).collect();
        expected.sort();
        assert_eq!(cart, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_parallel_saves_exactly_the_acknowledged_ones_are_stored() {
    let (stores, _directory) = every_store().await;
    for store in stores {
        let server = Server::start(&[], store).await;
        let mut ada = server.visitor();
        ada.sign_in("ada").await;
        let mut stored = 0;
        for reply in at_once(&ada, 16, "/api/cart/save", numbered).await {
            match reply.status {
                200 => stored += 1,
                _ => drop(reply.assert_error(409)),
            }
        }
        assert!(stored > 0);
        assert_eq!(ada.cart().await.unwrap().len(), stored);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_parallel_visits_none_is_lost() {
    let (stores, _directory) = every_store().await;
    for store in stores {
        let server = Server::start(&[], store).await;
        let mut visitor = server.visitor();
        visitor.post("/api/visit", "").await;
        for reply in at_once(&visitor, 32, "/api/visit", |_| String::new()).await {
            assert_eq!(reply.status, 200, "{reply:?}");
        }
        assert_eq!(
            visitor.post("/api/visit", "").await.json(),
            json!({ "visits": 34 })
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_sign_ins_end_the_session_before_and_each_get_their_own() {
    let (stores, _directory) = every_store().await;
    for store in stores {
        let server = Server::start(&[], store).await;
        let mut before = server.visitor();
        before.post("/api/visit", "").await;
        let name = |at| format!(r#"{{"name":"shopper {at}"}}"#);
        let mut cookies: Vec<String> = at_once(&before, 8, "/api/login", name)
            .await
            .iter()
            .map(|reply| reply.set_cookie().unwrap().to_owned())
            .collect();
        cookies.sort();
        cookies.dedup();
        assert_eq!(cookies.len(), 8);
        assert_eq!(before.post("/api/visit", "").await.json()["visits"], 1);
    }
}

#[tokio::test]
async fn a_save_after_another_request_wrote_is_a_409() {
    let (stores, _directory) = every_store().await;
    for store in stores {
        let store = Gated::around(store);
        let server = Server::start(&[], store.clone()).await;
        let mut ada = server.visitor();
        ada.sign_in("ada").await;

        let mut held = store.hold_the_next_write();
        let mut slow = ada.clone();
        let saving =
            tokio::spawn(async move { slow.post("/api/cart/save", r#"{"item":"late"}"#).await });
        held.reached().await;
        assert_eq!(ada.add("tea").await.status, 200);
        held.release();
        saving.await.unwrap().assert_error(409);
        assert_eq!(ada.cart().await, Ok(vec!["tea".to_owned()]));
    }
}

#[tokio::test]
async fn what_is_under_way_at_a_sign_out_does_not_bring_the_session_back() {
    for path in ["/api/cart", "/api/cart/save", "/api/visit"] {
        for ending in ["/api/logout", "/api/destroy", "/api/login"] {
            let (stores, _directory) = every_store().await;
            for store in stores {
                let store = Gated::around(store);
                let server = Server::start(&[], store.clone()).await;
                let mut ada = server.visitor();
                ada.sign_in("ada").await;

                let mut held = store.hold_the_next_write();
                let mut slow = ada.clone();
                let writing = tokio::spawn(async move {
                    let reply = slow.post(path, r#"{"item":"late","work_ms":5}"#).await;
                    (slow, reply)
                });
                held.reached().await;
                let ended = ada.post(ending, r#"{"name":"ada"}"#).await;
                assert!([200, 204].contains(&ended.status), "{ended:?}");
                held.release();
                let (mut slow, reply) = writing.await.unwrap();
                assert_eq!(reply.assert_error(401), "the session has ended");
                assert_eq!(slow.cart().await, Err(401), "{path} {ending}");
                let new = (ending == "/api/login").then(Vec::new).ok_or(401);
                assert_eq!(ada.cart().await, new, "{path} {ending}");
            }
        }
    }
}
