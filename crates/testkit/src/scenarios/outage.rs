//! Promise 4: trouble is not a logout.

use cloakroom::StoreErrorKind;

use crate::{Kit, Op, Request, Response, STORE_FAILURE};

/// Every way to a session that a store is needed for says 503, and nothing else; when the store is back, the
/// same cookie works.
pub async fn a_store_that_is_down_is_a_503_and_no_logout(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    let cookie = ada.cookie();
    site.store.fail(&Op::ALL);
    for path in [
        "/current/read",
        "/lazy/read",
        "/data",
        "/optional",
        "/two/read",
        "/guarded/read",
        "/current/logout",
        "/current/csrf",
        "/current/stream",
    ] {
        unavailable(&ada.get(path).await);
        assert_eq!(ada.cookie(), cookie);
    }
    site.store.recover();
    assert_eq!(ada.whoami().await, "ada:0");
}

/// What needs no store works on: those without a session, with a forged one, and handlers that ignore it.
pub async fn what_needs_no_store_works_during_an_outage(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    site.store.fail(&Op::ALL);
    ada.get("/ignore").await.expect(200);
    for visitor in [site.visitor(), site.visitor_with("__Host-sid=forged")] {
        assert_eq!(visitor.whoami().await, "nobody");
        visitor.get("/data").await.expect(401);
        visitor.get("/optional").await.expect(200);
        unavailable(&visitor.post("/current/save", "ada").await);
    }
    site.expect_asked(&[Op::Set, Op::Set]);
}

/// A logout that the store did not confirm is no success, and takes nobody's cookie away.
pub async fn a_logout_during_an_outage_is_no_success(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    let cookie = ada.cookie();
    for failing in [&[Op::Destroy][..], &Op::ALL] {
        site.store.fail(failing);
        for path in ["/lazy/logout", "/lazy/destroy", "/current/logout"] {
            unavailable(&ada.post(path, "").await);
            assert_eq!(ada.cookie(), cookie);
        }
        site.store.recover();
        assert_eq!(ada.whoami().await, "ada:0");
    }
    ada.post("/lazy/logout", "").await.expect(200);
    assert_eq!(site.store.live().await, 0);
}

/// A store that reads but cannot write: each verb says so, sends no cookie and changes nothing.
pub async fn a_write_that_fails_sends_no_cookie(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    let cookie = ada.cookie();
    site.store
        .fail(&[Op::Set, Op::Destroy, Op::Rotate, Op::Replace, Op::Touch]);
    for action in [
        "current/save",
        "current/overwrite",
        "current/update",
        "current/update-or-default",
        "current/resave",
        "current/rotate",
        "current/destroy",
        "current/logout",
        "current/destroy-save",
        "lazy/resave",
        "guarded/read",
    ] {
        unavailable(&ada.post(&format!("/{action}"), "evil").await);
        assert_eq!(ada.cookie(), cookie);
        assert_eq!(ada.whoami().await, "ada:0");
    }
}

/// Noting that an idle session was used is not worth failing a request for.
pub async fn a_touch_that_fails_fails_no_request(kit: &Kit) {
    let minutes = std::time::Duration::from_secs(600);
    let site = kit.plan().configure(move |it| it.idle_timeout(minutes));
    let site = site.start().await;
    let ada = site.signed_in("ada").await;
    site.clock.advance(minutes / 2);
    site.store.fail(&[Op::Touch]);
    assert_eq!(ada.whoami().await, "ada:0");
    site.expect_asked(&[Op::Get, Op::Touch]);
    // It counted for nothing, so the end is where it was.
    site.store.recover();
    site.clock.advance(minutes / 2);
    assert_eq!(ada.whoami().await, "nobody");
}

/// The log says why, the response does not.
pub async fn the_cause_is_logged_and_not_sent(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    site.store.fail(&Op::ALL);
    unavailable(&ada.get("/current/read").await);
    assert!(kit.notebook.logged().contains(STORE_FAILURE));
    assert_eq!(
        site.take_events().last().map(String::as_str),
        Some("StoreFailed")
    );
}

/// A store that has no room, or not that much, says so; nobody loses the session that there is.
pub async fn a_store_without_room_sends_no_cookie(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    for (kind, status) in [
        (StoreErrorKind::Full, 503),
        (StoreErrorKind::TooLarge, 500),
        (StoreErrorKind::Unencodable, 500),
        (StoreErrorKind::Internal, 500),
    ] {
        site.store.fail_as(kind, &[Op::Set, Op::Replace]);
        for path in ["/current/save", "/current/update", "/lazy/resave"] {
            for visitor in [&ada, &site.visitor()] {
                let response = visitor.post(path, "evil").await;
                assert!([401, status].contains(&response.status), "{path}");
                assert!(!response.text().contains("store-17"));
                response.expect_no_cookie();
            }
        }
        assert_eq!(ada.whoami().await, "ada:0");
    }
}

/// Stored data that does not decode counts as absent, and is neither overwritten nor lost: the release that
/// can read it finds it.
pub async fn a_session_that_does_not_decode_is_left_alone(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    let old = ada.twin();
    drop(site.take_events());
    site.store.fail_as(StoreErrorKind::Undecodable, &[Op::Get]);
    let response = ada.get("/current/read").await;
    assert_eq!(response.expect(200), "nobody");
    response.expect_no_cookie();
    ada.get("/data").await.expect(401);
    assert_eq!(site.take_events(), ["Undecodable", "Undecodable"]);
    ada.post("/current/save", "bob").await.expect(200);
    assert_ne!(ada.value(), old.value());

    site.store.recover();
    assert_eq!(old.whoami().await, "ada:0");
    assert_eq!(ada.whoami().await, "bob:0");
}

/// Signing in and signing out end it all the same.
pub async fn a_session_that_does_not_decode_can_be_ended(kit: &Kit) {
    let site = kit.site().await;
    for path in [
        "/current/logout",
        "/lazy/logout",
        "/current/destroy",
        "/current/resave",
        "/lazy/resave",
    ] {
        let ada = site.signed_in("ada").await;
        let old = ada.twin();
        site.store.fail_as(StoreErrorKind::Undecodable, &[Op::Get]);
        ada.post(path, "bob").await.expect(200);
        site.store.recover();
        assert_eq!(old.whoami().await, "nobody", "{path}");
    }
}

/// Where that is to be an error, it is one, and still no logout.
pub async fn undecodable_data_is_an_error_if_so_configured(kit: &Kit) {
    let site = kit.plan().configure(|it| it.undecodable_is_an_error(true));
    let site = site.start().await;
    let ada = site.signed_in("ada").await;
    site.store.fail_as(StoreErrorKind::Undecodable, &[Op::Get]);
    for path in ["/current/read", "/data", "/optional"] {
        let response = ada.get(path).await;
        response.expect(500);
        response.expect_no_cookie();
    }
    site.store.recover();
    assert_eq!(ada.whoami().await, "ada:0");
}

/// A request that is refused because the store is down costs one question, not several.
pub async fn an_outage_is_not_hammered(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    site.store.fail(&Op::ALL);
    unavailable(&ada.send(Request::get("/current/read")).await);
    site.expect_asked(&[Op::Get]);
}

/// The status and `Retry-After` are checked for every response; here: nothing of the cause, and no cookie.
#[track_caller]
fn unavailable(response: &Response) {
    let text = response.expect(503).to_lowercase();
    for word in [
        "store-17", "5432", "refused", "cloak", "session", "database",
    ] {
        assert!(!text.contains(word), "{text}");
    }
    for (name, value) in &response.fields {
        let value = String::from_utf8_lossy(value);
        assert!(!value.contains("store-17"), "{name}: {value}");
    }
    response.expect_no_cookie();
}
