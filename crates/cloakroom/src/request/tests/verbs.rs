use super::fixture::{Fixture, cart, kind, sent, set_cookie};
use crate::{ClientInfo, ErrorKind};

#[tokio::test]
async fn save_begins_a_session_and_the_cookie_brings_it_back() {
    let it = Fixture::new();
    let (request, session) = it.open("").await;
    assert_eq!(session.data(), None);
    assert!(session.id().is_none() && !session.is_new());

    session.save(cart(&["tea"])).await.unwrap();
    assert!(session.is_new());
    let cookie = sent(&request).await.unwrap();
    assert_eq!(it.stored(&cookie).await, Some(cart(&["tea"])));

    let (request, session) = it.open(&cookie).await;
    assert!(!session.is_new());
    session.save(cart(&["tea", "milk"])).await.unwrap();
    assert_eq!(sent(&request).await, None, "the id did not change");
    assert_eq!(it.stored(&cookie).await, Some(cart(&["tea", "milk"])));
}

#[tokio::test]
async fn save_refuses_when_another_request_was_faster() {
    let it = Fixture::new();
    let cookie = it.signed_in(&[]).await;
    let (_, slow) = it.open(&cookie).await;
    let (_, fast) = it.open(&cookie).await;
    fast.save(cart(&["fast"])).await.unwrap();

    assert_eq!(kind(slow.save(cart(&["slow"])).await), ErrorKind::Conflict);
    assert_eq!(it.stored(&cookie).await, Some(cart(&["fast"])));

    slow.reload().await.unwrap();
    slow.save(cart(&["slow"])).await.unwrap();
    assert_eq!(it.stored(&cookie).await, Some(cart(&["slow"])));
}

#[tokio::test]
async fn overwrite_lets_the_last_one_win() {
    let it = Fixture::new();
    let cookie = it.signed_in(&[]).await;
    let (_, slow) = it.open(&cookie).await;
    let (_, fast) = it.open(&cookie).await;
    fast.save(cart(&["fast"])).await.unwrap();
    slow.overwrite(cart(&["slow"])).await.unwrap();
    assert_eq!(it.stored(&cookie).await, Some(cart(&["slow"])));
    // And knows the version that it wrote.
    slow.save(cart(&["again"])).await.unwrap();
}

#[tokio::test]
async fn update_runs_again_on_newer_data() {
    let it = Fixture::new();
    let cookie = it.signed_in(&[]).await;
    let (_, slow) = it.open(&cookie).await;
    let (_, fast) = it.open(&cookie).await;
    fast.update(|cart| cart.push("fast".into())).await.unwrap();

    let mut runs = 0;
    let count = slow
        .update(|cart| {
            runs += 1;
            cart.push("slow".into());
            cart.len()
        })
        .await
        .unwrap();
    assert_eq!((count, runs), (2, 2));
    assert_eq!(it.stored(&cookie).await, Some(cart(&["fast", "slow"])));
    assert_eq!(
        it.events()
            .iter()
            .filter(|event| *event == "Conflict")
            .count(),
        1
    );
}

#[tokio::test]
async fn try_update_decides_and_stores_nothing_when_it_decides_against() {
    let it = Fixture::new();
    let cookie = it.signed_in(&["one"]).await;
    let (_, session) = it.open(&cookie).await;
    it.store.calls();
    let refused: Result<(), &str> = session
        .try_update(|cart| {
            cart.clear();
            Err("no")
        })
        .await
        .unwrap();
    assert_eq!(refused, Err("no"));
    assert!(it.store.calls().is_empty());
    assert_eq!(it.stored(&cookie).await, Some(cart(&["one"])));
}

#[tokio::test]
async fn update_async_waits_between_reading_and_writing() {
    let it = Fixture::new();
    let cookie = it.signed_in(&["one"]).await;
    let (_, session) = it.open(&cookie).await;
    session
        .update_async(|mut cart| async move {
            tokio::task::yield_now().await;
            cart.push("two".into());
            cart
        })
        .await
        .unwrap();
    assert_eq!(it.stored(&cookie).await, Some(cart(&["one", "two"])));
}

#[tokio::test]
async fn update_or_default_begins_a_session() {
    let it = Fixture::new();
    let (request, session) = it.open("").await;
    assert_eq!(kind(session.update(|_| ()).await), ErrorKind::NoSession);
    let push = |cart: &mut Vec<String>| {
        cart.push("x".into());
        cart.len()
    };
    assert_eq!(session.update_or_default(push).await.unwrap(), 1);
    assert_eq!(session.update_or_default(push).await.unwrap(), 2);
    let cookie = sent(&request).await.unwrap();
    assert_eq!(it.stored(&cookie).await, Some(cart(&["x", "x"])));
}

#[tokio::test]
async fn resave_gives_a_fresh_id_and_ends_the_old_session() {
    let it = Fixture::new();
    let anonymous = {
        let (request, session) = it.open("").await;
        session.save(cart(&["planted"])).await.unwrap();
        assert_eq!(session.authenticated_at(), None);
        sent(&request).await.unwrap()
    };
    let (request, session) = it.open(&anonymous).await;
    let before = session.handle();
    session.resave(cart(&["ada"])).await.unwrap();
    assert_ne!(session.handle(), before);
    assert!(session.authenticated_at().is_some());

    let cookie = sent(&request).await.unwrap();
    assert_ne!(cookie, anonymous);
    assert_eq!(it.stored(&anonymous).await, None);
    assert_eq!(it.stored(&cookie).await, Some(cart(&["ada"])));
    assert_eq!(it.sessions.count().await.unwrap(), 1);
}

#[tokio::test]
async fn rotate_gives_a_fresh_id_for_the_data_as_it_is_now() {
    let it = Fixture::new();
    let old = it.signed_in(&[]).await;
    let (request, session) = it.open(&old).await;
    let (_, other) = it.open(&old).await;
    other.save(cart(&["other"])).await.unwrap();

    session.rotate().await.unwrap();
    assert_eq!(session.data().as_deref(), Some(&cart(&["other"])));
    let cookie = sent(&request).await.unwrap();
    assert_eq!(it.stored(&old).await, None);
    assert_eq!(it.stored(&cookie).await, Some(cart(&["other"])));

    let (_, nobody) = it.open("").await;
    assert_eq!(kind(nobody.rotate().await), ErrorKind::NoSession);
}

#[tokio::test]
async fn destroy_keeps_the_cookie_and_logout_removes_it() {
    let it = Fixture::new();
    for logout in [false, true] {
        let cookie = it.signed_in(&["x"]).await;
        let (request, session) = it.open(&cookie).await;
        if logout {
            session.logout().await.unwrap();
        } else {
            session.destroy().await.unwrap();
        }
        assert_eq!(session.data(), None);
        let sent = set_cookie(&request).await;
        assert_eq!(sent.is_some(), logout);
        assert!(sent.is_none_or(|cookie| cookie.starts_with("__Host-sid=; Max-Age=0")));
        assert_eq!(it.stored(&cookie).await, None);
    }
}

#[tokio::test]
async fn after_ending_its_session_a_request_may_begin_another() {
    let it = Fixture::new();
    for logout in [false, true] {
        let old = it.signed_in(&["old"]).await;
        let (request, session) = it.open(&old).await;
        if logout {
            session.logout().await.unwrap();
        } else {
            session.destroy().await.unwrap();
        }
        session.save(cart(&["new"])).await.unwrap();
        let cookie = sent(&request).await.unwrap();
        assert_ne!(cookie, old);
        assert_eq!(it.stored(&old).await, None);
        assert_eq!(it.stored(&cookie).await, Some(cart(&["new"])));
    }
}

#[tokio::test]
async fn logout_without_a_cookie_sends_none() {
    let it = Fixture::new();
    let request = it.request("");
    request.logout().await.unwrap();
    assert_eq!(sent(&request).await, None);

    // Signed in and out within one request: the browser has never heard of it.
    let request = it.request("");
    request.resave(cart(&[])).await.unwrap();
    request.logout().await.unwrap();
    assert_eq!(sent(&request).await, None);
    assert_eq!(it.sessions.count().await.unwrap(), 0);
}

#[tokio::test]
async fn verbs_of_one_request_at_once_take_turns() {
    let it = Fixture::new();
    let cookie = it.signed_in(&[]).await;
    let (_, session) = it.open(&cookie).await;
    let same = session.clone();
    let (first, second) = tokio::join!(
        session.update(|cart| cart.push("a".into())),
        same.update(|cart| cart.push("b".into())),
    );
    first.unwrap();
    second.unwrap();
    assert_eq!(it.stored(&cookie).await.unwrap().len(), 2);
    assert!(!it.events().contains(&"Conflict".to_owned()));
}

#[tokio::test]
async fn an_id_is_not_minted_after_the_response_started() {
    let it = Fixture::new();
    let cookie = it.signed_in(&["old"]).await;
    let (request, session) = it.open(&cookie).await;
    let _ = request.finish().await;
    it.store.calls();
    for result in [session.rotate().await, session.resave(cart(&["new"])).await] {
        assert_eq!(kind(result), ErrorKind::ResponseStarted);
    }
    assert!(it.store.calls().is_empty());
    session.save(cart(&["later"])).await.unwrap();
    assert_eq!(it.stored(&cookie).await, Some(cart(&["later"])));

    let (request, session) = it.open("").await;
    let _ = request.finish().await;
    assert_eq!(
        kind(session.save(cart(&[])).await),
        ErrorKind::ResponseStarted
    );
}

#[tokio::test]
async fn a_csrf_token_belongs_to_one_session_and_dies_with_its_id() {
    let it = Fixture::new();
    let cookie = it.signed_in(&[]).await;
    let (_, session) = it.open(&cookie).await;
    let (_, same) = it.open(&cookie).await;
    let (_, other) = it.open(&it.signed_in(&[]).await).await;
    let (_, nobody) = it.open("").await;
    let token = session.csrf_token().unwrap().unwrap();
    assert!(session.verify_csrf_token(token.as_str()));
    assert!(same.verify_csrf_token(token.as_str()));
    assert!(!other.verify_csrf_token(token.as_str()));
    assert!(!nobody.verify_csrf_token(token.as_str()));
    assert!(nobody.csrf_token().unwrap().is_none());
    session.rotate().await.unwrap();
    assert!(!session.verify_csrf_token(token.as_str()));
}

#[tokio::test]
async fn owners_follow_the_data() {
    let it = Fixture::with(|builder| builder.owned_by(|cart: &Vec<String>| cart.first().cloned()));
    let cookie = it.signed_in(&["ada"]).await;
    it.signed_in(&["ada"]).await;
    it.signed_in(&["bob"]).await;
    let (_, session) = it.open(&cookie).await;
    let ada = session.owner().unwrap();
    assert_eq!(ada.as_str(), "ada");
    assert_eq!(it.sessions.list_by_owner(&ada).await.unwrap().len(), 2);

    let bob = crate::Owner::new("bob").unwrap();
    let handle = session.handle().unwrap();
    assert!(!it.sessions.destroy_by_handle(&bob, handle).await.unwrap());
    assert!(it.sessions.destroy_by_handle(&ada, handle).await.unwrap());
    assert_eq!(it.stored(&cookie).await, None);
    assert_eq!(it.sessions.destroy_by_owner(&ada).await.unwrap(), 1);
    assert_eq!(it.sessions.count().await.unwrap(), 1);
}

#[tokio::test]
async fn signing_out_or_in_with_two_valid_cookies_ends_both() {
    let it = Fixture::new();
    for logout in [true, false] {
        let (a, b) = (it.signed_in(&["a"]).await, it.signed_in(&["b"]).await);
        let (_request, session) = it.open(&format!("{a}; {b}")).await;
        if logout {
            session.logout().await.unwrap();
        } else {
            session.resave(Vec::new()).await.unwrap();
        }
        for cookie in [a, b] {
            let (_request, session) = it.open(&cookie).await;
            assert!(session.data().is_none());
        }
    }
}

#[tokio::test]
async fn one_of_several_devices_ends_the_others() {
    let it = Fixture::with(|builder| builder.owned_by(|cart: &Vec<String>| cart.first().cloned()));
    let cookies = [
        it.signed_in(&["ada"]).await,
        it.signed_in(&["ada"]).await,
        it.signed_in(&["bob"]).await,
    ];
    let request = it.request("");
    let browser = ClientInfo::new(Some("Browser 1"), None);
    request
        .resave(cart(&["ada"]))
        .client(browser.clone())
        .await
        .unwrap();
    let mine = sent(&request).await.unwrap();

    let (_, session) = it.open(&cookies[0]).await;
    let others = session.others().await.unwrap();
    assert_eq!(others.len(), 2);
    assert!(
        others
            .iter()
            .all(|other| Some(other.handle()) != session.handle())
    );
    let clients: Vec<_> = others.iter().filter_map(|other| other.client()).collect();
    assert_eq!(clients, [&browser]);

    assert_eq!(session.destroy_others().await.unwrap(), 2);
    assert_eq!(it.stored(&mine).await, None);
    assert_eq!(it.stored(&cookies[1]).await, None);
    assert_eq!(it.stored(&cookies[0]).await, Some(cart(&["ada"])));
    assert_eq!(it.stored(&cookies[2]).await, Some(cart(&["bob"])));

    let (_, nobody) = it.open("").await;
    assert_eq!(kind(nobody.others().await.map(drop)), ErrorKind::NoSession);
    assert_eq!(
        kind(nobody.destroy_others().await.map(drop)),
        ErrorKind::NoSession
    );
}

#[tokio::test]
async fn a_sign_in_that_comes_too_late_ends_nothing_either() {
    let it = Fixture::new();
    let (a, b) = (it.signed_in(&["a"]).await, it.signed_in(&["b"]).await);
    let request = it.request(&format!("{a}; {b}"));
    request.load().await.unwrap();
    let _ = request.finish().await;
    let late = request.resave(cart(&["late"])).await;
    assert_eq!(kind(late), ErrorKind::ResponseStarted);
    assert!(it.stored(&a).await.is_some() && it.stored(&b).await.is_some());
}
