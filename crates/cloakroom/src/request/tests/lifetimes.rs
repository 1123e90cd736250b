use std::time::Duration;

use cloakroom_store::{Clock, Timestamp};

use super::fixture::{Fixture, cart, set_cookie};
use crate::{MemoryStore, Secret, Sessions};

#[tokio::test]
async fn a_session_ends_at_the_second() {
    let it = Fixture::with(|builder| builder.max_age(Duration::from_secs(100)));
    let cookie = it.signed_in(&["x"]).await;
    it.advance(99);
    assert!(it.stored(&cookie).await.is_some());
    it.advance(1);
    assert_eq!(it.stored(&cookie).await, None);
}

#[tokio::test]
async fn saving_does_not_move_the_absolute_end() {
    let it = Fixture::with(|builder| builder.max_age(Duration::from_secs(100)));
    let cookie = it.signed_in(&["x"]).await;
    for _ in 0..9 {
        it.advance(10);
        let (_, session) = it.open(&cookie).await;
        session.save(cart(&["y"])).await.unwrap();
    }
    it.advance(10);
    assert_eq!(it.stored(&cookie).await, None);
}

#[tokio::test]
async fn rotating_does_not_move_the_absolute_end() {
    let it = Fixture::with(|builder| builder.max_age(Duration::from_secs(100)));
    let cookie = it.signed_in(&["x"]).await;
    it.advance(60);
    let (request, session) = it.open(&cookie).await;
    session.rotate().await.unwrap();
    let sent = set_cookie(&request).await.unwrap();
    assert!(sent.contains("; Max-Age=40;"), "{sent}");
}

#[tokio::test]
async fn an_unused_session_ends_and_a_used_one_does_not() {
    let it = Fixture::with(|builder| {
        builder
            .idle_timeout(Duration::from_secs(600))
            .max_age(Duration::ZERO)
    });
    let (used, unused) = (it.signed_in(&["x"]).await, it.signed_in(&["x"]).await);
    for _ in 0..20 {
        it.advance(300);
        let (request, session) = it.open(&used).await;
        assert!(session.data().is_some());
        let _ = request.finish().await;
    }
    assert_eq!(it.stored(&unused).await, None);
    it.advance(600);
    assert_eq!(it.stored(&used).await, None);
}

#[tokio::test]
async fn one_session_may_last_longer_or_shorter_than_the_others() {
    let it = Fixture::new();
    let request = it.request("");
    let remembered = request
        .resave(cart(&[]))
        .max_age(Duration::from_secs(90 * 86_400));
    remembered.await.unwrap();
    assert!(
        set_cookie(&request)
            .await
            .unwrap()
            .contains("; Max-Age=7776000;")
    );

    let request = it.request("");
    let brief = request.resave(cart(&["x"])).browser_session();
    brief.idle_timeout(Duration::from_secs(60)).await.unwrap();
    let sent = set_cookie(&request).await.unwrap();
    assert!(
        !sent.contains("Max-Age") && !sent.contains("Expires"),
        "{sent}"
    );
    let cookie = sent.split(';').next().unwrap().to_owned();

    // A rotation keeps it a cookie of the browser's session.
    it.advance(59);
    let (request, session) = it.open(&cookie).await;
    session.rotate().await.unwrap();
    let sent = set_cookie(&request).await.unwrap();
    assert!(!sent.contains("Max-Age"), "{sent}");
    let cookie = sent.split(';').next().unwrap().to_owned();
    it.advance(60);
    assert_eq!(it.stored(&cookie).await, None);
}

#[tokio::test]
async fn all_cookies_go_with_the_browser_if_so_configured_but_the_one_that_is_to_stay() {
    let it = Fixture::with(|builder| builder.browser_session(true).save_uninitialized(true));
    let visitor = it.request("");
    visitor.load().await.unwrap();
    assert!(!set_cookie(&visitor).await.unwrap().contains("Max-Age"));
    let saving = it.request("");
    let session = saving.load().await.unwrap();
    session.save(cart(&["x"])).await.unwrap();
    assert!(!set_cookie(&saving).await.unwrap().contains("Max-Age"));
    // The limit on the server is as ever.
    assert!(session.expires_at().is_some());

    let remembered = it.request("");
    remembered.resave(cart(&["x"])).persistent().await.unwrap();
    let sent = set_cookie(&remembered).await.unwrap();
    assert!(sent.contains("; Max-Age=2592000;"), "{sent}");
}

#[tokio::test]
async fn without_a_limit_the_cookie_lasts_as_long_as_browsers_keep_one() {
    let it = Fixture::with(|builder| builder.max_age(Duration::ZERO));
    let request = it.request("");
    request.resave(cart(&[])).await.unwrap();
    assert!(
        set_cookie(&request)
            .await
            .unwrap()
            .contains("; Max-Age=34560000;")
    );
}

#[tokio::test]
async fn the_default_is_thirty_days() {
    let it = Fixture::new();
    let request = it.request("");
    request.resave(cart(&[])).await.unwrap();
    assert!(
        set_cookie(&request)
            .await
            .unwrap()
            .contains("; Max-Age=2592000;")
    );
}

#[tokio::test]
async fn a_clock_that_steps_back_ends_nothing() {
    let it = Fixture::with(|builder| builder.idle_timeout(Duration::from_secs(600)));
    let cookie = it.signed_in(&["x"]).await;
    it.clock
        .set(it.clock_now().minus(Duration::from_secs(86_400)));
    let (request, session) = it.open(&cookie).await;
    session.save(cart(&["y"])).await.unwrap();
    let _ = request.finish().await;
    assert_eq!(it.stored(&cookie).await, Some(cart(&["y"])));
}

#[tokio::test]
async fn a_save_right_after_a_rotation_counts_from_that_moment() {
    let it = Fixture::with(|builder| builder.idle_timeout(Duration::from_secs(600)));
    let cookie = it.signed_in(&["x"]).await;
    it.advance(1);
    let (request, session) = it.open(&cookie).await;
    session.rotate().await.unwrap();
    session.save(cart(&["y"])).await.unwrap();
    let cookie = set_cookie(&request).await.unwrap();
    let cookie = cookie.split(';').next().unwrap();
    it.advance(600);
    assert_eq!(it.stored(cookie).await, None);
}

#[tokio::test]
async fn what_is_written_down_is_the_exact_time() {
    /// Its timer ticks seldom.
    #[derive(Debug)]
    struct Slow;

    impl Clock for Slow {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(1_009)
        }

        fn lately(&self) -> Timestamp {
            Timestamp::from_millis(1_000)
        }
    }

    let store = MemoryStore::builder().clock(Slow).build();
    let secret = Secret::generate().unwrap();
    let sessions: Sessions<u8> = Sessions::builder(store, secret)
        .clock(Slow)
        .build()
        .unwrap();
    let request = sessions.for_request([""]);
    request.resave(1).await.unwrap();
    let session = request.load().await.unwrap();
    session.save(2).await.unwrap();
    let record = sessions.get(&session.id().unwrap()).await.unwrap().unwrap();
    // Which of an owner's sessions is the oldest depends on it.
    assert_eq!(record.times.created_at, Slow.now());
    assert_eq!(record.times.last_seen_at, Slow.now());
}
