//! The end of a session, to the second, by a clock that the test holds.

use std::sync::Arc;
use std::time::Duration;

use cloakroom::{CookieOptions, ManualClock, MemoryStore, Sessions, SessionsBuilder, Store};
use cloakroom_demo::Shopper;
use cloakroom_rusqlite::SqliteStore;
use tempfile::TempDir;

use crate::server::{Server, secret};

const SECOND: Duration = Duration::from_secs(1);

const DAY: Duration = Duration::from_secs(86_400);

/// Sessions by a clock that the test holds, in every kind of store.
async fn by_the_clock(clock: &ManualClock) -> (Vec<SessionsBuilder<Shopper>>, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let sqlite = SqliteStore::builder(directory.path().join("demo.db")).clock(clock.clone());
    let stores: [Arc<dyn Store<Shopper>>; 2] = [
        Arc::new(MemoryStore::builder().clock(clock.clone()).build()),
        Arc::new(sqlite.open().await.unwrap()),
    ];
    let builder = |store| {
        Sessions::builder(store, secret())
            .cookie(CookieOptions::insecure_for_local_http())
            .max_age(100 * SECOND)
            .clock(clock.clone())
    };
    (stores.into_iter().map(builder).collect(), directory)
}

#[tokio::test]
async fn a_session_ends_at_its_max_age_and_sooner_if_it_lies_idle() {
    let clock = ManualClock::starting_now();
    let (stores, _directory) = by_the_clock(&clock).await;
    for sessions in stores {
        let sessions = sessions.idle_timeout(10 * SECOND);
        let server = Server::serve(sessions.build().unwrap()).await;

        let mut counted = server.visitor();
        let reply = counted.post("/api/visit", "").await;
        let set_cookie = reply.set_cookie().unwrap();
        assert!(set_cookie.contains("Max-Age=100"), "{set_cookie}");

        let mut idle = server.visitor();
        idle.sign_in("ada").await;
        clock.advance(9 * SECOND);
        assert_eq!(idle.cart().await, Ok(vec![]));
        clock.advance(10 * SECOND);
        assert_eq!(idle.cart().await, Err(401));

        let mut busy = server.visitor();
        busy.sign_in("ada").await;
        for _ in 0..11 {
            clock.advance(9 * SECOND);
            assert_eq!(busy.cart().await, Ok(vec![]));
        }
        clock.advance(SECOND);
        assert_eq!(busy.cart().await, Err(401));
    }
}

#[tokio::test]
async fn whoever_is_remembered_stays_longer_and_the_cookie_outlasts_the_browser() {
    let clock = ManualClock::starting_now();
    let (stores, _directory) = by_the_clock(&clock).await;
    for sessions in stores {
        let server = Server::serve(sessions.build().unwrap()).await;
        let mut brief = Vec::new();
        for body in [r#"{"name":"ada"}"#, r#"{"name":"ada","remember":false}"#] {
            let mut ada = server.visitor();
            let reply = ada.post("/api/login", body).await;
            let set_cookie = reply.set_cookie().unwrap();
            let lasts = ["Max-Age", "Expires"].map(|word| set_cookie.contains(word));
            assert_eq!(lasts, [false, false], "{set_cookie}");
            brief.push(ada);
        }
        let mut remembered = server.visitor();
        let body = r#"{"name":"ada","remember":true}"#;
        let reply = remembered.post("/api/login", body).await;
        let set_cookie = reply.set_cookie().unwrap();
        assert!(set_cookie.contains("Max-Age=7776000"), "{set_cookie}");

        clock.advance(99 * SECOND);
        assert_eq!(brief[0].cart().await, Ok(vec![]));
        clock.advance(SECOND);
        for ada in &mut brief {
            assert_eq!(ada.cart().await, Err(401));
        }
        clock.advance(89 * DAY);
        assert_eq!(remembered.cart().await, Ok(vec![]));
        clock.advance(DAY);
        assert_eq!(remembered.cart().await, Err(401));
    }
}

#[tokio::test]
async fn how_long_somebody_is_remembered_is_an_option() {
    let server = Server::start(&["--remember-max-age", "1000"], MemoryStore::new()).await;
    let mut ada = server.visitor();
    let nonsense = r#"{"name":"ada","remember":"yes"}"#;
    ada.post("/api/login", nonsense).await.assert_error(400);
    let body = r#"{"name":"ada","remember":true}"#;
    let reply = ada.post("/api/login", body).await;
    let set_cookie = reply.set_cookie().unwrap();
    assert!(set_cookie.contains("Max-Age=1000"), "{set_cookie}");
}
