//! How many sessions one user has.

use cloakroom::WhenReached;

use super::devices::owned;
use crate::{Kit, Plan};

/// The newest ones stay.
pub async fn one_sign_in_too_many_ends_the_oldest(kit: &Kit) {
    let site = at_most(kit, 2, WhenReached::EndOldest).start().await;
    let mut devices = Vec::new();
    for _ in 0..4 {
        devices.push(site.signed_in("ada").await);
        site.clock.advance(std::time::Duration::from_secs(1));
    }
    let bob = site.signed_in("bob").await;
    let mut alive = Vec::new();
    for device in devices.iter().chain([&bob]) {
        alive.push(device.whoami().await != "nobody");
    }
    assert_eq!(alive, [false, false, true, true, true]);
    let evicted = site.take_events();
    assert_eq!(evicted.iter().filter(|name| *name == "Evicted").count(), 2);
}

/// With a 403 that a program can read, and nothing happens to anybody.
pub async fn or_it_is_refused(kit: &Kit) {
    let site = at_most(kit, 1, WhenReached::Refuse).start().await;
    let ada = site.signed_in("ada").await;
    let phone = site.visitor();
    phone.post("/current/save", "guest").await.expect(200);
    for path in ["/lazy/resave", "/current/resave"] {
        let refused = phone.post(path, "ada").await;
        refused.expect_no_cookie();
        if kit.missing_layer_hint.is_some() {
            assert_eq!(refused.expect(403), r#"{"error":"too_many_sessions"}"#);
            assert_eq!(refused.all("content-type"), ["application/json"]);
        }
        assert_eq!(refused.status, 403);
    }
    assert_eq!(phone.whoami().await, "guest:0", "what it had is as it was");
    assert_eq!(ada.whoami().await, "ada:0");
    // One's own session makes room for the next one.
    ada.post("/lazy/resave", "ada").await.expect(200);
    ada.post("/current/logout", "").await.expect(200);
    phone.post("/lazy/resave", "ada").await.expect(200);
    assert_eq!(phone.whoami().await, "ada:0");
}

/// However many come at once.
pub async fn of_64_sign_ins_at_once_as_many_stay_as_allowed(kit: &Kit) {
    for when_reached in [WhenReached::EndOldest, WhenReached::Refuse] {
        let site = at_most(kit, 3, when_reached).start().await;
        let strangers: Vec<_> = (0..64).map(|_| site.visitor()).collect();
        let crowd: Vec<_> = strangers
            .iter()
            .map(|stranger| stranger.meanwhile("/lazy/resave", "ada"))
            .collect();
        let (mut stored, mut alive) = (0, 0);
        for one in crowd {
            let response = one.answer().await;
            let Some(cookie) = response.set_cookie(site.cookie_name()) else {
                assert_eq!(response.status, 403);
                continue;
            };
            stored += 1;
            let visitor = site.visitor_with(&cookie.pair());
            alive += u32::from(visitor.whoami().await != "nobody");
        }
        let expected = if when_reached == WhenReached::Refuse {
            3
        } else {
            64
        };
        assert_eq!(stored, expected, "{when_reached:?}");
        assert_eq!(site.store.live().await, 3, "{when_reached:?}");
        if when_reached == WhenReached::Refuse {
            assert_eq!(alive, 3);
        }
    }
}

fn at_most(kit: &Kit, max: u32, when_reached: WhenReached) -> Plan<'_> {
    let max = max.try_into().expect("it is not zero");
    kit.plan()
        .configure(move |it| owned(it).max_sessions_per_owner(max, when_reached))
}
