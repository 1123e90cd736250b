//! The id in a header instead of a cookie, for clients that are no browsers.

use std::time::Duration;

use cloakroom::{Carrier, IdHeader, RenewIds};

use crate::{Kit, Op, Request, Response, Site};

/// Each request and each response has it in its header, once, and no response sets a cookie.
pub async fn the_id_travels_in_the_header_and_nowhere_else(kit: &Kit) {
    for header in headers() {
        let site = site(kit, &header).await;
        let ada = site.visitor();
        let response = ada.post("/lazy/resave", "ada").await;
        response.expect(200);
        assert_eq!(sent(&site, &response).expect("it was stored").len(), 87);
        assert_eq!(response.all("set-cookie"), [""; 0]);
        assert_eq!(response.all("cache-control"), ["no-store"]);
        assert_eq!(response.list("vary"), [header.request_name()]);
        drop(site.store.take_asked());

        let response = ada.get("/current/read").await;
        assert_eq!(response.expect(200), "ada:0");
        response.expect_no_cookie();
        assert_eq!(response.all("cache-control"), [""; 0]);
        assert_eq!(response.list("vary"), [header.request_name()]);
        site.expect_asked(&[Op::Get]);

        let response = ada.get("/ignore").await;
        response.expect_no_cookie();
        assert_eq!(response.list("vary"), [""; 0]);
        site.expect_asked(&[]);
        ada.post("/current/save", "ada").await.expect_no_cookie();
        assert_eq!(ada.whoami().await, "ada:1");
    }
}

/// So does a sign-in over a live session.
pub async fn a_rotation_sends_the_new_id_and_the_old_one_is_dead(kit: &Kit) {
    for header in headers() {
        let site = site(kit, &header).await;
        for verb in ["rotate", "resave"] {
            let ada = site.signed_in("ada").await;
            let old = ada.twin();
            let response = ada.post(&format!("/current/{verb}"), "ada").await;
            assert_ne!(sent(&site, &response).expect("a new id"), old.value());
            assert_eq!(response.all("set-cookie"), [""; 0]);
            assert_ne!(ada.whoami().await, "nobody");
            assert_eq!(old.whoami().await, "nobody");
        }
    }
}

/// Which a client takes as: forget it. Where nothing was brought there is nothing to forget.
pub async fn a_sign_out_sends_the_header_empty(kit: &Kit) {
    for header in headers() {
        let site = site(kit, &header).await;
        for prefix in ["current", "lazy"] {
            let ada = site.signed_in("ada").await;
            let old = ada.twin();
            let path = format!("/{prefix}/logout");
            let response = ada.post(&path, "").await;
            response.expect(200);
            assert_eq!(sent(&site, &response), Some(""));
            assert_eq!(response.all("set-cookie"), [""; 0]);
            assert_eq!(response.all("cache-control"), ["no-store"]);
            assert_eq!(old.whoami().await, "nobody");
            site.visitor().post(&path, "").await.expect_no_cookie();
        }
        // A client that sends the empty value back is one without.
        let empty = Request::get("/current/read").field(header.request_name(), "");
        drop(site.take_events());
        assert_eq!(site.send(empty).await.expect(200), "nobody");
        assert_eq!(site.take_events(), [""; 0]);
    }
}

/// Not even a good one of the same user, over the same store and with the same secret; nor its value in the header.
pub async fn a_cookie_means_nothing_where_a_header_carries_the_id(kit: &Kit) {
    for header in headers() {
        let (pages, api) = both(kit, &header).await;
        let ada = pages.signed_in("ada").await;
        let own = api.signed_in("ada").await.value();
        for request in [
            Request::get("/current/read").cookie(ada.cookie()),
            Request::get("/current/read").cookie(ada.value()),
            Request::get("/current/read")
                .field(header.request_name(), header.request_value(&ada.value())),
            Request::get("/current/read").field(header.request_name(), ada.cookie()),
            Request::get("/current/read").cookie(&own),
            Request::get("/current/read").cookie(header.request_value(&own)),
            Request::get("/current/read").cookie(format!("__Host-sid={own}")),
            Request::get("/current/read").cookie(format!("{}={own}", header.request_name())),
        ] {
            let response = api.send(request).await;
            assert_eq!(response.expect(200), "nobody");
            response.expect_no_cookie();
        }
        api.expect_asked(&[]);
        let out = Request::post("/current/logout", "").cookie(ada.cookie());
        api.send(out).await.expect_no_cookie();
        assert_eq!(ada.whoami().await, "ada:0");
    }
}

/// And the other way round: what a page of another site cannot do with a cookie, it cannot do with a header either.
pub async fn a_header_means_nothing_where_a_cookie_carries_the_id(kit: &Kit) {
    for header in headers() {
        let (pages, api) = both(kit, &header).await;
        let ada = api.signed_in("ada").await;
        let value = header.request_value(&ada.value());
        for request in [
            Request::get("/current/read").field(header.request_name(), value),
            Request::get("/current/read").cookie(format!("__Host-sid={}", ada.value())),
        ] {
            let response = pages.send(request).await;
            assert_eq!(response.expect(200), "nobody");
            response.expect_no_cookie();
        }
        pages.expect_asked(&[]);
        assert_eq!(ada.whoami().await, "ada:0");
    }
}

/// `Vary` names the header, beside what the application says; `Cache-Control` gives way where an id is sent.
pub async fn caches_tell_apart_by_the_header(kit: &Kit) {
    for header in headers() {
        let site = site(kit, &header).await;
        let name = header.request_name();
        for (own, mut expected) in [
            ("", vec![name]),
            ("Vary: Accept-Encoding", vec!["accept-encoding", name]),
            (&*format!("Vary: {}", name.to_uppercase()), vec![name]),
            ("Vary: *", vec!["*"]),
            ("Vary: Cookie", vec!["cookie", name]),
            ("Vary: Accept\nVary: Origin", vec!["accept", "origin", name]),
        ] {
            expected.sort_unstable();
            for action in ["read-with", "resave-with"] {
                let path = format!("/current/{action}");
                let response = site.visitor().post(&path, own).await;
                let mut vary = response.list("vary");
                vary.sort();
                assert_eq!(vary, expected, "{action} {own:?}");
            }
        }
        let own = "Cache-Control: public, max-age=600\nCache-Control: immutable";
        let response = site.visitor().post("/current/resave-with", own).await;
        assert_eq!(response.all("cache-control"), ["no-store"]);
    }
}

/// A response never sends two.
pub async fn a_header_of_our_name_set_by_hand_gives_way(kit: &Kit) {
    for header in headers() {
        let site = site(kit, &header).await;
        let name = header.response_name();
        let own = format!("{name}: mine\n{name}: another\nSet-Cookie: theme=dark; Path=/");
        let ada = site.visitor();
        let response = ada.post("/current/resave-with", &own).await;
        assert_eq!(sent(&site, &response).expect("it was stored").len(), 87);
        assert_eq!(response.all("set-cookie"), ["theme=dark; Path=/"]);
        assert_eq!(ada.whoami().await, "ada:0");
    }
}

/// Also where a middleware refuses, and where two layers share the session.
pub async fn the_header_is_sent_with_redirects_and_errors(kit: &Kit) {
    for header in headers() {
        let site = site(kit, &header).await;
        for (path, status) in [
            ("/current/resave-redirect", 303),
            ("/current/resave-fail", 418),
            ("/guarded/refuse", 403),
            ("/guarded/read", 200),
        ] {
            let visitor = site.visitor();
            let response = visitor.post(path, "bob").await;
            response.expect(status);
            assert!(sent(&site, &response).is_some(), "{path}");
            assert_ne!(visitor.whoami().await, "nobody");
        }
    }
}

/// Nor does it tell anybody to forget the id.
pub async fn trouble_sends_no_header(kit: &Kit) {
    for header in headers() {
        let site = site(kit, &header).await;
        let ada = site.signed_in("ada").await;
        site.store.fail(&Op::ALL);
        for action in ["read", "save", "resave", "rotate", "logout", "destroy"] {
            let response = ada.post(&format!("/current/{action}"), "ada").await;
            response.expect(503);
            response.expect_no_cookie();
        }
        site.store.recover();
        assert_eq!(ada.whoami().await, "ada:0");
    }
}

/// And the old one goes on working until it was used, as with cookies.
pub async fn a_renewed_id_comes_in_the_header(kit: &Kit) {
    for header in headers() {
        let plan = kit.plan().configure({
            let header = header.clone();
            move |builder| {
                let renewal = RenewIds::every(Duration::from_secs(3600));
                builder.id_in_header(header).renew_ids(renewal)
            }
        });
        let site = plan.start().await;
        let ada = site.signed_in("ada").await;
        let (slow, copied) = (ada.twin(), ada.twin());
        site.clock.advance(Duration::from_secs(3601));
        let response = ada.get("/current/read").await;
        assert_eq!(response.expect(200), "ada:0");
        assert_ne!(sent(&site, &response), Some(&*slow.value()));
        // The response may have been lost.
        assert_eq!(slow.whoami().await, "ada:0");
        assert_eq!(slow.value(), ada.value());
        assert_eq!(ada.whoami().await, "ada:0");
        site.clock.advance(Duration::from_secs(120));
        assert_eq!(copied.whoami().await, "nobody", "two have it");
        assert_eq!(ada.whoami().await, "nobody");
    }
}

/// With a CSRF token, should somebody want one.
pub async fn a_pre_session_comes_in_the_header(kit: &Kit) {
    for header in headers() {
        let plan = kit.plan().configure({
            let header = header.clone();
            move |builder| builder.id_in_header(header).save_uninitialized(true)
        });
        let site = plan.start().await;
        let visitor = site.visitor();
        let response = visitor.get("/current/csrf").await;
        let token = response.expect(200).to_owned();
        assert_eq!(sent(&site, &response).expect("an id").len(), 87);
        let response = visitor.post("/current/csrf-check", &token).await;
        assert_eq!(response.expect(200), "good");
        response.expect_no_cookie();
        assert_eq!(site.store.live().await, 0);
    }
}

/// Neither the framework nor anything of ours writes it down, in a panic either. The search is that of every scenario,
/// at its end.
pub async fn nothing_of_an_id_in_a_header_is_logged(kit: &Kit) {
    for header in headers() {
        let site = site(kit, &header).await;
        let ada = site.visitor();
        for verb in ["save", "resave", "update", "overwrite", "rotate", "read"] {
            ada.post(&format!("/current/{verb}"), "ada")
                .await
                .expect(200);
        }
        let changed = with(
            &header,
            &flipped(&ada.value()),
            Request::get("/current/read"),
        );
        assert_eq!(site.send(changed).await.expect(200), "nobody");
        site.store.fail(&Op::ALL);
        ada.post("/current/save", "ada").await.expect(503);
        site.store.recover();
        let quoting = Request::post("/current/panic-with-all", "ada");
        if let Some(response) = ada.try_send(quoting).await {
            assert!(response.status >= 500);
        }
        assert!(kit.notebook.logged().contains("this panic shows"));
        ada.post("/current/logout", "").await.expect(200);
    }
}

/// Both kinds. The kit knows their response's header by name.
pub(super) fn headers() -> [IdHeader; 2] {
    let own = IdHeader::new("X-Session-Id").expect("a good name");
    [own, IdHeader::bearer()]
}

pub(super) async fn site(kit: &Kit, header: &IdHeader) -> Site {
    let header = header.clone();
    let plan = kit.plan().configure(|builder| builder.id_in_header(header));
    plan.start().await
}

/// What an application for browsers and others has: one store, one secret.
async fn both(kit: &Kit, header: &IdHeader) -> (Site, Site) {
    let (secret, header) = (kit.secret(), header.clone());
    let pages = kit.plan().secrets([secret.clone()]).start().await;
    let api = kit.plan().secrets([secret]).beside(&pages);
    let api = api.configure(|builder| builder.id_in_header(header));
    let api = api.start().await;
    (pages, api)
}

/// With one more line of that header.
pub(super) fn with(header: &IdHeader, value: &str, request: Request) -> Request {
    request.field(header.request_name(), header.request_value(value))
}

pub(super) fn sent<'a>(site: &Site, response: &'a Response) -> Option<&'a str> {
    match site.carrier() {
        Carrier::Header(header) => response.id_header(header),
        Carrier::Cookie(_) => panic!("this site is about headers"),
    }
}

/// The same length, and the wrong tag.
pub(super) fn flipped(value: &str) -> String {
    let other = if value.ends_with('A') { 'E' } else { 'A' };
    format!("{}{other}", &value[..value.len() - 1])
}
