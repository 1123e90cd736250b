//! CSRF tokens, and ids that are renewed while forms are open.

use super::fixture::{Fixture, sent};
use super::renewal::renewing;

/// Whether a form is good that a browser with that cookie opens and sends back a moment later.
async fn a_form_is_good(it: &Fixture, cookie: &mut String) -> bool {
    let (request, session) = it.open(cookie).await;
    let token = session.csrf_token().unwrap().unwrap();
    if let Some(renewed) = sent(&request).await {
        *cookie = renewed;
    }
    it.advance(1);
    let (_, session) = it.open(cookie).await;
    session.verify_csrf_token(token.as_str())
}

#[tokio::test]
async fn the_form_of_the_response_that_renews_the_id_is_good() {
    let it = renewing();
    let first = it.signed_in(&["ada"]).await;
    let mut cookie = first.clone();
    assert!(a_form_is_good(&it, &mut cookie).await);
    it.advance(600);
    assert!(a_form_is_good(&it, &mut cookie).await);
    assert_ne!(cookie, first, "it was renewed");
}

#[tokio::test]
async fn so_it_is_if_the_store_does_not_renew_it() {
    let it = renewing();
    let mut cookie = it.signed_in(&["ada"]).await;
    it.advance(600);
    it.store.set_failing(Some("renew"));
    let before = cookie.clone();
    assert!(a_form_is_good(&it, &mut cookie).await);
    assert_eq!(cookie, before);
}

#[tokio::test]
async fn so_it_is_if_renewing_becomes_due_while_the_form_is_made() {
    let it = renewing();
    let cookie = it.signed_in(&["ada"]).await;
    it.advance(599);
    let (request, session) = it.open(&cookie).await;
    let token = session.csrf_token().unwrap().unwrap();
    it.advance(1);
    assert_eq!(sent(&request).await, None, "not with this response");
    let (request, session) = it.open(&cookie).await;
    assert!(session.verify_csrf_token(token.as_str()));
    assert!(sent(&request).await.is_some());
}

/// Two requests at once: the browser has the new id of one of them when it sends the form of the other.
#[tokio::test]
async fn so_are_forms_of_requests_in_flight_while_another_renews() {
    let it = renewing();
    let cookie = it.signed_in(&["ada"]).await;
    it.advance(600);
    let (first, _) = it.open(&cookie).await;
    let new = sent(&first).await.unwrap();
    for confirmed in [false, true] {
        let (request, session) = it.open(&cookie).await;
        let token = session.csrf_token().unwrap().unwrap();
        let again = sent(&request).await;
        assert_eq!(again.is_none(), confirmed);
        it.advance(1);
        let (request, session) = it.open(&new).await;
        assert!(session.verify_csrf_token(token.as_str()));
        let _ = request.finish().await;
    }
}

#[tokio::test]
async fn no_form_of_another_session_is_good() {
    let it = renewing();
    let (ada, eve) = (it.signed_in(&["ada"]).await, it.signed_in(&["eve"]).await);
    it.advance(600);
    let (_request, session) = it.open(&eve).await;
    let token = session.csrf_token().unwrap().unwrap();
    let (_, session) = it.open(&ada).await;
    assert!(!session.verify_csrf_token(token.as_str()));
}
