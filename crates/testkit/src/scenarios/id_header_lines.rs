//! What stands in the lines of the header that carries the id: good values, several, garbage.

use cloakroom::IdHeader;

use super::id_header::{flipped, headers, sent, site, with};
use crate::{Kit, Op, Request};

/// Which one is the user's cannot be told; whoever brings both may end both.
pub async fn two_good_headers_are_nobody_and_signing_out_ends_both(kit: &Kit) {
    for header in headers() {
        let site = site(kit, &header).await;
        let (ada, eve) = (site.signed_in("ada").await, site.signed_in("eve").await);
        drop(site.take_events());
        for (one, other) in [(&ada, &eve), (&eve, &ada)] {
            let request = with(&header, &one.value(), Request::get("/current/read"));
            let request = with(&header, &other.value(), request);
            let response = site.send(request).await;
            assert_eq!(response.expect(200), "nobody");
            response.expect_no_cookie();
            site.expect_asked(&[Op::Get, Op::Get]);
        }
        assert_eq!(site.take_events(), ["AmbiguousCookies", "AmbiguousCookies"]);
        let twice = with(&header, &ada.value(), Request::get("/current/read"));
        let twice = with(&header, &ada.value(), twice);
        assert_eq!(site.send(twice).await.expect(200), "ada:0");

        let out = with(&header, &ada.value(), Request::post("/lazy/logout", ""));
        let response = site.send(with(&header, &eve.value(), out)).await;
        assert_eq!(sent(&site, &response), Some(""));
        assert_eq!(ada.whoami().await, "nobody");
        assert_eq!(eve.whoami().await, "nobody");
    }
}

/// And costs the store nothing; beside the good one it is ignored.
pub async fn a_garbled_header_is_nobody(kit: &Kit) {
    for header in headers() {
        let site = site(kit, &header).await;
        let ada = site.signed_in("ada").await;
        let (good, flipped) = (ada.value(), flipped(&ada.value()));
        for bad in [
            "x",
            ".",
            &good[1..],
            &good[..86],
            &flipped,
            &format!("{good}="),
            &format!("{good}, {good}"),
            &format!("\"{good}\""),
            &format!("{good};v=1"),
            &format!("{good} {good}"),
            &good.replace('.', "%2E"),
        ] {
            drop(site.take_events());
            let response = site
                .send(with(&header, bad, Request::get("/current/read")))
                .await;
            assert_eq!(response.expect(200), "nobody", "{bad:?}");
            response.expect_no_cookie();
            assert_eq!(site.take_events(), ["InvalidCookie"], "{bad:?}");
            site.expect_asked(&[]);

            let beside = with(&header, bad, Request::get("/current/read"));
            let response = site.send(with(&header, &good, beside)).await;
            assert_eq!(response.expect(200), "ada:0", "{bad:?}");
            site.expect_asked(&[Op::Get]);
        }
        let raw = Request::get("/current/read").field(header.request_name(), b"\xff\xfe\x80");
        assert_eq!(site.send(raw).await.expect(200), "nobody");
        site.expect_asked(&[]);
    }
}

/// Neither many lines nor long ones are looked through.
pub async fn a_large_header_is_answered(kit: &Kit) {
    for header in headers() {
        let site = site(kit, &header).await;
        let ada = site.signed_in("ada").await;
        let long = "x".repeat(20 * 1024);
        let mut many = Request::get("/current/read");
        for _ in 0..30 {
            many = with(&header, &ada.value(), many);
        }
        let beside = with(&header, &ada.value(), Request::get("/current/read"));
        for request in [
            many,
            with(&header, &long, Request::get("/current/read")),
            with(&header, &long, beside),
        ] {
            let response = site.send(request).await;
            assert_eq!(response.expect(200), "nobody");
            site.expect_asked(&[]);
        }
        assert_eq!(ada.whoami().await, "ada:0");
    }
}

/// `Bearer` in any case; what comes under another scheme, or without one, is not ours and no event.
pub async fn the_scheme_is_compared_without_case(kit: &Kit) {
    let site = site(kit, &IdHeader::bearer()).await;
    let value = site.signed_in("ada").await.value();
    drop(site.take_events());
    let read =
        |field: String| site.send(Request::get("/current/read").field("AUTHORIZATION", field));
    for scheme in ["Bearer", "bearer", "BEARER", "bEARER "] {
        let response = read(format!("{scheme} {value}")).await;
        assert_eq!(response.expect(200), "ada:0", "{scheme}");
    }
    for other in ["Basic ", "Digest ", "Token ", "", "Bearer", "Bearer:"] {
        let response = read(format!("{other}{value}")).await;
        assert_eq!(response.expect(200), "nobody", "{other}");
    }
    assert_eq!(site.take_events(), [""; 0]);
    // Beside the credentials of a proxy's guard, for example.
    let both = Request::get("/current/read").field("Authorization", "Basic YWRhOmFkYQ==");
    let response = site.send(with(&IdHeader::bearer(), &value, both)).await;
    assert_eq!(response.expect(200), "ada:0");
    // It is the response's header, and means nothing in a request.
    let response = site
        .send(Request::get("/current/read").field("X-Session-Id", &value))
        .await;
    assert_eq!(response.expect(200), "nobody");
}
