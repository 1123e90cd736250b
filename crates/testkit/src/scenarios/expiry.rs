//! The server ends sessions, to the millisecond, whatever the browser does with its cookie.

use std::time::Duration;

use crate::{Kit, Op, Site};

const DAY: u64 = 86_400;

/// From its creation, however much it is used.
pub async fn a_session_ends_when_its_time_is_over(kit: &Kit) {
    let site = kit.plan().configure(|it| it.max_age(seconds(10)));
    let site = site.start().await;
    let ada = site.signed_in("ada").await;
    site.clock.advance(Duration::from_millis(9_000));
    ada.post("/current/save", "ada").await.expect(200);
    site.clock.advance(Duration::from_millis(999));
    assert_eq!(ada.whoami().await, "ada:1");
    site.clock.advance(Duration::from_millis(1));
    let response = ada.get("/current/read").await;
    assert_eq!(response.expect(200), "nobody");
    response.expect_no_cookie();
    ada.get("/data").await.expect(401);
    assert_eq!(site.store.live().await, 0);
}

/// A rotation is no way to live longer: the end stays where it was, and the new cookie says so.
pub async fn a_rotation_does_not_put_the_end_off(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    site.clock.advance(seconds(10 * DAY));
    let response = ada.post("/current/rotate", "").await;
    let cookie = response.set_cookie("__Host-sid").expect("it was rotated");
    assert_eq!(cookie.max_age(), Some(20 * DAY));
    site.clock.advance(seconds(20 * DAY));
    assert_eq!(ada.whoami().await, "nobody");
}

/// A sign-in is a new session with a new end.
pub async fn a_sign_in_begins_a_new_time(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    site.clock.advance(seconds(10 * DAY));
    let response = ada.post("/current/resave", "ada").await;
    let cookie = response.set_cookie("__Host-sid").expect("it was stored");
    assert_eq!(cookie.max_age(), Some(30 * DAY));
    site.clock.advance(seconds(25 * DAY));
    assert_eq!(ada.whoami().await, "ada:1");
}

/// An idle session ends; one that is used does not, until its absolute end.
pub async fn an_idle_session_ends(kit: &Kit) {
    let site = idle(kit, seconds(1_800)).await;
    let ada = site.signed_in("ada").await;
    for _ in 0..10 {
        site.clock.advance(seconds(1_799));
        assert_eq!(ada.whoami().await, "ada:0");
    }
    site.clock.advance(Duration::from_millis(1_799_999));
    let other = ada.twin();
    other.get("/ignore").await.expect(200);
    site.clock.advance(Duration::from_millis(1));
    assert_eq!(ada.whoami().await, "nobody");
    assert_eq!(site.store.live().await, 0);
}

/// What is used every minute still ends when its absolute time is over.
pub async fn use_does_not_put_the_absolute_end_off(kit: &Kit) {
    let plan = kit
        .plan()
        .configure(|it| it.max_age(seconds(600)).idle_timeout(seconds(120)));
    let site = plan.start().await;
    let ada = site.signed_in("ada").await;
    for _ in 0..9 {
        site.clock.advance(seconds(60));
        assert_eq!(ada.whoami().await, "ada:0");
    }
    site.clock.advance(seconds(60));
    assert_eq!(ada.whoami().await, "nobody");
}

/// A clock that steps back ends nothing, and revives nothing.
pub async fn a_clock_that_steps_back_does_no_harm(kit: &Kit) {
    let site = idle(kit, seconds(600)).await;
    let ada = site.signed_in("ada").await;
    let start = cloakroom::Clock::now(&site.clock);
    site.clock.set(start.minus(seconds(3_600)));
    assert_eq!(ada.whoami().await, "ada:0");
    site.clock.set(start);
    assert_eq!(ada.whoami().await, "ada:0");
    ada.post("/lazy/logout", "").await.expect(200);
    site.clock.set(start.minus(seconds(3_600)));
    assert_eq!(ada.whoami().await, "nobody");
}

/// Remember me: a longer life for one session, in the cookie and on the server.
pub async fn a_remembered_session_lives_longer(kit: &Kit) {
    let site = kit.site().await;
    let (ada, bob) = (site.visitor(), site.visitor());
    let response = ada
        .post("/current/resave-for", &(90 * DAY).to_string())
        .await;
    let cookie = response.set_cookie("__Host-sid").expect("it was stored");
    assert_eq!(cookie.max_age(), Some(90 * DAY));
    bob.post("/current/resave", "bob").await.expect(200);
    site.clock.advance(seconds(31 * DAY));
    assert_eq!(ada.whoami().await, "ada:0");
    assert_eq!(bob.whoami().await, "nobody");
    site.clock.advance(seconds(59 * DAY));
    assert_eq!(ada.whoami().await, "nobody");
}

/// And a shorter one.
pub async fn a_short_session_ends_early(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.visitor();
    let response = ada.post("/current/resave-for", "60").await;
    let cookie = response.set_cookie("__Host-sid").expect("it was stored");
    assert_eq!(cookie.max_age(), Some(60));
    site.clock.advance(seconds(60));
    assert_eq!(ada.whoami().await, "nobody");
}

/// A cookie that goes with the browser has no `Max-Age`, nor after a rotation; the server's limit holds.
pub async fn a_browser_session_says_nothing_of_its_age(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.visitor();
    for path in ["/current/resave-browser-session", "/current/rotate"] {
        let response = ada.post(path, "").await;
        let cookie = response.set_cookie("__Host-sid").expect("it was sent");
        assert_eq!(
            cookie.attributes,
            ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"]
        );
    }
    site.clock.advance(seconds(30 * DAY - 1));
    assert_eq!(ada.whoami().await, "ada:0");
    site.clock.advance(seconds(1));
    assert_eq!(ada.whoami().await, "nobody");
}

/// Browsers keep no cookie longer than 400 days, so none is asked to.
pub async fn no_cookie_is_to_last_longer_than_browsers_keep_it(kit: &Kit) {
    let site = kit.site().await;
    for lifetime in [401 * DAY, 3_650 * DAY, 0] {
        let ada = site.visitor();
        let response = ada.post("/current/resave-for", &lifetime.to_string()).await;
        let cookie = response.set_cookie("__Host-sid").expect("it was stored");
        assert_eq!(cookie.max_age(), Some(400 * DAY));
        site.clock.advance(seconds(400 * DAY));
        assert_eq!(ada.whoami().await, "ada:0", "the server has no such limit");
    }
}

/// An idle time-out for one session alone.
pub async fn one_session_may_have_an_idle_timeout_of_its_own(kit: &Kit) {
    let site = kit.site().await;
    let (ada, bob) = (site.visitor(), site.signed_in("bob").await);
    let response = ada.post("/current/resave-idle", "600").await;
    let cookie = response.set_cookie("__Host-sid").expect("it was stored");
    assert_eq!(cookie.max_age(), Some(30 * DAY));
    site.clock.advance(seconds(599));
    assert_eq!(ada.whoami().await, "ada:0");
    site.clock.advance(seconds(600));
    assert_eq!(ada.whoami().await, "nobody");
    drop(site.store.take_asked());
    assert_eq!(bob.whoami().await, "bob:0");
    site.expect_asked(&[Op::Get]);
}

/// What has expired is dead for every verb, not only for reading.
pub async fn an_expired_session_starts_anew(kit: &Kit) {
    let site = kit.plan().configure(|it| it.max_age(seconds(10)));
    let site = site.start().await;
    for action in ["save", "overwrite", "update-or-default", "resave"] {
        let ada = site.signed_in("ada").await;
        let old = ada.twin();
        site.clock.advance(seconds(10));
        let response = ada.post(&format!("/current/{action}"), "").await;
        assert_eq!(response.expect(200).split(':').next(), Some(""), "{action}");
        assert_ne!(ada.value(), old.value());
        assert_eq!(old.whoami().await, "nobody");
    }
    let ada = site.signed_in("ada").await;
    site.clock.advance(seconds(10));
    for action in ["update", "rotate"] {
        ada.post(&format!("/current/{action}"), "")
            .await
            .expect(401);
    }
}

async fn idle(kit: &Kit, timeout: Duration) -> Site {
    let plan = kit.plan().configure(move |it| it.idle_timeout(timeout));
    plan.start().await
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
