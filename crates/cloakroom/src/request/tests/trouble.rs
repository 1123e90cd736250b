//! Promise 4: trouble is not a logout.

use super::fixture::{Fixture, cart, kind, sent};
use super::renewal::{renewed, renewing};
use crate::ErrorKind;

#[tokio::test]
async fn a_store_that_is_down_is_an_error_and_sends_no_cookie() {
    let it = Fixture::with(|builder| builder.save_uninitialized(true));
    let cookie = it.signed_in(&["x"]).await;
    let (request, session) = it.open(&cookie).await;
    it.store.set_down(true);

    let fresh = it.request(&cookie);
    let error = fresh.load().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::Unavailable, 503)
    );
    assert!(error.retry_after().is_some());
    assert_eq!(sent(&fresh).await, None);

    assert_eq!(
        kind(session.save(cart(&["y"])).await),
        ErrorKind::Unavailable
    );
    assert_eq!(kind(session.update(|_| ()).await), ErrorKind::Unavailable);
    assert_eq!(kind(session.rotate().await), ErrorKind::Unavailable);
    assert_eq!(
        kind(session.resave(cart(&[])).await),
        ErrorKind::Unavailable
    );
    assert_eq!(kind(session.destroy().await), ErrorKind::Unavailable);
    assert_eq!(kind(session.logout().await), ErrorKind::Unavailable);
    assert_eq!(sent(&request).await, None);
    assert!(it.events().contains(&"StoreFailed".to_owned()));

    it.store.set_down(false);
    assert_eq!(it.stored(&cookie).await, Some(cart(&["x"])));
    // The request that failed may try again, and the one that loads too.
    assert!(fresh.load().await.unwrap().data().is_some());
    session.save(cart(&["y"])).await.unwrap();
}

#[tokio::test]
async fn a_touch_that_fails_does_not_fail_the_request() {
    let it = Fixture::with(|builder| builder.idle_timeout(std::time::Duration::from_secs(600)));
    let cookie = it.signed_in(&["x"]).await;
    it.advance(100);
    let (request, _) = it.open(&cookie).await;
    it.store.set_down(true);
    assert_eq!(sent(&request).await, None);
    it.store.set_down(false);
    assert!(it.stored(&cookie).await.is_some());
}

#[tokio::test]
async fn what_does_not_decode_counts_as_absent_and_is_not_overwritten() {
    let it = Fixture::new();
    let cookie = it.signed_in(&["precious"]).await;
    it.store.set_garbled(true);
    let (request, session) = it.open(&cookie).await;
    assert!(session.data().is_none() && session.id().is_none());
    assert!(it.events().contains(&"Undecodable".to_owned()));
    session.save(cart(&["new"])).await.unwrap();
    let fresh = sent(&request).await.unwrap();
    assert_ne!(fresh, cookie);

    it.store.set_garbled(false);
    assert_eq!(it.stored(&cookie).await, Some(cart(&["precious"])));
    assert_eq!(it.stored(&fresh).await, Some(cart(&["new"])));
}

#[tokio::test]
async fn signing_in_or_out_ends_what_does_not_decode() {
    let it = Fixture::new();
    for logout in [false, true] {
        let cookie = it.signed_in(&["x"]).await;
        it.store.set_garbled(true);
        let (_, session) = it.open(&cookie).await;
        if logout {
            session.logout().await.unwrap();
        } else {
            session.resave(cart(&["ada"])).await.unwrap();
        }
        it.store.set_garbled(false);
        assert_eq!(it.stored(&cookie).await, None);
    }
}

#[tokio::test]
async fn undecodable_can_be_an_error() {
    let it = Fixture::with(|builder| builder.undecodable_is_an_error(true));
    let cookie = it.signed_in(&["x"]).await;
    it.store.set_garbled(true);
    let error = it.request(&cookie).load().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::Undecodable, 500)
    );
}

#[tokio::test]
async fn nothing_printed_shows_an_id_or_data() {
    let it = Fixture::new();
    let cookie = it.signed_in(&["precious"]).await;
    let value = cookie.split_once('=').unwrap().1;
    let (request, session) = it.open(&cookie).await;
    session.rotate().await.unwrap();
    let effect = request.respond();
    let printed = format!(
        "{:?} {request:?} {session:?} {:?} {:?} {effect:?} {:?}",
        it.sessions,
        session.id(),
        session.record(),
        it.sessions.all().await.unwrap(),
    );
    let new = effect
        .set_cookie()
        .unwrap()
        .split(['=', ';'])
        .nth(1)
        .unwrap();
    for secret in [value, new] {
        let (id, tag) = secret.split_once('.').unwrap();
        assert!(!printed.contains(&id[..12]) && !printed.contains(&tag[..12]));
    }
    assert!(!printed.contains("precious"));
}

/// As after a release that stores other data, and is rolled back.
#[tokio::test]
async fn what_does_not_decode_under_a_renewed_id_is_ended_by_signing_in_or_out() {
    for verb in ["lazy", "logout", "destroy", "resave"] {
        let it = renewing();
        let (old, new) = renewed(&it).await;
        it.store.set_garbled(true);
        let request = it.request(&old);
        assert_eq!(request.data().await.unwrap(), None);
        let session = request.load().await.unwrap();
        match verb {
            "lazy" => it.request(&old).logout().await.unwrap(),
            "logout" => session.logout().await.unwrap(),
            "destroy" => session.destroy().await.unwrap(),
            _ => session.resave(cart(&["bob"])).await.unwrap(),
        }
        it.store.set_garbled(false);
        assert_eq!(it.stored(&new).await, None, "{verb}");
    }
}
