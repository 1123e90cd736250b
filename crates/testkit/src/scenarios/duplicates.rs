//! Several cookies, several fields: all are read, and their order proves nothing.

use crate::{Kit, Op, Request};

/// A cookie that somebody planted beside the good one does not lock its owner out.
pub async fn a_bad_cookie_beside_the_good_one_is_ignored(kit: &Kit) {
    let site = kit.site().await;
    let good = site.signed_in("ada").await.cookie();
    let planted = "__Host-sid=planted";
    for field in [
        format!("{planted}; {good}"),
        format!("{good}; {planted}"),
        format!("{planted}; {planted}; {good}; {planted}"),
        format!("{good}; {good}"),
    ] {
        let response = site.send(Request::get("/current/read").cookie(field)).await;
        assert_eq!(response.expect(200), "ada:0");
        response.expect_no_cookie();
        site.expect_asked(&[Op::Get]);
    }
}

/// A browser keeps a cookie that was set for another domain or path, and sends it beside that of today: whoever has
/// one from before a change of these is not locked out.
pub async fn a_dead_cookie_beside_the_good_one_is_ignored(kit: &Kit) {
    let site = kit.site().await;
    let old = site.signed_in("ada").await;
    let left = old.cookie();
    old.post("/current/destroy", "").await.expect(200);
    for name in ["bob", "eve"] {
        // Beside the left one, which no sign-in and no sign-out replaces.
        let visitor = site.visitor_with(&left);
        visitor.post("/current/resave", name).await.expect(200);
        let new = visitor.cookie();
        for field in [format!("{left}; {new}"), format!("{new}; {left}")] {
            drop(site.store.take_asked());
            let response = site.send(Request::get("/current/read").cookie(field)).await;
            assert_eq!(response.expect(200), format!("{name}:0"));
            response.expect_no_cookie();
            site.expect_asked(&[Op::Get, Op::Get]);
        }
        let both = site.visitor_with(&format!("{left}; {new}"));
        both.post("/current/logout", "").await.expect(200);
        assert_eq!(both.whoami().await, "nobody");
    }
}

/// Two good cookies of different sessions: which one is the user's cannot be told, so neither is taken.
pub async fn two_good_cookies_are_nobody(kit: &Kit) {
    let site = kit.site().await;
    let (ada, eve) = (site.signed_in("ada").await, site.signed_in("eve").await);
    drop(site.take_events());
    for field in [
        format!("{}; {}", ada.cookie(), eve.cookie()),
        format!("{}; {}", eve.cookie(), ada.cookie()),
    ] {
        let response = site.send(Request::get("/current/read").cookie(field)).await;
        assert_eq!(response.expect(200), "nobody");
        response.expect_no_cookie();
        site.expect_asked(&[Op::Get, Op::Get]);
    }
    assert_eq!(site.take_events(), ["AmbiguousCookies", "AmbiguousCookies"]);
    assert_eq!(ada.whoami().await, "ada:0");
    assert_eq!(eve.whoami().await, "eve:0");
}

/// Who brings two good cookies and signs out, or in, ends both: else a cookie that somebody planted would keep
/// the session of the one who signs out alive.
pub async fn signing_out_with_two_good_cookies_ends_both(kit: &Kit) {
    let site = kit.site().await;
    for path in ["logout", "destroy", "resave"] {
        for prefix in ["current", "lazy"] {
            let (ada, eve) = (site.signed_in("ada").await, site.signed_in("eve").await);
            let both = site.visitor_with(&format!("{}; {}", ada.cookie(), eve.cookie()));
            site.store.fail(&[Op::Destroy]);
            let response = both.post(&format!("/{prefix}/{path}"), "ada").await;
            response.expect(503);
            site.store.recover();
            let response = both.post(&format!("/{prefix}/{path}"), "ada").await;
            response.expect(200);
            assert_eq!(ada.whoami().await, "nobody", "{prefix} {path}");
            assert_eq!(eve.whoami().await, "nobody", "{prefix} {path}");
        }
    }
    assert_eq!(
        site.store.live().await,
        2,
        "the two that were signed in last"
    );
}

/// A hundred of them cost no more than one.
pub async fn too_many_cookies_are_nobody(kit: &Kit) {
    let site = kit.site().await;
    let good = site.signed_in("ada").await.cookie();
    for field in [
        format!("{good}; ").repeat(100),
        format!("{}{good}", "__Host-sid=bad; ".repeat(100)),
    ] {
        let response = site.send(Request::get("/current/read").cookie(field)).await;
        assert_eq!(response.expect(200), "nobody");
    }
    site.expect_asked(&[]);
}

/// The cookie may stand in any of several `Cookie` fields.
pub async fn every_cookie_field_is_read(kit: &Kit) {
    let site = kit.site().await;
    let good = site.signed_in("ada").await.cookie();
    for at in 0..3 {
        let mut request = Request::get("/current/read");
        for field in 0..3 {
            let other = format!("other{field}=1");
            request = request.cookie(if field == at { &good } else { &other });
        }
        let response = site.send(request).await;
        assert_eq!(response.expect(200), "ada:0", "in field {at}");
    }
    let spelled = Request::get("/current/read").field("cookie", "a=b");
    let response = site.send(spelled.field("COOKIE", &good)).await;
    assert_eq!(response.expect(200), "ada:0");
}

/// Two good cookies are as ambiguous in two fields as they are in one.
pub async fn two_good_cookies_in_two_fields_are_nobody(kit: &Kit) {
    let site = kit.site().await;
    let (ada, eve) = (site.signed_in("ada").await, site.signed_in("eve").await);
    let request = Request::get("/current/read");
    let response = site
        .send(request.cookie(ada.cookie()).cookie(eve.cookie()))
        .await;
    assert_eq!(response.expect(200), "nobody");
    site.expect_asked(&[Op::Get, Op::Get]);
}

/// HTTP/2 clients send each cookie in a field of its own.
pub async fn the_crumbs_of_http2_are_read(kit: &Kit) {
    let site = kit.site().await;
    let good = site.signed_in("ada").await.cookie();
    for crumbs in [
        vec![good.as_str()],
        vec!["a=1", "b=2", &good],
        vec![&good, "a=1", "b=2"],
        vec!["a=1; b=2", &good, "__Host-sid=bad"],
    ] {
        let response = site.get_http2("/current/read", &crumbs).await;
        assert_eq!(response.expect(200), "ada:0", "of {} crumbs", crumbs.len());
    }
    let response = site.get_http2("/current/read", &["a=1"]).await;
    assert_eq!(response.expect(200), "nobody");
    // And what is sent follows the same rules.
    let response = site.get_http2("/current/resave", &["a=1", &good]).await;
    assert!(response.set_cookie("__Host-sid").is_some());
}
