//! Whether a renewed id has reached its user, what takes that back, which nothing may, and what else finds a session
//! by the id that it had.

use std::time::Duration;

use super::fixture::{Fixture, cart, kind, sent};
use super::renewal::{renewed, renewing};
use crate::{ErrorKind, RenewIds, Secret, SessionId, Sessions};

/// That the old id ends the session now: somebody else has the new one.
async fn expect_reuse(it: &Fixture, old: &str) {
    it.events();
    assert_eq!(it.stored(old).await, None);
    assert!(it.events().contains(&"ReuseDetected".to_owned()));
}

#[tokio::test]
async fn a_write_where_the_clock_is_slow_does_not_make_an_old_id_good_again() {
    let it = renewing();
    let (old, new) = renewed(&it).await;
    it.clock.set(it.clock_now().minus(Duration::from_secs(2)));
    let (request, _) = it.open(&new).await;
    let _ = request.finish().await;
    let (_, session) = it.open(&new).await;
    session.save(cart(&["ada", "more"])).await.unwrap();
    it.advance(3_600);
    expect_reuse(&it, &old).await;
}

#[tokio::test]
async fn a_slow_write_by_an_old_id_does_not_make_it_good_again() {
    for verb in ["save", "overwrite", "update"] {
        let it = renewing();
        let (old, new) = renewed(&it).await;
        it.advance(1);
        let (_, slow) = it.open(&old).await;
        it.advance(1);
        let (request, _) = it.open(&new).await;
        let _ = request.finish().await;
        it.advance(20);
        match verb {
            "save" => slow.save(cart(&["slow"])).await.unwrap(),
            "overwrite" => slow.overwrite(cart(&["slow"])).await.unwrap(),
            _ => slow.update(|cart| cart.push(String::new())).await.unwrap(),
        }
        it.advance(20);
        expect_reuse(&it, &old).await;
    }
}

#[tokio::test]
async fn a_save_by_an_old_id_still_finds_out_that_another_request_wrote() {
    let it = renewing();
    let (old, new) = renewed(&it).await;
    let (_, slow) = it.open(&old).await;
    let (_, session) = it.open(&new).await;
    session.save(cart(&["ada", "more"])).await.unwrap();
    assert_eq!(kind(slow.save(cart(&["slow"])).await), ErrorKind::Conflict);
}

/// The new session is stored, but whether the one that it replaces has ended cannot be told.
#[tokio::test]
async fn a_sign_in_that_fails_halfway_signs_nobody_in() {
    for lazy in [true, false] {
        for slow in [true, false] {
            let it = renewing();
            let old = it.signed_in(&["ada"]).await;
            it.advance(600);
            let (request, session) = it.open(&old).await;
            let (renewing, _) = it.open(&old).await;
            let new = sent(&renewing).await.expect("it was due");
            let request = match lazy {
                true => it.request(&old),
                false => request,
            };
            it.store.set_slow(slow);
            it.store.set_failing(Some("follow"));
            let resaved = match lazy {
                true => request.resave(cart(&["eve"])).await,
                false => session.resave(cart(&["eve"])).await,
            };
            it.store.set_failing(None);
            assert_eq!(kind(resaved), ErrorKind::Unavailable);
            assert_eq!(sent(&request).await, None, "no cookie");
            assert_eq!(it.sessions.count().await.unwrap(), 1);
            assert_eq!(it.stored(&new).await, Some(cart(&["ada"])));
        }
    }
}

fn id_of(it: &Fixture, cookie: &str) -> SessionId {
    let (_, value) = cookie.split_once('=').unwrap();
    it.sessions.verify_session_id(value).unwrap()
}

#[tokio::test]
async fn a_program_that_kept_an_id_ends_its_session_though_it_was_renewed() {
    let it = renewing();
    let (old, mut new) = renewed(&it).await;
    let id = id_of(&it, &old);
    for _ in 0..100 {
        it.advance(600);
        new = sent(&it.open(&new).await.0).await.expect("it was due");
    }
    assert!(it.sessions.destroy(&id).await.unwrap());
    assert!(!it.sessions.destroy(&id).await.unwrap());
    assert_eq!(it.stored(&new).await, None);
}

#[tokio::test]
async fn a_program_that_kept_an_id_reads_its_session_for_as_long_as_a_request_with_it_is_served() {
    let it = renewing();
    let (old, new) = renewed(&it).await;
    let id = id_of(&it, &old);
    let found = async || {
        let record = it.sessions.get(&id).await.unwrap();
        record.map(|record| (*record.data).clone())
    };
    it.advance(3_600);
    assert_eq!(found().await, Some(cart(&["ada"])), "nobody has the new id");
    let (request, _) = it.open(&new).await;
    let _ = request.finish().await;
    assert_eq!(found().await, None);
    assert_eq!(it.stored(&new).await, Some(cart(&["ada"])));
}

#[tokio::test]
async fn reuse_is_detected_though_the_secret_was_changed_since() {
    let old_secret = Secret::generate().unwrap();
    let build = |it: &Fixture, secrets: [&Secret; 2]| {
        Sessions::builder(it.store.clone(), secrets[0].clone())
            .previous_secret(secrets[1].clone())
            .clock(it.clock.clone())
            .renew_ids(RenewIds::every(Duration::from_secs(600)))
            .build()
            .unwrap()
    };
    let it = renewing();
    let before = build(&it, [&old_secret, &old_secret]);
    let after = build(&it, [&Secret::generate().unwrap(), &old_secret]);

    let request = before.for_request([""]);
    request.resave(cart(&["ada"])).await.unwrap();
    let first = sent(&request).await.unwrap();
    let mut newest = first.clone();
    for (sessions, renewals) in [(&before, 100), (&after, 100)] {
        for _ in 0..renewals {
            it.advance(600);
            let request = sessions.for_request([newest]);
            request.load().await.unwrap();
            newest = sent(&request).await.expect("it was due");
        }
    }
    let data = async |cookie: &str| {
        let request = after.for_request([cookie.to_owned()]);
        let session = request.load().await.unwrap();
        let _ = request.finish().await;
        session.data().is_some()
    };
    assert!(data(&newest).await);
    it.advance(61);
    assert!(!data(&first).await);
    assert!(!data(&newest).await, "two had it");
}

#[tokio::test]
async fn signing_out_or_in_with_an_id_of_long_ago_ends_the_session() {
    for sign_in in [false, true] {
        let it = renewing();
        let (old, mut new) = renewed(&it).await;
        for _ in 0..100 {
            it.advance(600);
            new = sent(&it.open(&new).await.0).await.expect("it was due");
        }
        let request = it.request(&old);
        match sign_in {
            true => request.resave(cart(&["bob"])).await.unwrap(),
            false => request.logout().await.unwrap(),
        }
        assert_eq!(it.stored(&new).await, None);
    }
}

/// Which reads the times again, and must not bring back what they were read of.
#[tokio::test]
async fn a_slow_write_by_an_old_id_brings_no_ended_session_back() {
    for verb in ["save", "overwrite", "update"] {
        let it = renewing();
        let (old, new) = renewed(&it).await;
        let (_, slow) = it.open(&old).await;
        it.request(&new).logout().await.unwrap();
        let written = match verb {
            "save" => slow.save(cart(&["slow"])).await,
            "overwrite" => slow.overwrite(cart(&["slow"])).await,
            _ => slow.update(|cart| cart.push(String::new())).await,
        };
        assert_eq!(kind(written), ErrorKind::Gone);
        assert_eq!(it.stored(&old).await, None);
        assert_eq!(it.stored(&new).await, None);
    }
}

/// What SECURITY.md says of `renew_ids` that it does not do: nobody can tell a copy that is used all the time from a browser
/// whose responses were lost. What gives the session a random id shuts it out.
#[tokio::test]
async fn a_copy_that_keeps_pace_is_not_noticed_until_the_session_has_a_random_id() {
    let it = renewing();
    // By the copy, which is first.
    let (users, copied) = renewed(&it).await;
    let (request, session) = it.open(&users).await;
    assert_eq!(
        sent(&request).await,
        Some(copied.clone()),
        "the same id for both"
    );
    assert!(session.data().is_some());
    assert!(!it.events().contains(&"ReuseDetected".to_owned()));

    let (request, session) = it.open(&copied).await;
    session.rotate().await.unwrap();
    let random = sent(&request).await.unwrap();
    assert_eq!(it.stored(&copied).await, None);
    assert_eq!(it.stored(&users).await, None);
    assert!(it.stored(&random).await.is_some());
}
