//! The id is taken from the cookie and from nowhere else.

use crate::{Kit, Request};

/// Not from the address, the body, or any other field.
pub async fn an_id_outside_of_the_cookie_is_ignored(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    let (cookie, value) = (ada.cookie(), ada.value());
    let read = || Request::get("/current/read");
    for request in [
        Request::get(&format!("/current/read?{cookie}")),
        Request::get(&format!("/current/read?sid={value}&session={value}")),
        Request::post("/current/read", &cookie)
            .field("Content-Type", "application/x-www-form-urlencoded"),
        Request::post("/current/read", &value),
        read().field("Authorization", format!("Bearer {value}")),
        read().field("Authorization", &value),
        read().field("X-Session", &value),
        read().field("X-Session-Id", &value),
        read().field("__Host-sid", &value),
        read().field("Set-Cookie", &cookie),
        read().field("Cookie2", &cookie),
        read().field("X-Cookie", &cookie),
        read().field("X-User", "ada"),
    ] {
        let response = site.send(request).await;
        assert_eq!(response.expect(200), "nobody");
        response.expect_no_cookie();
    }
    site.expect_asked(&[]);

    // As a part of the path it is not even a route.
    let response = site
        .send(Request::get(&format!("/ignore;jsessionid={value}")))
        .await;
    assert_eq!(response.status, 404);
    assert_eq!(ada.whoami().await, "ada:0");
}

/// A cookie of one type of session opens no session of another type.
pub async fn a_value_of_another_cookie_is_ignored(kit: &Kit) {
    let site = kit.site().await;
    let both = site.visitor().post("/two/save", "ada").await;
    let sid = both.set_cookie("__Host-sid").expect("it was saved");
    let admin = both.set_cookie("__Host-admin").expect("it was saved");
    drop(site.store.take_asked());
    let swapped = format!("__Host-sid={}; __Host-admin={}", admin.value, sid.value);
    let response = site.send(Request::get("/two/read").cookie(swapped)).await;
    assert_eq!(response.expect(200), "nobody and nobody");
    site.expect_asked(&[]);
}
