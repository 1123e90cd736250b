//! What is sent: the attributes of the cookie and of its removal, beside the application's own fields.

use cloakroom::{CookieOptions, IdHeader, SameSite, SessionsBuilder};

use crate::{Data, Kit, Request};

/// The defaults: as strict as a cookie can be that survives a link from elsewhere.
pub async fn the_default_cookie_has_every_protection(kit: &Kit) {
    let site = kit.site().await;
    let response = site.visitor().post("/current/save", "ada").await;
    let cookie = response.set_cookie("__Host-sid").expect("it was saved");
    let lasting = "Max-Age=2592000";
    assert_eq!(
        cookie.attributes,
        [lasting, "Path=/", "Secure", "HttpOnly", "SameSite=Lax"]
    );
    let characters = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    assert!(cookie.value.len() == 87 && cookie.value.bytes().all(characters));
}

/// A removal with other attributes would remove another cookie.
pub async fn a_removal_has_the_attributes_of_the_cookie(kit: &Kit) {
    let options = [
        CookieOptions::new(),
        CookieOptions::new().same_site(SameSite::Strict),
        CookieOptions::new().name("__Host-Http-sid"),
        CookieOptions::new()
            .name("__Secure-sid")
            .domain("example.com")
            .path("/current"),
        CookieOptions::new().same_site(SameSite::None).partitioned(),
        CookieOptions::new()
            .name("sid")
            .dangerous_readable_by_scripts(),
        CookieOptions::insecure_for_local_http(),
    ];
    for options in options {
        let plan = kit.plan().configure(move |it| it.cookie(options));
        let site = plan.start().await;
        let visitor = site.visitor();
        let set = visitor.post("/current/save", "ada").await;
        let set = set.set_cookie(site.cookie_name()).expect("it was saved");
        let removed = visitor.post("/current/logout", "").await;
        let removed = removed
            .set_cookie(site.cookie_name())
            .expect("it was removed");
        assert!(removed.is_removal());
        assert_eq!(set.identity(), removed.identity());
    }
}

/// A cookie that is there is removed even if there is nothing behind it; one that is not there is not.
pub async fn a_logout_removes_only_what_was_presented(kit: &Kit) {
    let site = kit.site().await;
    for path in ["/current/logout", "/lazy/logout"] {
        site.visitor().post(path, "").await.expect_no_cookie();
        let garbled = site.visitor_with("__Host-sid=garbled");
        let response = garbled.post(path, "").await;
        assert!(
            response
                .set_cookie("__Host-sid")
                .is_some_and(|it| it.is_removal())
        );
    }
    site.expect_asked(&[]);
}

/// However often a request changes its mind, one cookie is sent, the last.
pub async fn one_cookie_is_sent_of_several_changes(kit: &Kit) {
    let site = kit.site().await;
    let visitor = site.signed_in("ada").await;
    visitor.post("/current/rotate-twice", "").await.expect(200);
    assert_eq!(visitor.whoami().await, "ada:0");
    visitor
        .post("/current/logout-save", "bob")
        .await
        .expect(200);
    assert_eq!(visitor.whoami().await, "bob:0");
    visitor
        .post("/current/destroy-save", "cyd")
        .await
        .expect(200);
    assert_eq!(visitor.whoami().await, "cyd:0");
    assert_eq!(site.store.live().await, 1);

    let fresh = site.visitor();
    let response = fresh.post("/current/save-logout", "dan").await;
    response.expect_no_cookie();
    let response = fresh.post("/current/save-destroy", "dan").await;
    response.expect_no_cookie();
    assert_eq!(site.store.live().await, 1);
}

/// The application's own cookies are sent beside ours, in fields of their own.
pub async fn the_applications_cookies_are_kept(kit: &Kit) {
    let site = kit.site().await;
    let fields = "Set-Cookie: theme=dark; Path=/\nSet-Cookie: lang=\"en\"; Path=/";
    let response = site.visitor().post("/current/resave-with", fields).await;
    let names: Vec<String> = response
        .set_cookies()
        .into_iter()
        .map(|it| it.name)
        .collect();
    assert_eq!(names, ["theme", "lang", "__Host-sid"]);
    let response = site.visitor().post("/current/read-with", fields).await;
    assert_eq!(response.all("set-cookie").len(), 2);
}

/// A cookie of the session's name that the application set by hand gives way, its others stay.
pub async fn a_cookie_of_our_name_set_by_hand_gives_way(kit: &Kit) {
    let site = kit.site().await;
    let fields = "Set-Cookie: theme=dark; Path=/\nSet-Cookie: __Host-sid=mine; Path=/; Secure\nSet-Cookie: __Host-sid2=x; Path=/; Secure";
    let visitor = site.visitor();
    let response = visitor.post("/current/resave-with", fields).await;
    let names: Vec<String> = response
        .set_cookies()
        .into_iter()
        .map(|it| it.name)
        .collect();
    assert_eq!(names, ["theme", "__Host-sid2", "__Host-sid"]);
    assert_eq!(visitor.whoami().await, "ada:0");
}

/// `Vary` is added to, not replaced, and not twice.
pub async fn vary_is_merged(kit: &Kit) {
    let site = kit.site().await;
    for (own, sent) in [
        ("", vec!["cookie"]),
        ("Vary: Accept-Encoding", vec!["accept-encoding", "cookie"]),
        ("Vary: Cookie", vec!["cookie"]),
        ("Vary: Accept, COOKIE", vec!["accept", "cookie"]),
        ("Vary: *", vec!["*"]),
        (
            "Vary: Accept\nVary: Origin",
            vec!["accept", "cookie", "origin"],
        ),
        ("Vary: Accept\nVary: Cookie", vec!["accept", "cookie"]),
        ("Vary: X-Cookie", vec!["cookie", "x-cookie"]),
    ] {
        for action in ["read-with", "resave-with"] {
            let response = site
                .visitor()
                .post(&format!("/current/{action}"), own)
                .await;
            let mut vary = response.list("vary");
            vary.sort();
            assert_eq!(vary, sent, "{action} {own:?}");
        }
    }
}

/// A response with the session's cookie is in no cache, whatever the application said; one without keeps what
/// it said.
pub async fn a_response_with_the_cookie_is_not_cached(kit: &Kit) {
    let site = kit.site().await;
    let own = "Cache-Control: public, max-age=600\nCache-Control: immutable";
    let response = site.visitor().post("/current/resave-with", own).await;
    assert_eq!(response.all("cache-control"), ["no-store"]);

    let visitor = site.signed_in("ada").await;
    let response = visitor
        .post("/current/read-with", "Cache-Control: public, max-age=600")
        .await;
    assert_eq!(response.all("cache-control"), ["public, max-age=600"]);
    let response = visitor.post("/current/logout", "").await;
    assert_eq!(response.all("cache-control"), ["no-store"]);
}

/// Nor in one that honours a field of its own and then ignores `Cache-Control` (RFC 9213, section 2.2).
pub async fn a_response_with_an_id_is_not_cached_by_a_delivery_network(kit: &Kit) {
    const OF_SOME_CACHES: [&str; 5] = [
        "cdn-cache-control",
        "surrogate-control",
        "cloudflare-cdn-cache-control",
        "vercel-cdn-cache-control",
        "netlify-cdn-cache-control",
    ];
    let others = [
        "x-cdn-cache-control-was",
        "cdn-cache-status",
        "surrogate-key",
    ];
    let fields = OF_SOME_CACHES.iter().chain(&others);
    let mut own: Vec<_> = fields
        .map(|field| format!("{field}: max-age=600"))
        .collect();
    own.push("CDN-Cache-Control: public".to_owned());
    let own = own.join("\n");

    let in_header = |it: SessionsBuilder<Data>| it.id_in_header(IdHeader::bearer());
    for plan in [kit.plan(), kit.plan().configure(in_header)] {
        let site = plan.start().await;
        let visitor = site.visitor();
        let response = visitor.post("/current/resave-with", &own).await;
        for field in OF_SOME_CACHES {
            assert_eq!(response.all(field), [""; 0], "{field}");
        }
        for field in others {
            assert_eq!(response.all(field), ["max-age=600"], "{field}");
        }
        assert_eq!(response.all("cache-control"), ["no-store"]);
        // Without an id it is the application's business.
        let response = visitor.post("/current/read-with", &own).await;
        for field in &OF_SOME_CACHES[1..] {
            assert_eq!(response.all(field), ["max-age=600"], "{field}");
        }
        assert_eq!(response.all("cdn-cache-control"), ["max-age=600", "public"]);
    }
}

/// A session's ending, or its rotation, is told on whatever response follows, an error too.
pub async fn the_cookie_is_sent_with_redirects_and_errors(kit: &Kit) {
    let site = kit.site().await;
    for (action, status) in [("resave-redirect", 303), ("resave-fail", 418)] {
        let visitor = site.signed_in("ada").await;
        let old = visitor.twin();
        let response = visitor.post(&format!("/current/{action}"), "bob").await;
        response.expect(status);
        assert!(response.set_cookie("__Host-sid").is_some(), "{action}");
        assert_eq!(visitor.whoami().await, "bob:1");
        assert_eq!(old.whoami().await, "nobody");
    }
}

/// A request for the head alone gets the same fields.
pub async fn a_head_request_gets_the_same_fields(kit: &Kit) {
    let site = kit.site().await;
    let mut connection = site.connect().await;
    let request = Request::get("/current/resave").into_bytes();
    let request = [b"HEAD", &request[3..]].concat();
    assert!(connection.send(&request).await);
    let head = connection.head().await.expect("the server answers");
    assert_eq!(head.status, 200);
    assert!(head.set_cookie("__Host-sid").is_some());
}
