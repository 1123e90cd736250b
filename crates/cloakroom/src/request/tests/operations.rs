//! Promise 5: a request pays only for what it uses. The table of store operations, row by row.

use std::time::Duration;

use super::fixture::{Fixture, cart, sent};
use crate::Secret;

#[tokio::test]
async fn a_request_that_ignores_its_session_costs_nothing() {
    let it = Fixture::new();
    let cookie = it.signed_in(&["x"]).await;
    it.store.calls();
    it.events();
    for cookie in ["", &cookie, "__Host-sid=forged"] {
        let request = it.request(cookie);
        let effect = request.finish().await;
        assert_eq!(effect.set_cookie(), None);
        assert!(!effect.vary());
    }
    assert!(it.store.calls().is_empty());
    assert!(it.events().is_empty(), "nothing was even looked at");
}

#[tokio::test]
async fn without_a_good_cookie_no_store_is_asked() {
    let it = Fixture::new();
    let foreign = Fixture::new().signed_in(&["x"]).await;
    for cookie in [
        "",
        "__Host-sid=forged",
        &foreign,
        &"__Host-sid=a; ".repeat(50),
    ] {
        let (request, session) = it.open(cookie).await;
        assert_eq!(session.data(), None);
        let effect = request.finish().await;
        assert!(effect.set_cookie().is_none() && effect.vary());
    }
    assert!(it.store.calls().is_empty());
}

#[tokio::test]
async fn reading_costs_one_operation_however_often() {
    let it = Fixture::new();
    let cookie = it.signed_in(&["x"]).await;
    it.store.calls();
    let request = it.request(&cookie);
    for _ in 0..3 {
        assert!(request.load().await.unwrap().data().is_some());
    }
    assert_eq!(sent(&request).await, None);
    assert_eq!(it.store.calls(), ["get"]);

    // Two that ask at once share one load as well.
    let request = it.request(&cookie);
    let (first, second) = tokio::join!(request.load(), request.load());
    assert!(first.unwrap().data().is_some() && second.unwrap().data().is_some());
    assert_eq!(it.store.calls(), ["get"]);
}

#[tokio::test]
async fn writing_costs_one_more() {
    let it = Fixture::new();
    let cookie = it.signed_in(&["x"]).await;
    it.store.calls();
    let (_, session) = it.open(&cookie).await;
    session.save(cart(&["y"])).await.unwrap();
    assert_eq!(it.store.calls(), ["get", "set"]);

    let (_, session) = it.open(&cookie).await;
    session.update(|cart| cart.push("z".into())).await.unwrap();
    assert_eq!(it.store.calls(), ["get", "set"]);

    let (_, session) = it.open(&cookie).await;
    session.overwrite(cart(&[])).await.unwrap();
    assert_eq!(it.store.calls(), ["get", "set"]);

    let (_, session) = it.open(&cookie).await;
    session.rotate().await.unwrap();
    assert_eq!(it.store.calls(), ["get", "rotate"]);
}

#[tokio::test]
async fn beginning_and_ending() {
    let it = Fixture::new();
    let (_, session) = it.open("").await;
    session.save(cart(&[])).await.unwrap();
    assert_eq!(it.store.calls(), ["set"], "first save");

    let cookie = it.signed_in(&["x"]).await;
    it.store.calls();
    let (_, session) = it.open(&cookie).await;
    session.resave(cart(&["ada"])).await.unwrap();
    assert_eq!(
        it.store.calls(),
        ["get", "replace"],
        "login over a live session"
    );

    let cookie = it.signed_in(&["x"]).await;
    it.store.calls();
    it.request(&cookie).resave(cart(&["ada"])).await.unwrap();
    assert_eq!(it.store.calls(), ["replace"], "login without loading");

    let cookie = it.signed_in(&["x"]).await;
    it.store.calls();
    it.request(&cookie).logout().await.unwrap();
    assert_eq!(it.store.calls(), ["destroy"], "logout");
}

#[tokio::test]
async fn a_session_in_use_is_touched_once_a_minute() {
    let it = Fixture::with(|builder| builder.idle_timeout(Duration::from_secs(1_800)));
    let cookie = it.signed_in(&["x"]).await;
    it.store.calls();
    let mut touches = 0;
    for _ in 0..60 {
        it.advance(10);
        let (request, _) = it.open(&cookie).await;
        assert_eq!(sent(&request).await, None);
        touches += it
            .store
            .calls()
            .iter()
            .filter(|call| **call == "touch")
            .count();
    }
    assert_eq!(touches, 10, "ten minutes");

    // Whoever writes has noted the use already.
    it.advance(100);
    let (request, session) = it.open(&cookie).await;
    session.save(cart(&["y"])).await.unwrap();
    let _ = request.finish().await;
    assert_eq!(it.store.calls(), ["get", "set"]);

    // Whoever ignores the session does not use it.
    it.advance(100);
    let _ = it.request(&cookie).finish().await;
    assert!(it.store.calls().is_empty());
}

#[tokio::test]
async fn an_old_secret_verifies_until_it_is_taken_out() {
    let (old, new) = (Secret::generate().unwrap(), Secret::generate().unwrap());
    let before = Fixture::new();
    let sessions = |secret: &Secret, previous: Option<&Secret>| {
        let builder = crate::Sessions::builder(before.store.clone(), secret.clone())
            .clock(before.clock.clone());
        let builder = previous.into_iter().fold(builder, |builder, secret| {
            builder.previous_secret(secret.clone())
        });
        builder.build().unwrap()
    };
    let request = sessions(&old, None).for_request([""]);
    request.resave(cart(&["x"])).await.unwrap();
    let cookie = sent(&request).await.unwrap();

    let both = sessions(&new, Some(&old));
    let request = both.for_request([cookie.clone()]);
    let session = request.load().await.unwrap();
    assert!(session.data().is_some());
    session.rotate().await.unwrap();
    let resigned = sent(&request).await.unwrap();

    let only_new = sessions(&new, None);
    let data = |cookie: String| {
        let request = only_new.for_request([cookie]);
        async move { request.load().await.unwrap().data() }
    };
    assert_eq!(data(cookie).await, None);
    assert_eq!(data(resigned).await.as_deref(), Some(&cart(&["x"])));
}
