//! CSRF tokens: bound to a session, dead with its id.

use crate::{Kit, Visitor};

/// Good for the session that it was given to, as often as wanted, and for no other one.
pub async fn a_token_is_good_for_its_session_only(kit: &Kit) {
    let site = kit.site().await;
    let (ada, bob) = (site.signed_in("ada").await, site.signed_in("bob").await);
    let token = token(kit, &ada).await;
    assert!(good(&ada, &token).await && good(&ada, &token).await);
    assert!(!good(&bob, &token).await);
    assert!(!good(&site.visitor(), &token).await);
    ada.post("/current/save", "ada").await.expect(200);
    assert!(good(&ada, &token).await, "a write changes nothing of it");
}

/// Another text each time, so that compressed responses do not reveal it.
pub async fn a_token_never_looks_the_same(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    let (one, other) = (token(kit, &ada).await, token(kit, &ada).await);
    assert_ne!(one, other);
    assert_eq!((one.len(), other.len()), (86, 86));
    assert!(good(&ada, &one).await && good(&ada, &other).await);
}

/// A token from before is dead after a rotation, a sign-in and a logout.
pub async fn a_token_dies_with_the_id(kit: &Kit) {
    let site = kit.site().await;
    for end in ["rotate", "resave", "logout", "destroy"] {
        let ada = site.signed_in("ada").await;
        let token = token(kit, &ada).await;
        ada.post(&format!("/current/{end}"), "ada")
            .await
            .expect(200);
        assert!(!good(&ada, &token).await, "{end}");
    }
}

/// Whatever is not one is refused.
pub async fn a_garbled_token_is_refused(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    let token = token(kit, &ada).await;
    let changed = if token.starts_with('A') { "B" } else { "A" };
    let value = ada.value();
    for garbled in [
        "",
        "none",
        &token[1..],
        &token[..85],
        &format!("{token}A"),
        &format!("{changed}{}", &token[1..]),
        &"A".repeat(86),
        &token[..43],
        &format!("{}{}", &token[43..], &token[43..]),
        &value,
        &format!(" {token}"),
        &token.to_lowercase(),
    ] {
        assert!(!good(&ada, garbled).await, "{garbled:?}");
    }
}

/// A visitor who has not signed in gets one with a pre-session; it does not survive the sign-in.
pub async fn a_pre_session_has_a_token_that_dies_at_sign_in(kit: &Kit) {
    let site = kit.plan().configure(|it| it.save_uninitialized(true));
    let site = site.start().await;
    let visitor = site.visitor();
    let token = token(kit, &visitor).await;
    assert!(good(&visitor, &token).await);
    assert!(!good(&site.visitor(), &token).await);
    visitor.post("/current/resave", "ada").await.expect(200);
    assert!(!good(&visitor, &token).await);
}

/// Where there is neither a session nor a pre-session, there is no token.
pub async fn nobody_has_no_token(kit: &Kit) {
    let site = kit.site().await;
    let visitor = site.visitor();
    assert_eq!(visitor.get("/current/csrf").await.expect(200), "none");
    assert!(!good(&visitor, "none").await);
}

async fn token(kit: &Kit, visitor: &Visitor) -> String {
    let token = visitor.get("/current/csrf").await.expect(200).to_owned();
    kit.notebook.token("a CSRF token", token.as_str());
    token
}

async fn good(visitor: &Visitor, token: &str) -> bool {
    let response = visitor.post("/current/csrf-check", token).await;
    response.expect(200) == "good"
}
