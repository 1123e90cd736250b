//! Pre-sessions: an id in a cookie with nothing stored, for visitors who have not signed in.

use crate::{Kit, Op, Site};

/// It costs the store nothing, and is sent once.
pub async fn a_pre_session_stores_nothing(kit: &Kit) {
    let site = with_pre_sessions(kit).await;
    let visitor = site.visitor();
    let response = visitor.get("/current/read").await;
    assert_eq!(response.expect(200), "nobody");
    assert!(response.set_cookie("__Host-sid").is_some());
    site.expect_asked(&[]);
    assert_eq!(site.store.live().await, 0);

    let response = visitor.get("/current/read").await;
    assert_eq!(response.expect(200), "nobody");
    response.expect_no_cookie();
    site.expect_asked(&[Op::Get]);
    visitor.get("/data").await.expect(401);
}

/// Nobody who ignores the session gets one.
pub async fn a_handler_that_ignores_the_session_begins_none(kit: &Kit) {
    let site = with_pre_sessions(kit).await;
    for path in ["/ignore", "/lazy/ignore"] {
        let response = site.visitor().get(path).await;
        response.expect(200);
        response.expect_no_cookie();
        assert_eq!(response.list("vary"), [""; 0]);
    }
}

/// Data is stored under a fresh id; that of the pre-session, which others may know, is worth nothing.
pub async fn the_first_save_mints_another_id(kit: &Kit) {
    let site = with_pre_sessions(kit).await;
    for action in ["save", "overwrite", "update-or-default", "resave"] {
        let visitor = site.visitor();
        visitor.get("/current/read").await.expect(200);
        let before = visitor.twin();
        visitor
            .post(&format!("/current/{action}"), "ada")
            .await
            .expect(200);
        assert_ne!(visitor.value(), before.value());
        assert_ne!(visitor.whoami().await, "nobody");
        assert_eq!(before.whoami().await, "nobody", "{action}");
    }
}

/// A dead id will do for a pre-session: no cookie is sent that could overwrite another one.
pub async fn a_dead_id_gets_no_new_pre_session(kit: &Kit) {
    let site = with_pre_sessions(kit).await;
    let ada = site.signed_in("ada").await;
    let late = ada.twin();
    ada.post("/current/resave", "bob").await.expect(200);
    let response = late.get("/current/read").await;
    assert_eq!(response.expect(200), "nobody");
    response.expect_no_cookie();
}

/// Garbage does not: the visitor gets a real one.
pub async fn a_garbled_cookie_is_replaced_by_a_pre_session(kit: &Kit) {
    let site = with_pre_sessions(kit).await;
    let visitor = site.visitor_with("__Host-sid=garbled");
    let response = visitor.get("/current/read").await;
    assert!(response.set_cookie("__Host-sid").is_some());
    let response = visitor.get("/current/read").await;
    response.expect_no_cookie();
}

/// A logout leaves neither a session nor a pre-session.
pub async fn a_logout_begins_no_pre_session(kit: &Kit) {
    let site = with_pre_sessions(kit).await;
    let ada = site.signed_in("ada").await;
    let response = ada.post("/current/logout", "").await;
    let removal = response
        .set_cookie("__Host-sid")
        .expect("the cookie is removed");
    assert!(removal.is_removal());
    assert_eq!(site.store.live().await, 0);
}

async fn with_pre_sessions(kit: &Kit) -> Site {
    let plan = kit.plan().configure(|it| it.save_uninitialized(true));
    plan.start().await
}
