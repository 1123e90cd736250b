use super::fixture::{Fixture, cart, sent};

fn fixture() -> Fixture {
    Fixture::with(|builder| builder.save_uninitialized(true))
}

#[tokio::test]
async fn a_pre_session_is_an_id_with_nothing_stored() {
    let it = fixture();
    let (request, session) = it.open("").await;
    let id = session.id().unwrap();
    assert_eq!(session.data(), None);
    let token = session.csrf_token().unwrap().unwrap();
    let cookie = sent(&request).await.unwrap();
    assert!(it.store.calls().is_empty());

    let (request, session) = it.open(&cookie).await;
    assert_eq!(session.id(), Some(id));
    assert!(session.verify_csrf_token(token.as_str()));
    assert_eq!(sent(&request).await, None, "it is kept");
    assert_eq!(it.sessions.count().await.unwrap(), 0);
}

#[tokio::test]
async fn the_first_save_mints_another_id() {
    let it = fixture();
    let (request, _) = it.open("").await;
    let pre = sent(&request).await.unwrap();

    let (request, session) = it.open(&pre).await;
    let before = session.id();
    let token = session.csrf_token().unwrap().unwrap();
    session.save(cart(&["x"])).await.unwrap();
    assert_ne!(session.id(), before);
    assert!(!session.verify_csrf_token(token.as_str()));
    let cookie = sent(&request).await.unwrap();
    assert_ne!(cookie, pre);
    assert_eq!(it.stored(&pre).await, None);
    assert_eq!(it.stored(&cookie).await, Some(cart(&["x"])));
}

#[tokio::test]
async fn only_a_request_that_asks_gets_one() {
    let it = fixture();
    let request = it.request("");
    assert_eq!(sent(&request).await, None);
}

#[tokio::test]
async fn a_dead_id_serves_on_and_sends_no_cookie() {
    let it = fixture();
    let cookie = it.signed_in(&["x"]).await;
    it.request(&cookie).destroy().await.unwrap();
    let (request, session) = it.open(&cookie).await;
    assert!(session.id().is_some() && session.data().is_none());
    assert_eq!(
        sent(&request).await,
        None,
        "it could overwrite that of a login just happening"
    );
}

#[tokio::test]
async fn invalid_cookies_get_one_and_ambiguous_ones_do_not() {
    let it = fixture();
    let (request, _) = it.open("__Host-sid=forged").await;
    assert!(sent(&request).await.is_some());

    let (a, b) = (it.signed_in(&["a"]).await, it.signed_in(&["b"]).await);
    let (request, session) = it.open(&format!("{a}; {b}")).await;
    assert!(session.id().is_none());
    assert_eq!(sent(&request).await, None);
    assert!(it.events().contains(&"AmbiguousCookies".to_owned()));
}

#[tokio::test]
async fn without_the_option_there_is_none() {
    let it = Fixture::new();
    let (request, session) = it.open("").await;
    assert_eq!(session.id(), None);
    assert_eq!(sent(&request).await, None);
}

#[tokio::test]
async fn more_cookies_than_are_looked_through_replace_nothing_and_still_sign_out() {
    let it = fixture();
    let cookie = it.signed_in(&["x"]).await;
    // Anybody who can plant cookies, on a neighbouring subdomain for instance, can have a browser send this.
    let flood = format!("{cookie}; {}", "p=1; ".repeat(4_000));
    let (request, session) = it.open(&flood).await;
    assert!(session.id().is_none());
    assert_eq!(sent(&request).await, None, "the session's cookie stays");
    assert!(it.events().contains(&"AmbiguousCookies".to_owned()));

    let request = it.request(&flood);
    request.logout().await.unwrap();
    assert_eq!(sent(&request).await.as_deref(), Some("__Host-sid="));
}
