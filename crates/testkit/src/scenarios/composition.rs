//! Extractors, middleware and several types of session in one application.

use crate::{Kit, Op};

/// What a middleware wrote, the handler behind it reads, and one cookie is sent for both.
pub async fn middleware_and_handler_share_one_session(kit: &Kit) {
    let site = kit.site().await;
    let visitor = site.visitor();
    let response = visitor.post("/guarded/update", "").await;
    assert_eq!(response.expect(200), ":2");
    site.expect_asked(&[Op::Set, Op::Set]);
    assert_eq!(visitor.whoami().await, ":2");
    visitor.post("/guarded/resave", "ada").await.expect(200);
    assert_eq!(visitor.whoami().await, "ada:4");
    visitor.post("/guarded/logout", "").await.expect(200);
    assert_eq!(visitor.whoami().await, "nobody");
    assert_eq!(site.store.live().await, 0);
}

/// A middleware that signs somebody in and then refuses to go on: the refusal carries the cookie, or the
/// visitor, whose old session has ended, would be signed out by it.
pub async fn a_refusal_by_a_middleware_carries_the_cookie(kit: &Kit) {
    let site = kit.site().await;
    for visitor in [site.visitor(), site.signed_in("bob").await] {
        let old = visitor.twin();
        let response = visitor.post("/guarded/refuse", "").await;
        response.expect(403);
        assert!(response.set_cookie("__Host-sid").is_some());
        assert!(visitor.whoami().await.starts_with("ada:"));
        assert_eq!(old.whoami().await, "nobody");
    }
}

/// An error from a middleware on account of the store is the same 503 as a handler's.
pub async fn a_session_that_ended_under_a_middleware_is_a_401(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    let gate = site.store.before(Op::Set);
    gate.hold(1);
    let pending = ada.meanwhile("/guarded/read", "");
    gate.arrived(1).await;
    ada.post("/lazy/logout", "").await.expect(200);
    gate.release(1);
    let response = pending.answer().await;
    response.expect(401);
    response.expect_no_cookie();
}

/// Two types of session, two cookies, two lives.
pub async fn two_types_of_session_do_not_mix(kit: &Kit) {
    let site = kit.site().await;
    let response = site.visitor().post("/two/save", "ada").await;
    assert_eq!(response.expect(200), "ada:0 and ada");
    let cookies = response.set_cookies();
    assert_eq!(cookies.len(), 2);
    let pair = |name: &str| {
        let cookie = cookies.iter().find(|cookie| cookie.name == name);
        cookie.expect("it was saved").pair()
    };
    let (sid, admin) = (pair("__Host-sid"), pair("__Host-admin"));

    let both = site.visitor_with(&format!("{sid}; {admin}"));
    assert_eq!(both.get("/two/read").await.expect(200), "ada:0 and ada");
    let user = site.visitor_with(&sid);
    assert_eq!(user.get("/two/read").await.expect(200), "ada:0 and nobody");
    let root = site.visitor_with(&admin);
    assert_eq!(root.get("/two/read").await.expect(200), "nobody and ada");

    let response = both.twin().get("/two/logout-admin").await;
    assert_eq!(response.expect(200), "ada:0 and nobody");
    let removed = response.set_cookies();
    assert_eq!(removed.len(), 1);
    assert!(removed[0].name == "__Host-admin" && removed[0].is_removal());
    assert_eq!(both.get("/two/read").await.expect(200), "ada:0 and nobody");
    assert_eq!(user.whoami().await, "ada:0");
}

/// Within the layer of some sessions, a layer of others that keep the same type: whoever is signed in to the outer ones
/// is nobody to the inner ones, and the other way round.
pub async fn sessions_of_one_type_within_others_do_not_mix(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    let response = ada.get("/apart/read").await;
    assert_eq!(response.expect(200), "nobody");
    let response = ada.post("/apart/resave", "bob").await;
    assert_eq!(response.expect(200), "bob:0");
    let cookies = response.set_cookies();
    assert_eq!(cookies.len(), 1);
    assert_eq!(cookies[0].name, "__Host-apart");
    let bob = site.visitor_with(&cookies[0].pair());
    assert_eq!(bob.get("/apart/read").await.expect(200), "bob:0");
    assert_eq!(bob.whoami().await, "nobody");
    bob.post("/apart/logout", "").await.expect(200);
    assert_eq!(bob.get("/apart/read").await.expect(200), "nobody");
    assert_eq!(ada.whoami().await, "ada:0");
}

/// The extractor for those who are signed in refuses the others with 401, and the optional one does not.
pub async fn data_is_for_those_who_have_some(kit: &Kit) {
    let site = kit.site().await;
    let visitor = site.visitor();
    visitor.get("/data").await.expect(401);
    assert_eq!(visitor.get("/optional").await.expect(200), "nobody");
    visitor.post("/current/save", "ada").await.expect(200);
    assert_eq!(visitor.get("/data").await.expect(200), "ada");
    assert_eq!(visitor.get("/optional").await.expect(200), "ada");
    visitor.post("/current/destroy", "").await.expect(200);
    visitor.get("/data").await.expect(401);
}

/// `destroy` ends the session and leaves the cookie; `logout` takes it away too.
pub async fn a_destroyed_session_keeps_its_cookie(kit: &Kit) {
    let site = kit.site().await;
    for path in ["/current/destroy", "/lazy/destroy"] {
        let ada = site.signed_in("ada").await;
        let response = ada.post(path, "").await;
        response.expect(200);
        response.expect_no_cookie();
        assert_eq!(ada.whoami().await, "nobody");
        assert_eq!(site.store.live().await, 0);
    }
}

/// Where the layer was forgotten, the visitor learns nothing and the developer learns what to add.
pub async fn a_missing_layer_says_in_the_log_what_to_add(kit: &Kit) {
    let site = kit.site().await;
    for (at, path) in ["/missing", "/missing-optional"].into_iter().enumerate() {
        let response = site.visitor().get(path).await;
        let Some(hint) = kit.missing_layer_hint else {
            // Without extractors there is nothing to forget.
            assert_eq!(response.status, 404);
            continue;
        };
        let text = response.expect(500);
        assert!(!text.contains("Unlayered") && !text.contains(hint));
        let logged = kit.notebook.logged();
        let mut lines = logged
            .lines()
            .filter(|line| line.contains("Unlayered") && line.contains(hint))
            .filter(|line| line.contains("ERROR"));
        assert!(lines.nth(at).is_some(), "the log says what to add: {path}");
        assert_eq!(lines.next(), None, "it says so once");
    }
}
