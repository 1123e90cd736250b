//! Ids that are renewed now and then: nobody is signed out by it, and a copy is found out.

use std::collections::HashSet;
use std::time::Duration;

use cloakroom::RenewIds;

use crate::{Kit, Site, Visitor};

/// When the time has come, with a request that uses the session.
pub async fn a_session_in_use_gets_a_fresh_id_in_time(kit: &Kit) {
    let site = renewing(kit).await;
    let ada = site.signed_in("ada").await;
    site.clock.advance(Duration::from_secs(599));
    ada.get("/current/read").await.expect_no_cookie();
    site.clock.advance(Duration::from_secs(1));
    ada.get("/ignore").await.expect_no_cookie();
    let before = ada.value();
    assert_eq!(ada.whoami().await, "ada:0");
    assert_ne!(ada.value(), before);
    assert_eq!(ada.whoami().await, "ada:0");
    assert_eq!(site.store.live().await, 1);
    // Any verb will do, and what it does counts.
    site.clock.advance(Duration::from_secs(600));
    let before = ada.value();
    ada.post("/current/save", "ada").await.expect(200);
    assert_ne!(ada.value(), before);
    assert_eq!(ada.whoami().await, "ada:1");
}

/// They read it and write to it, and so do those that come a moment later.
pub async fn requests_in_flight_keep_working_with_the_old_id(kit: &Kit) {
    let site = renewing(kit).await;
    let ada = site.signed_in("ada").await;
    site.clock.advance(Duration::from_secs(600));
    let late = ada.twin();
    site.work().hold(2);
    let slow = [
        ada.meanwhile("/current/slow-save", "ada"),
        ada.meanwhile("/current/slow-update", ""),
    ];
    site.work().arrived(2).await;
    ada.get("/current/read").await.expect(200);
    site.work().release(2);
    for slow in slow {
        let response = slow.answer().await;
        assert!([200, 409].contains(&response.status), "{}", response.status);
    }
    assert_eq!(late.post("/current/update", "").await.status, 200);
    let seen = ada.whoami().await;
    assert!(seen == "ada:3" || seen == "ada:2", "{seen}");
    assert_eq!(site.store.live().await, 1);
}

/// Whoever of them is first; all that are sent a cookie are sent the same one.
pub async fn of_64_requests_at_the_moment_of_renewal_none_is_signed_out(kit: &Kit) {
    let site = renewing(kit).await;
    let ada = site.signed_in("ada").await;
    site.clock.advance(Duration::from_secs(600));
    let crowd: Vec<_> = (0..64)
        .map(|_| ada.meanwhile("/current/read", ""))
        .collect();
    let mut sent = HashSet::new();
    for one in crowd {
        let response = one.answer().await;
        assert_eq!(response.expect(200), "ada:0");
        sent.extend(
            response
                .set_cookie(site.cookie_name())
                .map(|cookie| cookie.pair()),
        );
    }
    assert_eq!(sent.len(), 1);
    for cookie in sent {
        assert_eq!(site.visitor_with(&cookie).whoami().await, "ada:0");
    }
    assert_eq!(site.store.live().await, 1);
}

/// It is as if it had never been sent, until a request brings the new id.
pub async fn a_lost_response_signs_nobody_out(kit: &Kit) {
    let site = renewing(kit).await;
    let (old, lost) = renewed(&site).await;
    for _ in 0..2 {
        site.clock.advance(Duration::from_secs(3_600));
        let ada = old.twin();
        assert_eq!(ada.whoami().await, "ada:0");
        assert_eq!(ada.value(), lost.value(), "it is sent again");
    }
    assert_eq!(lost.whoami().await, "ada:0");
    assert!(!site.take_events().contains(&"ReuseDetected".to_owned()));
}

/// Two have it; which of them is the user cannot be told, so it ends for both.
pub async fn an_old_id_after_the_new_one_was_used_ends_the_session(kit: &Kit) {
    let site = renewing(kit).await;
    let (old, new) = renewed(&site).await;
    assert_eq!(new.whoami().await, "ada:0");
    site.clock.advance(Duration::from_secs(30));
    assert_eq!(old.twin().whoami().await, "ada:0", "still in flight");
    site.clock.advance(Duration::from_secs(1));
    let _ = site.take_events();
    let response = old.get("/current/read").await;
    assert_eq!(response.expect(200), "nobody");
    response.expect_no_cookie();
    assert_eq!(new.whoami().await, "nobody");
    assert!(site.take_events().contains(&"ReuseDetected".to_owned()));
    assert_eq!(site.store.live().await, 0);
}

/// Whether it loaded the session or not, before the renewal or after it.
pub async fn a_sign_out_with_the_old_id_signs_out(kit: &Kit) {
    let site = renewing(kit).await;
    for path in ["/lazy/logout", "/current/logout", "/lazy/resave"] {
        let (old, new) = renewed(&site).await;
        old.post(path, "ada").await.expect(200);
        assert_eq!(new.whoami().await, "nobody", "{path}");
    }
    let ada = site.signed_in("ada").await;
    site.clock.advance(Duration::from_secs(600));
    let other = ada.twin();
    site.work().hold(1);
    let slow = ada.meanwhile("/current/slow-logout", "");
    site.work().arrived(1).await;
    assert_eq!(other.whoami().await, "ada:0");
    site.work().release(1);
    slow.answer().await.expect(200);
    assert_eq!(other.whoami().await, "nobody");
}

/// Every ten minutes, with half a minute of grace.
async fn renewing(kit: &Kit) -> Site {
    let renewal = RenewIds::every(Duration::from_secs(600)).grace(Duration::from_secs(30));
    let plan = kit.plan().configure(move |it| it.renew_ids(renewal));
    plan.start().await
}

/// Somebody with the id from before a renewal, and with that from after it, which was not used yet.
async fn renewed(site: &Site) -> (Visitor, Visitor) {
    let new = site.signed_in("ada").await;
    let old = new.twin();
    site.clock.advance(Duration::from_secs(600));
    assert_eq!(new.whoami().await, "ada:0");
    assert_ne!(new.value(), old.value());
    (old, new)
}
