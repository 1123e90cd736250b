//! A request pays only for what it uses: the table of store operations.

use std::time::Duration;

use crate::{Kit, Op, Request};

/// Nothing was asked for, so nothing is asked, written or sent.
pub async fn a_handler_that_ignores_the_session_costs_nothing(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    for visitor in [ada, site.visitor(), site.visitor_with("__Host-sid=bad")] {
        for path in ["/ignore", "/lazy/ignore"] {
            let response = visitor.get(path).await;
            response.expect(200);
            response.expect_no_cookie();
            assert_eq!(response.list("vary"), [""; 0]);
            assert_eq!(response.all("cache-control"), [""; 0]);
        }
    }
    site.expect_asked(&[]);
}

/// A hundred visitors who only look leave nothing behind.
pub async fn looking_without_a_cookie_costs_nothing(kit: &Kit) {
    let site = kit.site().await;
    for path in ["/current/read", "/lazy/read", "/optional", "/data"].repeat(25) {
        let response = site.visitor().get(path).await;
        assert!([200, 401].contains(&response.status));
        response.expect_no_cookie();
        assert_eq!(response.list("vary"), ["cookie"]);
    }
    site.expect_asked(&[]);
    assert_eq!(site.store.live().await, 0);
}

/// Reading costs one, and sends nothing.
pub async fn a_read_costs_one_operation(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    for path in [
        "/current/read",
        "/lazy/read",
        "/optional",
        "/data",
        "/current/csrf",
    ] {
        let response = ada.get(path).await;
        response.expect(200);
        response.expect_no_cookie();
        assert_eq!(response.list("vary"), ["cookie"]);
        if path == "/current/csrf" {
            kit.notebook.token("a CSRF token", response.text());
        }
        site.expect_asked(&[Op::Get]);
    }
}

/// Reading and writing cost two, and send nothing: the cookie stays as it is.
pub async fn a_write_costs_two_operations(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    for action in ["save", "overwrite", "update", "update-or-default"] {
        let response = ada.post(&format!("/current/{action}"), "ada").await;
        response.expect(200);
        response.expect_no_cookie();
        site.expect_asked(&[Op::Get, Op::Set]);
    }
    assert_eq!(ada.whoami().await, "ada:4");
}

/// The first save has nothing to read.
pub async fn the_first_save_costs_one_operation(kit: &Kit) {
    let site = kit.site().await;
    for action in ["save", "overwrite", "update-or-default", "resave"] {
        let response = site
            .visitor()
            .post(&format!("/current/{action}"), "ada")
            .await;
        assert!(response.set_cookie("__Host-sid").is_some());
        site.expect_asked(&[Op::Set]);
    }
}

/// Signing in over a live session.
pub async fn a_sign_in_costs_two_operations_or_one(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    ada.post("/current/resave", "ada").await.expect(200);
    site.expect_asked(&[Op::Get, Op::Replace]);
    ada.post("/lazy/resave", "ada").await.expect(200);
    site.expect_asked(&[Op::Replace]);
    assert_eq!(site.store.live().await, 1);
}

/// A fresh id for the same data.
pub async fn a_rotation_costs_two_operations(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    ada.post("/current/rotate", "").await.expect(200);
    site.expect_asked(&[Op::Get, Op::Rotate]);
}

/// Signing out.
pub async fn a_logout_costs_one_operation(kit: &Kit) {
    let site = kit.site().await;
    for action in ["logout", "destroy"] {
        let ada = site.signed_in("ada").await;
        ada.post(&format!("/lazy/{action}"), "").await.expect(200);
        site.expect_asked(&[Op::Destroy]);
        let ada = site.signed_in("ada").await;
        ada.post(&format!("/current/{action}"), "")
            .await
            .expect(200);
        site.expect_asked(&[Op::Get, Op::Destroy]);
    }
    assert_eq!(site.store.live().await, 0);
}

/// A cookie with a good signature and nothing behind it costs the one look, and is left alone: a cookie sent
/// now could overwrite that of a sign-in which is just happening.
pub async fn a_dead_cookie_costs_one_operation_and_is_left_alone(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    let late = ada.twin();
    ada.post("/lazy/logout", "").await.expect(200);
    drop(site.store.take_asked());
    let response = late.get("/current/read").await;
    assert_eq!(response.expect(200), "nobody");
    response.expect_no_cookie();
    site.expect_asked(&[Op::Get]);
    let response = late.get("/data").await;
    response.expect(401);
    response.expect_no_cookie();
    site.expect_asked(&[Op::Get]);
}

/// With an idle time-out, one operation more, once in a minute; none where the request writes anyhow.
pub async fn an_idle_timeout_costs_one_touch_a_minute(kit: &Kit) {
    let plan = kit.plan();
    let site = plan.configure(|it| it.idle_timeout(Duration::from_secs(1_800)));
    let site = site.start().await;
    let ada = site.signed_in("ada").await;
    for _ in 0..5 {
        ada.get("/current/read").await.expect_no_cookie();
        site.expect_asked(&[Op::Get]);
        site.clock.advance(Duration::from_secs(60));
        ada.get("/ignore").await.expect(200);
        site.expect_asked(&[]);
        ada.get("/current/read").await.expect_no_cookie();
        site.expect_asked(&[Op::Get, Op::Touch]);
        ada.get("/current/read").await.expect_no_cookie();
        site.expect_asked(&[Op::Get]);
        site.clock.advance(Duration::from_millis(59_999));
        ada.get("/current/read").await.expect_no_cookie();
        site.expect_asked(&[Op::Get]);
        site.clock.advance(Duration::from_millis(1));
        ada.post("/current/save", "ada").await.expect_no_cookie();
        site.expect_asked(&[Op::Get, Op::Set]);
    }
}

/// A tenth of the time-out, where that is shorter.
pub async fn a_short_idle_timeout_is_touched_every_tenth(kit: &Kit) {
    let plan = kit.plan();
    let site = plan.configure(|it| it.idle_timeout(Duration::from_secs(10)));
    let site = site.start().await;
    let ada = site.signed_in("ada").await;
    site.clock.advance(Duration::from_millis(999));
    ada.whoami().await;
    site.expect_asked(&[Op::Get]);
    site.clock.advance(Duration::from_millis(1));
    ada.whoami().await;
    site.expect_asked(&[Op::Get, Op::Touch]);
}

/// Every extractor and middleware of one request shares one session.
pub async fn middleware_and_handler_share_one_read(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    let response = ada.send(Request::post("/guarded/update", "")).await;
    assert_eq!(response.expect(200), "ada:2");
    site.expect_asked(&[Op::Get, Op::Set, Op::Set]);
}
