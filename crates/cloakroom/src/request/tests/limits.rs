use super::fixture::{Fixture, cart, sent};
use crate::{ErrorKind, WhenReached};

fn at_most_two(when_reached: WhenReached) -> Fixture {
    Fixture::with(|builder| {
        builder
            .owned_by(|cart: &Vec<String>| cart.first().cloned())
            .max_sessions_per_owner(2.try_into().unwrap(), when_reached)
    })
}

#[tokio::test]
async fn one_session_too_many_ends_the_oldest() {
    let it = at_most_two(WhenReached::EndOldest);
    let mut cookies = Vec::new();
    for _ in 0..3 {
        cookies.push(it.signed_in(&["ada"]).await);
        it.advance(1);
    }
    let bobs = it.signed_in(&["bob"]).await;
    assert_eq!(it.stored(&cookies[0]).await, None);
    for cookie in [&cookies[1], &cookies[2], &bobs] {
        assert!(it.stored(cookie).await.is_some());
    }
    let events = it.events();
    assert_eq!(events.iter().filter(|name| *name == "Evicted").count(), 1);
}

#[tokio::test]
async fn or_it_is_refused_and_nothing_happened() {
    let it = at_most_two(WhenReached::Refuse);
    let cookies = [it.signed_in(&["ada"]).await, it.signed_in(&["ada"]).await];
    let request = it.request("");
    let error = request.resave(cart(&["ada"])).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.status(), error.reason()),
        (ErrorKind::TooManySessions, 403, Some("too_many_sessions"))
    );
    assert_eq!(sent(&request).await, None);
    assert!(it.events().contains(&"TooManySessions".to_owned()));
    for cookie in &cookies {
        assert!(it.stored(cookie).await.is_some());
    }

    // Signing in anew over one's own session takes its place.
    let request = it.request(&cookies[0]);
    request.resave(cart(&["ada"])).await.unwrap();
    assert!(sent(&request).await.is_some());
    // And whoever signs out makes room.
    it.request(&cookies[1]).logout().await.unwrap();
    it.signed_in(&["ada"]).await;
}

#[tokio::test]
async fn without_an_owner_nothing_is_limited_and_nothing_costs_more() {
    let it = at_most_two(WhenReached::Refuse);
    it.store.calls();
    for _ in 0..5 {
        it.signed_in(&[]).await;
    }
    assert_eq!(it.store.calls(), ["set"; 5]);
    it.signed_in(&["ada"]).await;
    assert_eq!(it.store.calls(), ["admit"]);
}
