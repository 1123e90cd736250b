//! Ids that are renewed now and then.

use std::time::Duration;

use super::fixture::{Fixture, cart, sent};
use crate::{ErrorKind, LazySession, RenewIds};

/// Every ten minutes, with half a minute of grace.
pub(super) fn renewing() -> Fixture {
    let renewal = RenewIds::every(Duration::from_secs(600)).grace(Duration::from_secs(30));
    Fixture::with(|builder| builder.renew_ids(renewal))
}

/// A session whose id was renewed: the old cookie and the new one, which nobody has used yet.
pub(super) async fn renewed(it: &Fixture) -> (String, String) {
    let old = it.signed_in(&["ada"]).await;
    it.advance(600);
    let (request, _) = it.open(&old).await;
    let new = sent(&request).await.expect("it was due");
    assert_ne!(old, new);
    (old, new)
}

async fn finish(request: &LazySession<Vec<String>>) {
    let _ = request.finish().await;
}

#[tokio::test]
async fn a_session_in_use_gets_a_fresh_id_when_it_is_time_and_not_before() {
    let it = renewing();
    let old = it.signed_in(&["ada"]).await;
    it.advance(599);
    let (request, _) = it.open(&old).await;
    assert_eq!(sent(&request).await, None);

    it.advance(1);
    it.store.calls();
    let (request, session) = it.open(&old).await;
    let before = session.handle();
    let new = sent(&request).await.expect("it was due");
    assert_eq!(it.store.calls(), ["get", "renew"]);
    assert_ne!(session.handle(), before);
    assert_eq!(it.stored(&new).await, Some(cart(&["ada"])));
    // A request that ignores the session renews nothing.
    it.advance(600);
    assert_eq!(sent(&it.request(&new)).await, None);
}

#[tokio::test]
async fn requests_in_flight_find_the_session_by_the_old_id_and_write_to_it() {
    let it = renewing();
    let old = it.signed_in(&["ada"]).await;
    it.advance(600);
    // Both have read the session before it is renewed.
    let (first, _) = it.open(&old).await;
    let (_, slow) = it.open(&old).await;
    let (_, slower) = it.open(&old).await;
    let new = sent(&first).await.unwrap();

    slow.save(cart(&["ada", "slow"])).await.unwrap();
    slower
        .update(|cart| cart.push("slower".to_owned()))
        .await
        .unwrap();
    // And one that comes a moment later.
    let (late, session) = it.open(&old).await;
    session
        .update(|cart| cart.push("late".to_owned()))
        .await
        .unwrap();
    assert_eq!(sent(&late).await, Some(new.clone()), "the same id for all");

    let all = cart(&["ada", "slow", "slower", "late"]);
    assert_eq!(it.stored(&new).await, Some(all));
}

#[tokio::test]
async fn many_requests_at_the_moment_of_renewal_all_stay_signed_in_and_agree_on_the_id() {
    let it = renewing();
    it.store.set_slow(true);
    let old = it.signed_in(&["ada"]).await;
    it.advance(600);
    let requests: Vec<_> = (0..16).map(|_| it.request(&old)).collect();
    let answers = requests.iter().map(|request| async {
        let session = request.load().await.unwrap();
        assert!(session.data().is_some());
        sent(request).await
    });
    let cookies: Vec<String> = futures(answers).await.into_iter().flatten().collect();
    assert!(!cookies.is_empty());
    assert!(cookies.iter().all(|cookie| *cookie == cookies[0]));
    assert!(it.stored(&cookies[0]).await.is_some());
}

/// A renewal that falls between looking where the session is and ending the others must not end it too.
#[tokio::test]
async fn ending_the_others_spares_this_session_whenever_another_request_renews_it() {
    for polls in 0..6 {
        let renewal = RenewIds::every(Duration::from_secs(600));
        let it = Fixture::with(|builder| {
            builder
                .renew_ids(renewal)
                .owned_by(|cart: &Vec<String>| cart.first().cloned())
        });
        let elsewhere = it.signed_in(&["ada"]).await;
        let old = it.signed_in(&["ada"]).await;
        it.advance(600);
        let (_, session) = it.open(&old).await;
        let (renewing, _) = it.open(&old).await;

        it.store.set_slow(true);
        let mut ending = Box::pin(session.destroy_others());
        let mut ended = None;
        for _ in 0..polls {
            if ended.is_none() {
                ended = poll_once(&mut ending).await;
            }
        }
        it.store.set_slow(false);
        let new = sent(&renewing).await.expect("it was due");
        let ended = match ended {
            Some(ended) => ended,
            None => ending.await,
        };
        assert_eq!(ended.unwrap(), 1, "after {polls} polls");
        assert!(it.stored(&new).await.is_some(), "after {polls} polls");
        assert_eq!(it.stored(&elsewhere).await, None);
        let devices = it.open(&new).await.1.devices().await.unwrap();
        assert!(devices.len() == 1 && devices[0].is_current());
    }
}

async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(context) {
            std::task::Poll::Ready(done) => Some(done),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

/// Polls them in turn until all are ready.
async fn futures<F: Future>(all: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut pending: Vec<_> = all.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        let mut ready = true;
        for (future, answer) in &mut pending {
            if answer.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(got) => *answer = Some(got),
                    std::task::Poll::Pending => ready = false,
                }
            }
        }
        if ready {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    pending
        .into_iter()
        .filter_map(|(_, answer)| answer)
        .collect()
}

#[tokio::test]
async fn a_lost_response_signs_nobody_out_however_late_the_next_request_comes() {
    let it = renewing();
    let (old, lost) = renewed(&it).await;
    for _ in 0..3 {
        // Long after the grace: but nobody has used the new id, so nobody else has it.
        it.advance(86_400);
        let (request, session) = it.open(&old).await;
        assert!(session.data().is_some());
        assert_eq!(sent(&request).await, Some(lost.clone()), "it is sent again");
    }
    assert!(!it.events().contains(&"ReuseDetected".to_owned()));
}

#[tokio::test]
async fn an_old_id_that_turns_up_after_the_new_one_was_used_ends_the_session() {
    let it = renewing();
    let (old, new) = renewed(&it).await;
    let (request, _) = it.open(&new).await;
    finish(&request).await;

    // Still in the grace: a request in flight, served, and sent nothing.
    it.advance(30);
    let (request, session) = it.open(&old).await;
    assert!(session.data().is_some());
    assert_eq!(sent(&request).await, None);

    it.advance(1);
    it.events();
    let (request, session) = it.open(&old).await;
    assert!(session.data().is_none());
    assert_eq!(sent(&request).await, None);
    assert!(it.events().contains(&"ReuseDetected".to_owned()));
    assert_eq!(it.stored(&new).await, None, "whoever has it is out too");
}

#[tokio::test]
async fn reuse_is_detected_however_often_the_id_was_renewed_since() {
    let it = renewing();
    let (old, mut newest) = renewed(&it).await;
    // For most of the week in which the id is recognized.
    for _ in 0..1_000 {
        it.advance(600);
        let (request, _) = it.open(&newest).await;
        newest = sent(&request).await.expect("it was due");
    }
    let (request, _) = it.open(&newest).await;
    finish(&request).await;
    for ended in [false, true] {
        it.events();
        it.store.calls();
        assert_eq!(it.stored(&old).await, None);
        // Whoever keeps an old cookie keeps the store no busier than that.
        let calls = it.store.calls().len();
        assert!(calls < 40, "{calls}");
        let found_out = it.events().contains(&"ReuseDetected".to_owned());
        assert_eq!(found_out, !ended);
    }
    assert_eq!(it.stored(&newest).await, None);
}

#[tokio::test]
async fn the_thief_who_renews_first_is_found_out_when_the_user_comes_back() {
    let it = renewing();
    // By the thief, with the copy.
    let (users, thiefs) = renewed(&it).await;
    let (request, _) = it.open(&thiefs).await;
    finish(&request).await;
    it.advance(31);
    assert_eq!(it.stored(&users).await, None);
    assert_eq!(it.stored(&thiefs).await, None);
}

#[tokio::test]
async fn signing_out_with_an_id_that_is_being_renewed_signs_out() {
    let it = renewing();
    for lazy in [true, false] {
        let (old, new) = {
            let old = it.signed_in(&["ada"]).await;
            it.advance(600);
            let (request, _) = it.open(&old).await;
            // Loaded before the renewal, ended after it.
            let (_, session) = it.open(&old).await;
            let new = sent(&request).await.unwrap();
            if lazy {
                it.request(&old).logout().await.unwrap();
            } else {
                session.logout().await.unwrap();
            }
            (old, new)
        };
        assert_eq!(it.stored(&old).await, None);
        assert_eq!(it.stored(&new).await, None);
    }
}

#[tokio::test]
async fn signing_in_over_a_session_that_is_being_renewed_ends_it() {
    let it = renewing();
    let (old, new) = renewed(&it).await;
    let request = it.request(&old);
    request.resave(cart(&["bob"])).await.unwrap();
    let bobs = sent(&request).await.unwrap();
    assert_eq!(it.stored(&new).await, None);
    assert_eq!(it.stored(&old).await, None);
    assert_eq!(it.stored(&bobs).await, Some(cart(&["bob"])));
}

#[tokio::test]
async fn ending_the_others_spares_this_session_though_its_id_was_renewed_meanwhile() {
    let renewal = RenewIds::every(Duration::from_secs(600));
    let it = Fixture::with(|builder| {
        builder
            .renew_ids(renewal)
            .owned_by(|cart: &Vec<String>| cart.first().cloned())
    });
    let other = it.signed_in(&["ada"]).await;
    let old = it.signed_in(&["ada"]).await;
    it.advance(600);
    let (_, slow) = it.open(&old).await;
    let (first, _) = it.open(&old).await;
    let new = sent(&first).await.unwrap();
    assert_eq!(slow.destroy_others().await.unwrap(), 1);
    assert_eq!(it.stored(&other).await, None);
    assert!(it.stored(&new).await.is_some());
}

#[tokio::test]
async fn an_explicit_rotation_leaves_no_trail() {
    let it = renewing();
    let old = it.signed_in(&["ada"]).await;
    let (_, session) = it.open(&old).await;
    session.rotate().await.unwrap();
    assert_eq!(it.stored(&old).await, None);
    assert!(session.data().is_some());
    assert!(!it.events().contains(&"ReuseDetected".to_owned()));
}

#[tokio::test]
async fn a_write_after_the_grace_by_a_request_that_read_before_the_renewal_is_gone() {
    let it = renewing();
    let old = it.signed_in(&["ada"]).await;
    it.advance(600);
    let (first, _) = it.open(&old).await;
    let (_, slow) = it.open(&old).await;
    let _ = sent(&first).await.unwrap();
    it.advance(31);
    let saved = slow.save(cart(&["late"])).await;
    assert_eq!(saved.unwrap_err().kind(), ErrorKind::Gone);
}

#[tokio::test]
async fn trouble_while_an_id_is_renewed_keeps_the_old_one() {
    let it = renewing();
    let old = it.signed_in(&["ada"]).await;
    it.advance(600);
    let (request, _) = it.open(&old).await;
    it.store.set_down(true);
    assert_eq!(sent(&request).await, None);
    it.store.set_down(false);
    let (request, session) = it.open(&old).await;
    assert!(session.data().is_some());
    assert!(sent(&request).await.is_some(), "the next one tries again");
}

#[tokio::test]
async fn what_csrf_tokens_were_bound_to_goes_with_the_id() {
    let it = renewing();
    let old = it.signed_in(&["ada"]).await;
    let (_, session) = it.open(&old).await;
    let token = session.csrf_token().unwrap().unwrap();
    it.advance(600);
    let (request, _) = it.open(&old).await;
    let new = sent(&request).await.unwrap();
    let (_, by_old) = it.open(&old).await;
    assert!(by_old.verify_csrf_token(token.as_str()), "in flight");
    let (_, by_new) = it.open(&new).await;
    assert!(!by_new.verify_csrf_token(token.as_str()));
}
