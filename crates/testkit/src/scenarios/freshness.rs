//! What asks for a sign-in that is not long ago.

use std::time::Duration;

use crate::Kit;

/// So that a page can ask for the password, and a program knows what is missing.
pub async fn what_needs_a_fresh_sign_in_is_a_403_with_a_reason(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    site.clock.advance(Duration::from_secs(59));
    assert_eq!(ada.post("/current/sudo", "60").await.expect(200), "done");
    site.clock.advance(Duration::from_secs(1));
    let refused = ada.post("/current/sudo", "60").await;
    assert_eq!(refused.status, 403);
    if kit.missing_layer_hint.is_some() {
        assert_eq!(refused.text(), r#"{"error":"not_fresh"}"#);
        assert_eq!(refused.all("content-type"), ["application/json"]);
    }
    refused.expect_no_cookie();
    assert_eq!(ada.whoami().await, "ada:0", "it is no sign-out");
    assert_eq!(site.visitor().post("/current/sudo", "60").await.status, 401);
}

/// The id from before is dead, and the limits begin anew.
pub async fn proving_anew_gives_a_fresh_id_and_new_limits(kit: &Kit) {
    let site = kit
        .plan()
        .configure(|it| it.max_age(Duration::from_secs(100)));
    let site = site.start().await;
    let ada = site.signed_in("ada").await;
    let before = ada.cookie();
    site.clock.advance(Duration::from_secs(90));
    let response = ada.post("/current/reauthenticate", "").await;
    response.expect(200);
    let cookie = response
        .set_cookie(site.cookie_name())
        .expect("the id changed");
    assert_eq!(cookie.max_age(), Some(100));
    assert_eq!(ada.post("/current/sudo", "1").await.expect(200), "done");
    assert_eq!(site.visitor_with(&before).whoami().await, "nobody");
    site.clock.advance(Duration::from_secs(99));
    assert_eq!(ada.whoami().await, "ada:0");
    site.clock.advance(Duration::from_secs(1));
    assert_eq!(ada.whoami().await, "nobody");
    assert_eq!(
        site.visitor()
            .post("/current/reauthenticate", "")
            .await
            .status,
        401
    );
}
