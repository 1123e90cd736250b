//! The end of a session, to the second, by a clock that the test holds.

use std::sync::Arc;
use std::time::Duration;

use cloakroom::{CookieOptions, ManualClock, MemoryStore, Sessions, Store};
use cloakroom_demo::Shopper;
use cloakroom_rusqlite::SqliteStore;

use crate::server::{Server, secret};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_session_ends_at_its_max_age_and_sooner_if_it_lies_idle() {
    let clock = ManualClock::starting_now();
    let directory = tempfile::tempdir().unwrap();
    let sqlite = SqliteStore::builder(directory.path().join("demo.db")).clock(clock.clone());
    let stores: [Arc<dyn Store<Shopper>>; 2] = [
        Arc::new(MemoryStore::builder().clock(clock.clone()).build()),
        Arc::new(sqlite.open().await.unwrap()),
    ];
    for store in stores {
        let sessions = Sessions::builder(store, secret())
            .cookie(CookieOptions::insecure_for_local_http())
            .max_age(100 * SECOND)
            .idle_timeout(10 * SECOND)
            .clock(clock.clone());
        let server = Server::serve(sessions.build().unwrap()).await;

        let mut idle = server.visitor();
        let set_cookie = idle.sign_in("ada").await.set_cookie().unwrap().to_owned();
        assert!(set_cookie.contains("Max-Age=100"), "{set_cookie}");
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
