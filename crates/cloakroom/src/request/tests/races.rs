use super::fixture::{Fixture, cart, kind, sent};
use crate::ErrorKind;

/// How a session can end while a slow request works on it.
const ENDINGS: [&str; 6] = ["destroy", "logout", "resave", "rotate", "expiry", "clear"];

async fn end(it: &Fixture, cookie: &str, how: &str) {
    let (_, other) = it.open(cookie).await;
    match how {
        "destroy" => other.destroy().await.unwrap(),
        "logout" => other.logout().await.unwrap(),
        "resave" => other.resave(cart(&["fresh"])).await.unwrap(),
        "rotate" => other.rotate().await.unwrap(),
        "expiry" => it.advance(31 * 86_400),
        _ => drop(it.sessions.clear().await.unwrap()),
    }
}

#[tokio::test]
async fn promise_1_a_session_that_ended_stays_ended() {
    for ending in ENDINGS {
        for verb in ["save", "overwrite", "update", "update_or_default", "rotate"] {
            let it = Fixture::new();
            let cookie = it.signed_in(&["x"]).await;
            let (request, slow) = it.open(&cookie).await;
            end(&it, &cookie, ending).await;

            // Twice: trying again does not bring it back either.
            for _ in 0..2 {
                let result = match verb {
                    "save" => slow.save(cart(&["dead"])).await,
                    "overwrite" => slow.overwrite(cart(&["dead"])).await,
                    "update" => slow.update(|cart| cart.push("dead".into())).await,
                    "update_or_default" => {
                        slow.update_or_default(|cart| cart.push("dead".into()))
                            .await
                    }
                    _ => slow.rotate().await,
                };
                assert_eq!(kind(result), ErrorKind::Gone, "{verb} after {ending}");
            }
            assert_eq!(kind(slow.reload().await), ErrorKind::Gone);
            assert_eq!(slow.data(), None);
            assert_eq!(sent(&request).await, None, "{verb} after {ending}");
            assert_eq!(it.stored(&cookie).await, None, "{verb} after {ending}");
        }
    }
}

#[tokio::test]
async fn signing_in_and_out_are_fine_on_a_session_that_ended() {
    for ending in ENDINGS {
        let it = Fixture::new();
        let cookie = it.signed_in(&["x"]).await;
        let (login, slow) = it.open(&cookie).await;
        let (_, destroying) = it.open(&cookie).await;
        let (logout, leaving) = it.open(&cookie).await;
        end(&it, &cookie, ending).await;

        destroying.destroy().await.unwrap();
        leaving.logout().await.unwrap();
        assert_eq!(sent(&logout).await.as_deref(), Some("__Host-sid="));

        slow.resave(cart(&["ada"])).await.unwrap();
        let fresh = sent(&login).await.unwrap();
        assert_ne!(fresh, cookie);
        assert_eq!(it.stored(&fresh).await, Some(cart(&["ada"])), "{ending}");
        assert_eq!(it.stored(&cookie).await, None, "{ending}");
    }
}

#[tokio::test]
async fn a_touch_does_not_bring_a_session_back() {
    let it = Fixture::with(|builder| builder.idle_timeout(std::time::Duration::from_secs(600)));
    let cookie = it.signed_in(&["x"]).await;
    it.advance(100);
    let (request, _) = it.open(&cookie).await;
    it.request(&cookie).destroy().await.unwrap();
    let _ = request.finish().await;
    assert_eq!(it.stored(&cookie).await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn promise_2_of_64_parallel_updates_none_is_lost() {
    let it = std::sync::Arc::new(Fixture::new());
    let cookie = it.signed_in(&[]).await;
    let tasks: Vec<_> = (0..64)
        .map(|at| {
            let (it, cookie) = (it.clone(), cookie.clone());
            tokio::spawn(async move {
                let (_, session) = it.open(&cookie).await;
                let add = |mut cart: Vec<String>| async move {
                    tokio::task::yield_now().await;
                    cart.push(at.to_string());
                    cart
                };
                session.update_async(add).await
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let mut items = it.stored(&cookie).await.unwrap();
    items.sort_by_key(|item| item.parse::<u32>().unwrap());
    let expected: Vec<String> = (0..64).map(|at| at.to_string()).collect();
    assert_eq!(items, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_logins_from_one_cookie_each_get_a_session_of_their_own() {
    let it = std::sync::Arc::new(Fixture::new());
    let anonymous = it.signed_in(&["anonymous"]).await;
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let (it, cookie) = (it.clone(), anonymous.clone());
            tokio::spawn(async move {
                let (request, session) = it.open(&cookie).await;
                session.resave(cart(&["ada"])).await.unwrap();
                sent(&request).await.unwrap()
            })
        })
        .collect();
    let mut cookies = std::collections::HashSet::new();
    for task in tasks {
        cookies.insert(task.await.unwrap());
    }
    assert_eq!(cookies.len(), 64);
    assert_eq!(it.stored(&anonymous).await, None);
    for cookie in &cookies {
        assert_eq!(it.stored(cookie).await, Some(cart(&["ada"])));
    }
    assert_eq!(it.sessions.count().await.unwrap(), 64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_parallel_rotations_one_wins() {
    let it = std::sync::Arc::new(Fixture::new());
    let cookie = it.signed_in(&["x"]).await;
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let it = it.clone();
            let cookie = cookie.clone();
            tokio::spawn(async move {
                let (request, session) = it.open(&cookie).await;
                session
                    .rotate()
                    .await
                    .is_ok()
                    .then_some(sent(&request).await)
            })
        })
        .collect();
    let mut moved = 0;
    for task in tasks {
        moved += u32::from(task.await.unwrap().is_some());
    }
    assert_eq!(moved, 1);
    assert_eq!(it.sessions.count().await.unwrap(), 1);
}

#[tokio::test]
async fn promise_2_a_rotation_that_cannot_read_the_newer_data_does_not_pass_off_the_older_as_such()
{
    let it = Fixture::with(|builder| builder.undecodable_is_an_error(true));
    let cookie = it.signed_in(&["x"]).await;
    let (request, slow) = it.open(&cookie).await;
    let (_, other) = it.open(&cookie).await;
    other
        .update(|cart| cart.push("theirs".into()))
        .await
        .unwrap();

    // The session moves, but what the other request wrote cannot be read.
    it.store.set_garbled(true);
    assert_eq!(kind(slow.rotate().await), ErrorKind::Undecodable);
    it.store.set_garbled(false);

    assert_eq!(kind(slow.save(cart(&["mine"])).await), ErrorKind::Conflict);
    slow.update(|cart| cart.push("mine".into())).await.unwrap();
    let fresh = sent(&request).await.unwrap();
    assert_eq!(
        it.stored(&fresh).await,
        Some(cart(&["x", "theirs", "mine"]))
    );
}

#[tokio::test]
async fn promise_2_first_updates_of_one_request_at_once_do_not_overwrite_each_other() {
    let it = Fixture::new();
    let (request, session) = it.open("").await;
    it.store.set_slow(true);
    let add = |item: &'static str| session.update_or_default(move |cart| cart.push(item.into()));
    let (first, second) = tokio::join!(add("a"), add("b"));
    first.and(second).unwrap();
    let cookie = sent(&request).await.unwrap();
    assert_eq!(it.stored(&cookie).await, Some(cart(&["a", "b"])));
}

#[tokio::test]
async fn an_id_that_comes_too_late_for_the_response_is_refused_and_worth_nothing() {
    for verb in ["save", "resave", "rotate"] {
        let it = Fixture::new();
        let cookie = match verb {
            "save" => String::new(),
            _ => it.signed_in(&["x"]).await,
        };
        let (request, session) = it.open(&cookie).await;
        it.store.set_slow(true);
        let working = async {
            match verb {
                "save" => session.save(cart(&["late"])).await,
                "resave" => session.resave(cart(&["late"])).await,
                _ => session.rotate().await,
            }
        };
        // The handler left the verb to a task of its own and answers while the store is at work.
        let (result, effect) = tokio::join!(working, async { request.respond() });
        assert_eq!(effect.set_cookie(), None);
        assert_eq!(kind(result), ErrorKind::ResponseStarted, "{verb}");
        assert_eq!(session.data(), None);
        assert_eq!(it.sessions.count().await.unwrap(), 0, "{verb}");
    }
}

#[tokio::test]
async fn after_a_request_without_a_response_no_id_is_minted_either() {
    let it = Fixture::new();
    let cookie = it.signed_in(&["x"]).await;
    let (request, session) = it.open(&cookie).await;
    request.abandon();
    it.store.calls();
    for result in [session.rotate().await, session.resave(cart(&["y"])).await] {
        assert_eq!(kind(result), ErrorKind::ResponseStarted);
    }
    assert!(it.store.calls().is_empty());
    session.save(cart(&["y"])).await.unwrap();
    assert_eq!(it.stored(&cookie).await, Some(cart(&["y"])));

    // It was given up while the store was at work.
    let (request, session) = it.open(&cookie).await;
    it.store.set_slow(true);
    let (result, ()) = tokio::join!(session.resave(cart(&["late"])), async { request.abandon() });
    assert_eq!(kind(result), ErrorKind::ResponseStarted);
    assert_eq!(it.sessions.count().await.unwrap(), 0);
}
