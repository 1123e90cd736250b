//! A session that ended stays ended, whatever was still under way.

use std::time::Duration;

use crate::{Gate, Kit, Op, Site, Visitor};

/// The ways in which a session's id comes to its end.
const ENDS: [&str; 9] = [
    "/current/logout",
    "/lazy/logout",
    "/current/destroy",
    "/lazy/destroy",
    "/current/resave",
    "/lazy/resave",
    "/current/rotate",
    "expiry",
    "clear",
];

const LIFETIME: Duration = Duration::from_secs(3_600);

/// It ends after the slow request read it, before that writes: the write finds it gone.
pub async fn a_slow_write_brings_no_ended_session_back(kit: &Kit) {
    for slow in ["slow-save", "slow-update", "slow-overwrite", "slow-rotate"] {
        for end in ENDS {
            let site = short_lived(kit).await;
            let ada = site.signed_in("ada").await;
            overtaken(
                &site,
                &ada,
                &format!("/current/{slow}"),
                end,
                &site.work().clone(),
            )
            .await;
        }
    }
}

/// It ends when the slow request's write is on its way to the store already.
pub async fn a_write_on_its_way_brings_no_ended_session_back(kit: &Kit) {
    for (slow, op) in [
        ("save", Op::Set),
        ("update", Op::Set),
        ("overwrite", Op::Set),
        ("update-or-default", Op::Set),
    ] {
        for end in ENDS {
            let site = short_lived(kit).await;
            let ada = site.signed_in("ada").await;
            let gate = site.store.before(op).clone();
            overtaken(&site, &ada, &format!("/current/{slow}"), end, &gate).await;
        }
    }
}

/// It ends when the slow request's write is done but not acknowledged: the write counted, the end counts.
pub async fn an_end_after_a_write_is_an_end(kit: &Kit) {
    for slow in ["save", "update", "overwrite"] {
        for end in ENDS {
            let site = short_lived(kit).await;
            let ada = site.signed_in("ada").await;
            let old = ada.twin();
            let gate = site.store.after(Op::Set);
            gate.hold(1);
            let pending = ada.meanwhile(&format!("/current/{slow}"), "late");
            gate.arrived(1).await;
            finish(&site, &ada, end).await;
            gate.release(1);
            let response = pending.answer().await;
            response.expect(200);
            response.expect_no_cookie();
            assert_eq!(old.whoami().await, "nobody", "{slow}, then {end}");
            expect_live(&site, &ada, end).await;
        }
    }
}

/// The ending is what is slow: what others write meanwhile does not outlive it.
pub async fn a_write_before_a_slow_end_does_not_outlive_it(kit: &Kit) {
    for (end, op) in [
        ("/current/logout", Op::Destroy),
        ("/lazy/logout", Op::Destroy),
        ("/lazy/destroy", Op::Destroy),
        ("/current/resave", Op::Replace),
        ("/lazy/resave", Op::Replace),
        ("/current/rotate", Op::Rotate),
    ] {
        let site = kit.site().await;
        let ada = site.signed_in("ada").await;
        let old = ada.twin();
        let gate = site.store.before(op);
        gate.hold(1);
        let pending = ada.meanwhile(end, "ada");
        gate.arrived(1).await;
        for action in ["save", "update", "overwrite"] {
            old.post(&format!("/current/{action}"), "ada")
                .await
                .expect(200);
        }
        gate.release(1);
        pending.answer().await.expect(200);
        assert_eq!(old.whoami().await, "nobody", "{end}");
        for action in ["save", "update", "overwrite"] {
            let late = old.twin();
            let response = late.post(&format!("/current/{action}"), "late").await;
            assert!([200, 401].contains(&response.status), "{action}");
        }
        assert_eq!(old.whoami().await, "nobody", "{end}");
    }
}

/// A rotation keeps what was written while it was on its way.
pub async fn a_rotation_keeps_what_others_wrote(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    site.work().hold(1);
    let pending = ada.meanwhile("/current/slow-rotate", "");
    site.work().arrived(1).await;
    ada.post("/current/save", "changed").await.expect(200);
    site.work().release(1);
    let response = pending.answer().await;
    assert_eq!(response.expect(200), "changed:1");
    let cookie = response.set_cookie("__Host-sid").expect("it was rotated");
    assert_eq!(
        site.visitor_with(&cookie.pair()).whoami().await,
        "changed:1"
    );
    assert_eq!(site.store.live().await, 1);
}

/// A sign-in is a fresh session, whatever became of the old one; there is never a second one of it.
pub async fn a_slow_sign_in_is_a_fresh_session(kit: &Kit) {
    for end in ENDS {
        let site = short_lived(kit).await;
        let ada = site.signed_in("ada").await;
        let old = ada.twin();
        site.work().hold(1);
        let pending = ada.meanwhile("/current/slow-resave", "bob");
        site.work().arrived(1).await;
        finish(&site, &ada, end).await;
        site.work().release(1);
        let response = pending.answer().await;
        response.expect(200);
        let cookie = response.set_cookie("__Host-sid").expect("it was stored");
        assert!(
            site.visitor_with(&cookie.pair())
                .whoami()
                .await
                .starts_with("bob")
        );
        assert_eq!(old.whoami().await, "nobody", "{end}");
    }
}

/// Two rotations at once: one wins, the other one learns that the session is gone.
pub async fn of_two_rotations_one_wins(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    let gate = site.store.before(Op::Rotate);
    gate.hold(2);
    let both = [
        ada.meanwhile("/current/rotate", ""),
        ada.meanwhile("/current/rotate", ""),
    ];
    gate.arrived(2).await;
    gate.release(2);
    let mut statuses = Vec::new();
    for one in both {
        let response = one.answer().await;
        statuses.push(response.status);
        assert_eq!(
            response.status == 200,
            response.set_cookie("__Host-sid").is_some()
        );
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
    assert_eq!(ada.whoami().await, "nobody");
    assert_eq!(site.store.live().await, 1);
}

/// A touch that comes late revives nothing.
pub async fn a_late_touch_brings_no_ended_session_back(kit: &Kit) {
    for end in ["/lazy/logout", "/lazy/resave", "/current/rotate", "clear"] {
        let site = kit.plan().configure(|it| it.idle_timeout(LIFETIME));
        let site = site.start().await;
        let ada = site.signed_in("ada").await;
        let old = ada.twin();
        site.clock.advance(Duration::from_secs(120));
        let gate = site.store.before(Op::Touch);
        gate.hold(1);
        let pending = ada.meanwhile("/current/read", "");
        gate.arrived(1).await;
        finish(&site, &ada, end).await;
        gate.release(1);
        let response = pending.answer().await;
        assert_eq!(response.expect(200), "ada:0");
        response.expect_no_cookie();
        assert_eq!(old.whoami().await, "nobody", "{end}");
        expect_live(&site, &ada, end).await;
    }
}

/// A save over what another request wrote meanwhile is refused, and says so.
pub async fn a_save_over_a_newer_one_is_refused(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    site.work().hold(1);
    let pending = ada.meanwhile("/current/slow-save", "late");
    site.work().arrived(1).await;
    ada.post("/current/save", "early").await.expect(200);
    site.work().release(1);
    let response = pending.answer().await;
    response.expect(409);
    response.expect_no_cookie();
    assert_eq!(ada.whoami().await, "early:1");

    site.work().hold(1);
    let pending = ada.meanwhile("/current/slow-overwrite", "late");
    site.work().arrived(1).await;
    ada.post("/current/save", "early").await.expect(200);
    site.work().release(1);
    pending.answer().await.expect(200);
    assert!(
        ada.whoami().await.starts_with("late"),
        "the last one wins by request"
    );
}

/// An update that was overtaken runs again, on the newer data.
pub async fn an_overtaken_update_runs_again(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    site.work().hold(1);
    let pending = ada.meanwhile("/current/slow-update", "");
    site.work().arrived(1).await;
    ada.post("/current/update", "").await.expect(200);
    site.work().release(1);
    assert_eq!(pending.answer().await.expect(200), "ada:2");
    assert_eq!(ada.whoami().await, "ada:2");
}

/// A visitor who signs out while a sign-in of the same browser is under way: the sign-out tells the browser
/// nothing about the new session, and a late answer of an old request takes no cookie away.
pub async fn a_late_read_takes_no_new_cookie_away(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    let gate = site.store.before(Op::Get);
    gate.hold(1);
    let late = ada.meanwhile("/current/read", "");
    gate.arrived(1).await;
    ada.post("/lazy/resave", "bob").await.expect(200);
    gate.release(1);
    let late = late.answer().await;
    assert_eq!(late.expect(200), "nobody");
    late.expect_no_cookie();
    assert_eq!(ada.whoami().await, "bob:0");
}

/// An end counts on every instance of the application at once, for those under way there too.
pub async fn an_end_counts_on_every_instance(kit: &Kit) {
    for end in [
        "/current/logout",
        "/lazy/destroy",
        "/lazy/resave",
        "/current/rotate",
    ] {
        let secret = kit.secret();
        let one = kit.plan().secrets([secret.clone()]).start().await;
        let other = kit.plan().secrets([secret]).beside(&one).start().await;
        let ada = one.signed_in("ada").await;
        let elsewhere = other.visitor_with(&ada.cookie());
        assert_eq!(elsewhere.whoami().await, "ada:0");
        other.work().hold(1);
        let slow = elsewhere.meanwhile("/current/slow-save", "late");
        other.work().arrived(1).await;
        ada.post(end, "ada").await.expect(200);
        assert_eq!(elsewhere.whoami().await, "nobody");
        other.work().release(1);
        slow.answer().await.expect(401);
        assert_eq!(elsewhere.whoami().await, "nobody");
        expect_live(&one, &ada, end).await;
    }
}

async fn short_lived(kit: &Kit) -> Site {
    let plan = kit.plan().configure(|it| it.max_age(LIFETIME));
    plan.start().await
}

/// Holds the request at the gate, ends the session, lets the request go on: it must learn that the session is
/// gone, send no cookie, and leave nothing alive that was dead.
async fn overtaken(site: &Site, ada: &Visitor, slow: &str, end: &str, gate: &Gate) {
    let old = ada.twin();
    gate.hold(1);
    let pending = ada.meanwhile(slow, "late");
    gate.arrived(1).await;
    finish(site, ada, end).await;
    gate.release(1);
    let response = pending.answer().await;
    assert_eq!(response.status, 401, "{slow}, overtaken by {end}");
    response.expect_no_cookie();
    assert_eq!(old.whoami().await, "nobody", "{slow}, overtaken by {end}");
    expect_live(site, ada, end).await;
}

async fn finish(site: &Site, ada: &Visitor, end: &str) {
    match end {
        "expiry" => site.clock.advance(LIFETIME),
        "clear" => site.store.clear().await,
        path => drop(ada.post(path, "ada").await.expect(200)),
    }
}

/// After a sign-in or a rotation the session under the new id lives, untouched by the late one; else none.
async fn expect_live(site: &Site, ada: &Visitor, end: &str) {
    if end.ends_with("resave") || end.ends_with("rotate") {
        assert!(ada.whoami().await.starts_with("ada:") || ada.whoami().await.starts_with("late:"));
        assert_eq!(site.store.live().await, 1, "{end}");
    } else {
        assert_eq!(site.store.live().await, 0, "{end}");
    }
}
