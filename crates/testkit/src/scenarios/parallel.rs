//! No update is lost, and no sign-in gets in the way of another.

use std::collections::HashSet;

use crate::{Kit, Op};

const CROWD: usize = 64;

/// All have read before the first one writes.
pub async fn of_64_updates_none_is_lost(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    let gate = site.store.after(Op::Get);
    gate.hold(CROWD);
    let crowd: Vec<_> = (0..CROWD)
        .map(|_| ada.meanwhile("/current/update", ""))
        .collect();
    gate.arrived(CROWD as u32).await;
    gate.release(CROWD);
    let mut seen = HashSet::new();
    for one in crowd {
        let response = one.answer().await;
        response.expect_no_cookie();
        seen.insert(response.expect(200).to_owned());
    }
    assert_eq!(ada.whoami().await, format!("ada:{CROWD}"));
    assert_eq!(seen.len(), CROWD, "each one saw a count of its own");
}

/// The same with nothing held up, with no work and with five milliseconds of it between reading and writing.
pub async fn of_64_updates_with_work_to_do_none_is_lost(kit: &Kit) {
    for milliseconds in ["0", "5"] {
        let site = kit.site().await;
        let ada = site.signed_in("ada").await;
        let crowd: Vec<_> = (0..CROWD)
            .map(|_| ada.meanwhile("/current/work", milliseconds))
            .collect();
        for one in crowd {
            one.answer().await.expect(200);
        }
        assert_eq!(ada.whoami().await, format!("ada:{CROWD}"));
    }
}

/// The same when two instances of the application share the store, and neither knows of the other's queue.
pub async fn of_64_updates_on_two_instances_none_is_lost(kit: &Kit) {
    let secret = kit.secret();
    let one = kit.plan().secrets([secret.clone()]).start().await;
    let other = kit.plan().secrets([secret]).beside(&one).start().await;
    let ada = one.signed_in("ada").await;
    let elsewhere = other.visitor_with(&ada.cookie());
    let gate = one.store.after(Op::Get);
    gate.hold(CROWD);
    let crowd: Vec<_> = (0..CROWD)
        .map(|number| {
            let instance = if number % 2 == 0 { &ada } else { &elsewhere };
            instance.meanwhile("/current/update", "")
        })
        .collect();
    gate.arrived(CROWD as u32).await;
    gate.release(CROWD);
    for one in crowd {
        one.answer().await.expect(200);
    }
    assert_eq!(elsewhere.whoami().await, format!("ada:{CROWD}"));
}

/// The same while the session ends in the middle: those that come late are told, and nothing is left.
pub async fn of_64_updates_none_outlives_a_logout(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    let gate = site.store.after(Op::Get);
    gate.hold(CROWD);
    let crowd: Vec<_> = (0..CROWD)
        .map(|_| ada.meanwhile("/current/update", ""))
        .collect();
    gate.arrived(CROWD as u32).await;
    gate.release(CROWD / 2);
    ada.post("/lazy/logout", "").await.expect(200);
    gate.release(CROWD / 2);
    let mut refused = 0;
    for one in crowd {
        let response = one.answer().await;
        assert!([200, 401].contains(&response.status));
        refused += usize::from(response.status == 401);
    }
    assert!(refused >= CROWD / 2, "those held up were late: {refused}");
    assert_eq!(site.store.live().await, 0);
}

/// Of 64 saves of what was read once, one is stored and 63 are told.
pub async fn of_64_saves_one_wins(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    let gate = site.store.after(Op::Get);
    gate.hold(CROWD);
    let crowd: Vec<_> = (0..CROWD)
        .map(|_| ada.meanwhile("/current/save", "ada"))
        .collect();
    gate.arrived(CROWD as u32).await;
    gate.release(CROWD);
    let mut stored = 0;
    for one in crowd {
        let status = one.answer().await.status;
        assert!([200, 409].contains(&status), "{status}");
        stored += usize::from(status == 200);
    }
    assert_eq!(stored, 1);
    assert_eq!(ada.whoami().await, "ada:1");
}

/// 64 sign-ins with one anonymous cookie: each gets a session of its own, and the anonymous one is dead.
pub async fn of_64_sign_ins_each_has_its_own_session(kit: &Kit) {
    for path in ["/current/resave", "/lazy/resave"] {
        let site = kit.site().await;
        let visitor = site.visitor();
        visitor.post("/current/save", "anonymous").await.expect(200);
        let gate = site.store.before(Op::Replace);
        gate.hold(CROWD);
        let crowd: Vec<_> = (0..CROWD)
            .map(|number| visitor.meanwhile(path, &format!("user{number}")))
            .collect();
        gate.arrived(CROWD as u32).await;
        gate.release(CROWD);
        let mut cookies = HashSet::new();
        for (number, one) in crowd.into_iter().enumerate() {
            let response = one.answer().await;
            response.expect(200);
            let cookie = response.set_cookie("__Host-sid").expect("it was stored");
            let user = site.visitor_with(&cookie.pair()).whoami().await;
            assert!(user.starts_with(&format!("user{number}:")));
            cookies.insert(cookie.value);
        }
        assert_eq!(cookies.len(), CROWD);
        assert!(!cookies.contains(&visitor.value()));
        assert_eq!(visitor.whoami().await, "nobody");
        assert_eq!(site.store.live().await, CROWD as u64);
    }
}

/// 64 first saves without a cookie: 64 sessions, none shared.
pub async fn of_64_first_saves_each_has_its_own_session(kit: &Kit) {
    let site = kit.site().await;
    let visitor = site.visitor();
    let crowd: Vec<_> = (0..CROWD)
        .map(|number| visitor.meanwhile("/current/save", &format!("user{number}")))
        .collect();
    let mut cookies = HashSet::new();
    for one in crowd {
        let response = one.answer().await;
        cookies.insert(
            response
                .set_cookie("__Host-sid")
                .expect("it was stored")
                .value,
        );
    }
    assert_eq!(cookies.len(), CROWD);
    assert_eq!(site.store.live().await, CROWD as u64);
}
