use std::time::Duration;

use super::fixture::{Fixture, cart, kind, sent, set_cookie};
use crate::ErrorKind;

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn what_needs_a_fresh_sign_in_is_refused_after_a_while_until_the_user_signs_in_again() {
    let it = Fixture::new();
    let cookie = it.signed_in(&["ada"]).await;
    it.advance(59);
    let (_, session) = it.open(&cookie).await;
    session.require_fresh(MINUTE).unwrap();

    it.advance(1);
    let (request, session) = it.open(&cookie).await;
    let error = session.require_fresh(MINUTE).unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::NotFresh, 403));
    assert_eq!(error.reason(), Some("not_fresh"));

    session.reauthenticate().await.unwrap();
    session.require_fresh(MINUTE).unwrap();
    let fresh = sent(&request).await.expect("the id changed");
    assert_eq!(it.stored(&cookie).await, None, "the old id is dead");
    assert_eq!(it.stored(&fresh).await, Some(cart(&["ada"])));
}

#[tokio::test]
async fn only_a_sign_in_counts_and_nobody_is_not_fresh() {
    let it = Fixture::new();
    let (_, nobody) = it.open("").await;
    assert_eq!(kind(nobody.require_fresh(MINUTE)), ErrorKind::NoSession);
    assert_eq!(kind(nobody.reauthenticate().await), ErrorKind::NoSession);

    // A session that nobody signed in to.
    let (request, session) = it.open("").await;
    session.save(cart(&["guest"])).await.unwrap();
    assert_eq!(kind(session.require_fresh(MINUTE)), ErrorKind::NotFresh);
    let cookie = sent(&request).await.unwrap();

    // Neither a rotation nor a write is a proof of anything.
    let (_, session) = it.open(&cookie).await;
    session.rotate().await.unwrap();
    session.save(cart(&["guest", "x"])).await.unwrap();
    assert_eq!(kind(session.require_fresh(MINUTE)), ErrorKind::NotFresh);
}

#[tokio::test]
async fn proving_anew_who_one_is_begins_both_limits_anew() {
    let it = Fixture::with(|builder| {
        builder
            .max_age(Duration::from_secs(100))
            .idle_timeout(Duration::from_secs(50))
    });
    let cookie = it.signed_in(&["ada"]).await;
    it.advance(40);
    let (request, session) = it.open(&cookie).await;
    session.reauthenticate().await.unwrap();
    let sent = set_cookie(&request).await.unwrap();
    assert!(sent.contains("; Max-Age=100;"), "{sent}");
    let cookie = sent.split(';').next().unwrap();

    it.advance(49);
    let (request, session) = it.open(cookie).await;
    assert!(session.data().is_some());
    let _ = request.finish().await;
    it.advance(49);
    let (request, session) = it.open(cookie).await;
    assert!(session.data().is_some(), "98 s after the proof");
    let _ = request.finish().await;
    it.advance(2);
    assert_eq!(it.stored(cookie).await, None);
}

/// What is carried over from another library, for one.
#[tokio::test]
async fn a_session_that_nobody_signed_in_to_just_now_is_not_fresh() {
    let it = Fixture::new();
    let request = it.request("");
    request.resave(cart(&["ada"])).not_fresh().await.unwrap();
    let (_, session) = it.open(&sent(&request).await.unwrap()).await;
    assert_eq!(kind(session.require_fresh(MINUTE)), ErrorKind::NotFresh);
    session.reauthenticate().await.unwrap();
    session.require_fresh(MINUTE).unwrap();
}

#[tokio::test]
async fn a_clock_that_is_set_back_keeps_no_sign_in_fresh() {
    let it = Fixture::new();
    let cookie = it.signed_in(&["ada"]).await;
    it.clock.set(it.clock_now().minus(Duration::from_secs(30)));
    let (_, session) = it.open(&cookie).await;
    session
        .require_fresh(MINUTE)
        .expect("a slow clock elsewhere");
    it.clock
        .set(it.clock_now().minus(Duration::from_secs(86_400)));
    let (_, session) = it.open(&cookie).await;
    assert_eq!(kind(session.require_fresh(MINUTE)), ErrorKind::NotFresh);
}
