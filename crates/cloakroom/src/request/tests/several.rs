//! Requests that bring several ids with good signatures.

use super::fixture::{Fixture, cart, sent};
use super::renewal::{renewed, renewing};
use crate::SessionsBuilder;

type Configure = fn(SessionsBuilder<Vec<String>>) -> SessionsBuilder<Vec<String>>;

/// A cookie with a good signature under which nothing lives.
async fn dead(it: &Fixture) -> String {
    let cookie = it.signed_in(&["dead"]).await;
    it.request(&cookie).destroy().await.unwrap();
    cookie
}

#[tokio::test]
async fn the_one_that_lives_is_the_session() {
    let it = Fixture::new();
    let (live, first, second) = (
        it.signed_in(&["ada"]).await,
        dead(&it).await,
        dead(&it).await,
    );
    for field in [
        format!("{live}; {first}"),
        format!("{first}; {live}"),
        format!("{first}; {live}; {second}; {live}"),
    ] {
        it.events();
        let (request, session) = it.open(&field).await;
        assert_eq!(session.data().as_deref(), Some(&cart(&["ada"])), "{field}");
        session.update(|cart| cart.truncate(1)).await.unwrap();
        assert_eq!(sent(&request).await, None);
        assert!(!it.events().contains(&"AmbiguousCookies".to_owned()));
    }
}

/// A browser keeps a cookie that was set for another domain or path: it comes with every request, whatever is set now.
#[tokio::test]
async fn who_brings_an_old_cookie_for_ever_can_sign_in_and_out() {
    for configure in [(|it| it) as Configure, |it| it.save_uninitialized(true)] {
        let it = Fixture::with(configure);
        let old = it.signed_in(&["ada"]).await;
        let mut own = it.signed_in(&["ada"]).await;
        for lazy in [true, false] {
            // Two live ones, from two releases.
            let request = it.request(&format!("{old}; {own}"));
            if !lazy {
                assert_eq!(request.data().await.unwrap(), None);
            }
            request.resave(cart(&["bob"])).await.unwrap();
            let new = sent(&request).await.unwrap();
            assert_eq!(it.stored(&own).await, None);
            let both = format!("{old}; {new}");
            assert_eq!(it.stored(&both).await, Some(cart(&["bob"])));
            let request = it.request(&both);
            request.logout().await.unwrap();
            assert_eq!(sent(&request).await.as_deref(), Some("__Host-sid="));
            assert_eq!(it.stored(&both).await, None);
            own = new;
        }
    }
}

#[tokio::test]
async fn trouble_with_one_of_them_is_no_answer() {
    let it = Fixture::new();
    let both = format!("{}; {}", it.signed_in(&["ada"]).await, dead(&it).await);
    it.store.set_down(true);
    assert!(it.request(&both).load().await.is_err());
    it.store.set_down(false);
    assert_eq!(it.stored(&both).await, Some(cart(&["ada"])));
    // What does not decode is there all the same.
    let two = format!(
        "{}; {}",
        it.signed_in(&["a"]).await,
        it.signed_in(&["b"]).await
    );
    it.store.set_garbled(true);
    assert_eq!(it.stored(&two).await, None);
    assert!(it.events().contains(&"AmbiguousCookies".to_owned()));
}

#[tokio::test]
async fn visitors_with_dead_ones_get_a_pre_session_that_does_not_depend_on_their_order() {
    let it = Fixture::with(|builder| builder.save_uninitialized(true));
    let (first, second) = (dead(&it).await, dead(&it).await);
    let (request, session) = it.open(&format!("{first}; {second}")).await;
    let token = session.csrf_token().unwrap().expect("it has an id");
    assert_eq!(sent(&request).await, None);
    let (_, session) = it.open(&format!("{second}; {first}")).await;
    assert!(session.verify_csrf_token(token.as_str()));
}

#[tokio::test]
async fn an_earlier_id_of_the_same_session_is_no_other_session() {
    let it = renewing();
    let (old, new) = renewed(&it).await;
    let dead = dead(&it).await;
    // In flight, beside a dead one.
    assert_eq!(
        it.stored(&format!("{dead}; {old}")).await,
        Some(cart(&["ada"]))
    );
    for seconds in [0, 3_600] {
        it.advance(seconds);
        let stored = it.stored(&format!("{old}; {new}")).await;
        assert_eq!(stored, Some(cart(&["ada"])), "after {seconds}");
    }
    assert!(!it.events().contains(&"ReuseDetected".to_owned()));
}

/// The first id lies there for another path; the session was renewed twice since. These requests are under way while that
/// happens, or their response was lost.
#[tokio::test]
async fn an_id_given_up_long_ago_is_no_copys_beside_one_in_grace() {
    for newest_first in [false, true] {
        let it = renewing();
        let (first, second) = renewed(&it).await;
        let (request, _) = it.open(&second).await;
        assert_eq!(sent(&request).await, None, "it is used");
        it.advance(600);
        let both = match newest_first {
            true => format!("{second}; {first}"),
            false => format!("{first}; {second}"),
        };
        let (request, session) = it.open(&second).await;
        let third = sent(&request).await.expect("it was due");
        assert!(session.is_new());
        let (request, session) = it.open(&both).await;
        assert_eq!(session.data().as_deref(), Some(&cart(&["ada"])));
        assert_eq!(sent(&request).await, Some(third.clone()), "again");
        assert_eq!(
            it.stored(&format!("{first}; {third}")).await,
            Some(cart(&["ada"]))
        );
        assert!(!it.events().contains(&"ReuseDetected".to_owned()));
        // Alone it is.
        it.advance(31);
        assert_eq!(it.stored(&first).await, None);
        assert!(it.events().contains(&"ReuseDetected".to_owned()));
        assert_eq!(it.stored(&third).await, None);
    }
}

/// Somebody plants a session of their own while the user's is being renewed, to be taken for it.
#[tokio::test]
async fn a_planted_session_is_not_taken_for_one_in_grace_and_ends_with_it() {
    for planted_first in [true, false] {
        let it = renewing();
        let (old, new) = renewed(&it).await;
        let planted = it.signed_in(&["eve"]).await;
        let both = match planted_first {
            true => format!("{planted}; {old}"),
            false => format!("{old}; {planted}"),
        };
        let (request, session) = it.open(&both).await;
        assert_eq!(session.data(), None);
        assert!(it.events().contains(&"AmbiguousCookies".to_owned()));
        session.logout().await.unwrap();
        assert_eq!(sent(&request).await.as_deref(), Some("__Host-sid="));
        assert_eq!(it.stored(&new).await, None);
        assert_eq!(it.stored(&planted).await, None);
    }
}
