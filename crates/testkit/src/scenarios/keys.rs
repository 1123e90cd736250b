//! Secrets change without logging anybody out.

use crate::{Kit, Site};

/// With the new secret and the old one, a cookie of the old one works, and is signed anew when a cookie is
/// next sent. With the new one alone it is nobody's.
pub async fn an_old_secret_stays_valid_until_it_is_taken_out(kit: &Kit) {
    let (old, new) = (kit.secret(), kit.secret());
    let before = kit.plan().secrets([old.clone()]).start().await;
    let both = kit.plan().secrets([new.clone(), old]).beside(&before);
    let both = both.start().await;
    let after = kit.plan().secrets([new]).beside(&before).start().await;

    let ada = before.signed_in("ada").await;
    let old_cookie = ada.cookie();
    let moved = both.visitor_with(&old_cookie);
    moved.get("/current/read").await.expect_no_cookie();
    assert_eq!(moved.whoami().await, "ada:0");
    moved.post("/current/save", "ada").await.expect_no_cookie();
    assert_eq!(whoami(&after, &old_cookie).await, "nobody");

    moved.post("/current/rotate", "").await.expect(200);
    assert_ne!(moved.cookie(), old_cookie);
    assert_eq!(whoami(&after, &moved.cookie()).await, "ada:1");
    assert_eq!(whoami(&both, &moved.cookie()).await, "ada:1");
    assert_eq!(whoami(&before, &moved.cookie()).await, "nobody");
}

/// The order says which one signs; the old ones only verify.
pub async fn only_the_first_secret_signs(kit: &Kit) {
    let (first, second, third) = (kit.secret(), kit.secret(), kit.secret());
    let all = kit
        .plan()
        .secrets([first.clone(), second.clone(), third.clone()]);
    let all = all.start().await;
    let cookie = all.signed_in("ada").await.cookie();
    for (secret, expected) in [(first, "ada:0"), (second, "nobody"), (third, "nobody")] {
        let alone = kit.plan().secrets([secret]).beside(&all).start().await;
        assert_eq!(whoami(&alone, &cookie).await, expected);
    }
}

/// A CSRF token of the old secret is good as long as its session is.
pub async fn a_csrf_token_survives_the_change(kit: &Kit) {
    let (old, new) = (kit.secret(), kit.secret());
    let before = kit.plan().secrets([old.clone()]).start().await;
    let both = kit.plan().secrets([new, old]).beside(&before).start().await;
    let ada = before.signed_in("ada").await;
    let token = ada.get("/current/csrf").await.expect(200).to_owned();
    kit.notebook.token("a CSRF token", token.as_str());
    let moved = both.visitor_with(&ada.cookie());
    assert_eq!(
        moved.post("/current/csrf-check", &token).await.expect(200),
        "good"
    );
}

async fn whoami(site: &Site, cookie: &str) -> String {
    site.visitor_with(cookie).whoami().await
}
