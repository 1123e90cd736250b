//! A store in trouble: 503, never a sign-out.

use std::fs;
use std::path::Path;

use cloakroom::MemoryStore;
use sqlx::{Connection, Executor, SqliteConnection};

use crate::client::{Reply, Visitor};
use crate::server::{Server, sqlite_in};
use crate::stores::{Broken, CAUSE};

const ITEM: &str = r#"{"item":"tea"}"#;

fn assert_unavailable(reply: &Reply) {
    let error = reply.assert_error(503);
    assert!(error.contains("try again"), "{error}");
    assert_eq!(reply.header("retry-after"), Some("5"));
    assert!(!format!("{reply:?}").contains(CAUSE));
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_a_503_without_a_cookie_everywhere() {
    let healthy = Server::start(&[], MemoryStore::new()).await;
    let broken = Server::start(&[], Broken).await;
    let mut ada = healthy.visitor();
    ada.sign_in("ada").await;
    let mut ada = ada.at(broken.address);
    for path in ["/api/me", "/api/sessions", "/api/live"] {
        assert_unavailable(&ada.get(path).await);
    }
    let handle = "0".repeat(32);
    assert_unavailable(&ada.delete(&format!("/api/sessions/{handle}")).await);
    for (path, body) in [
        ("/api/login", r#"{"name":"ada"}"#),
        ("/api/cart", ITEM),
        ("/api/cart/save", ITEM),
        ("/api/visit", ""),
        ("/api/destroy", ""),
        ("/api/logout", ""),
        ("/api/logout-others", ""),
        ("/api/logout-everywhere", ""),
        ("/api/sudo", ""),
        ("/api/reauthenticate", r#"{"name":"ada"}"#),
    ] {
        assert_unavailable(&ada.post(path, body).await);
    }
    // Nobody's first session cannot be stored either; what needs no store works.
    let mut visitor = broken.visitor();
    assert_unavailable(&visitor.post("/api/visit", "").await);
    visitor.get("/api/me").await.assert_error(401);
    assert_eq!(ada.get("/api/ping").await.status, 200);
    assert_eq!(ada.get("/").await.status, 200);
}

#[tokio::test]
async fn while_another_program_holds_the_database_nothing_is_written_and_nobody_signed_out() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(&[], sqlite_in(&directory).await).await;
    let mut ada = server.visitor();
    ada.sign_in("ada").await;
    ada.add("tea").await;

    let url = format!("sqlite://{}", directory.path().join("demo.db").display());
    let mut other = SqliteConnection::connect(&url).await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    assert_unavailable(&ada.add("milk").await);
    assert_unavailable(&ada.post("/api/logout", "").await);
    assert_unavailable(
        &server
            .visitor()
            .post("/api/login", r#"{"name":"bob"}"#)
            .await,
    );
    // Reading needs no lock.
    assert_eq!(ada.cart().await, Ok(vec!["tea".to_owned()]));

    other.execute("ROLLBACK").await.unwrap();
    assert_eq!(ada.add("bread").await.status, 200);
    assert!(ada.cart().await.unwrap().ends_with(&["bread".to_owned()]));
    assert_eq!(ada.post("/api/logout", "").await.status, 204);
}

#[tokio::test]
async fn a_database_that_is_moved_away_is_a_503_until_it_is_back() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(&[], sqlite_in(&directory).await).await;
    let mut ada = server.visitor();
    ada.sign_in("ada").await;
    ada.add("tea").await;
    let cookie = ada.cookie.clone();

    let away = directory.path().join("away");
    fs::create_dir(&away).unwrap();
    move_database(directory.path(), &away);
    troubled(&server, &mut ada).await;

    move_database(&away, directory.path());
    assert_eq!(ada.cart().await, Ok(vec!["tea".to_owned()]));
    assert_eq!(ada.add("milk").await.cart(), ["tea", "milk"]);
    assert_eq!(ada.cookie, cookie);
}

async fn troubled(server: &Server, ada: &mut Visitor) {
    assert_unavailable(&ada.get("/api/me").await);
    assert_unavailable(&ada.post("/api/cart", ITEM).await);
    assert_unavailable(&ada.post("/api/logout", "").await);
    assert_unavailable(&server.visitor().post("/api/visit", "").await);
}

/// The file and those that SQLite keeps beside it.
fn move_database(from: &Path, to: &Path) {
    for name in ["demo.db", "demo.db-wal", "demo.db-shm"] {
        if from.join(name).exists() {
            fs::rename(from.join(name), to.join(name)).unwrap();
        }
    }
}
