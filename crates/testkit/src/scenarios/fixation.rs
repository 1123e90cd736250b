//! Promise 3: an id is never adopted: data is only ever stored under an id that this server minted for it.

use crate::{Kit, Op, Site};

/// An id in the right shape that nobody signed gets in nowhere, and costs nothing.
pub async fn a_forged_id_is_never_adopted(kit: &Kit) {
    let site = kit.site().await;
    let forged = format!("{}.{}", "A".repeat(43), "B".repeat(42) + "A");
    never_adopted(&site, &forged, &[Op::Set]).await;
    assert_eq!(
        site.take_events(),
        ["InvalidCookie", "Created", "InvalidCookie"]
    );
}

/// The same where the visitor signs in, and where the session is not even loaded.
pub async fn signing_in_over_a_forged_cookie_gives_a_fresh_one(kit: &Kit) {
    let site = kit.site().await;
    let forged = format!("__Host-sid={}.{}", "A".repeat(43), "A".repeat(43));
    for path in ["/current/resave", "/lazy/resave"] {
        let visitor = site.visitor_with(&forged);
        visitor.post(path, "ada").await.expect(200);
        site.expect_asked(&[Op::Set]);
        assert_ne!(visitor.cookie(), forged);
        assert_eq!(visitor.whoami().await, "ada:0");
        site.expect_asked(&[Op::Get]);
    }
}

/// A real id with each of its characters changed in turn, and two real cookies' halves put together.
pub async fn a_changed_cookie_is_never_adopted(kit: &Kit) {
    let site = kit.site().await;
    let (ada, bob) = (site.signed_in("ada").await, site.signed_in("bob").await);
    let value = ada.value();
    let mut forgeries = Vec::new();
    for at in 0..value.len() {
        let mut forged = value.clone().into_bytes();
        forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
        forgeries.push(String::from_utf8(forged).expect("still ASCII"));
    }
    let bobs = bob.value();
    let (id, tag) = value.split_once('.').expect("an id and a tag");
    let (other_id, other_tag) = bobs.split_once('.').expect("an id and a tag");
    forgeries.extend([format!("{id}.{other_tag}"), format!("{other_id}.{tag}")]);
    forgeries.extend([format!("{tag}.{id}"), format!("{value}.{tag}")]);
    for forged in forgeries {
        let visitor = site.visitor_with(&format!("__Host-sid={forged}"));
        assert_eq!(visitor.whoami().await, "nobody");
    }
    site.expect_asked(&[]);
    assert_eq!(ada.whoami().await, "ada:0");
}

/// A signature is worth nothing without a session: an id that this server signed, under which nothing was
/// ever stored. Here it was handed out as a pre-session.
pub async fn a_signed_but_unknown_id_is_never_adopted(kit: &Kit) {
    let site = kit.plan().configure(|it| it.save_uninitialized(true));
    let site = site.start().await;
    let visitor = site.visitor();
    visitor.get("/current/read").await.expect(200);
    let unknown = visitor.value();
    drop(site.take_events());

    never_adopted(&site, &unknown, &[Op::Get, Op::Set]).await;
    assert_eq!(site.take_events(), ["NotFound", "Created", "NotFound"]);
}

/// The id of a session that was signed out.
pub async fn a_dead_id_is_never_adopted(kit: &Kit) {
    let site = kit.site().await;
    for end in [
        "/current/logout",
        "/current/destroy",
        "/current/rotate",
        "/current/resave",
    ] {
        let visitor = site.signed_in("ada").await;
        let dead = visitor.value();
        visitor.post(end, "ada").await.expect(200);
        drop(site.store.take_asked());
        site.store.clear().await;
        never_adopted(&site, &dead, &[Op::Get, Op::Set]).await;
    }
}

/// The id of another server, which signs with another secret.
pub async fn an_id_of_another_server_is_never_adopted(kit: &Kit) {
    let (site, other) = (kit.site().await, kit.site().await);
    let foreign = other.signed_in("ada").await.value();
    never_adopted(&site, &foreign, &[Op::Set]).await;
}

/// Even one that shares the store: without the right signature there is no asking for it.
pub async fn an_id_of_another_secret_over_the_same_store_is_never_adopted(kit: &Kit) {
    let other = kit.site().await;
    let site = kit.plan().beside(&other).start().await;
    let visitor = other.signed_in("ada").await;
    let stranger = site.visitor_with(&visitor.cookie());
    assert_eq!(stranger.whoami().await, "nobody");
    site.expect_asked(&[]);
    assert_eq!(visitor.whoami().await, "ada:0");
}

/// What a store holds is no cookie: a dump of it lets nobody in.
pub async fn a_stored_key_opens_nothing(kit: &Kit) {
    let site = kit.site().await;
    let visitor = site.signed_in("ada").await;
    let id = site.app.sessions.verify_session_id(&visitor.value());
    let key = id.expect("it is ours").key();
    let hex: String = key
        .as_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let value = visitor.value();
    let (_, tag) = value.split_once('.').expect("an id and a tag");
    for guess in [
        hex.clone(),
        format!("{hex}.{tag}"),
        format!("{}.{tag}", &hex[..43]),
    ] {
        let thief = site.visitor_with(&format!("__Host-sid={guess}"));
        assert_eq!(thief.whoami().await, "nobody");
    }
    site.expect_asked(&[]);
}

/// The one who planted a cookie before a sign-in is not signed in by it afterwards.
pub async fn an_id_known_before_the_sign_in_is_worth_nothing_after_it(kit: &Kit) {
    let site = kit.site().await;
    let victim = site.visitor();
    victim.post("/current/save", "anonymous").await.expect(200);
    let attacker = victim.twin();
    assert_eq!(attacker.whoami().await, "anonymous:0");

    victim.post("/current/resave", "ada").await.expect(200);
    assert_eq!(victim.whoami().await, "ada:1");
    assert_eq!(attacker.whoami().await, "nobody");
    attacker.post("/current/save", "evil").await.expect(200);
    assert_eq!(victim.whoami().await, "ada:1");
}

/// Presents the value, saves, and sees that something else was minted; `asked` is what the saving costs.
async fn never_adopted(site: &Site, value: &str, asked: &[Op]) {
    let planted = format!("__Host-sid={value}");
    let attacker = site.visitor_with(&planted);
    let victim = attacker.twin();
    let response = victim.post("/current/save", "ada").await;
    assert_eq!(response.expect(200), "ada:0");
    site.expect_asked(asked);
    assert_ne!(victim.value(), value);
    assert_eq!(site.store.live().await, 1);

    let response = attacker.get("/optional").await;
    assert_eq!(response.expect(200), "nobody");
    response.expect_no_cookie();
    drop(site.store.take_asked());
}
