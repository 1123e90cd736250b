//! Requests that go on, as slowly as their client likes, when their session has ended or got another id.

use std::time::Duration;

use super::fixture::{Fixture, cart, kind, sent};
use super::renewal::renewing;
use crate::{CurrentSession, ErrorKind, LazySession};

type Cart = Vec<String>;

fn owned() -> Fixture {
    Fixture::with(|builder| builder.owned_by(|cart: &Cart| cart.first().cloned()))
}

/// A thief's request is under way when the user ends all sessions and signs in again.
#[tokio::test]
async fn whoever_was_signed_out_sees_and_ends_nobodys_sessions() {
    for way in [
        "devices",
        "others",
        "destroy_device",
        "destroy_others",
        "logout_everywhere",
    ] {
        let it = owned();
        let (_request, held) = it.open(&it.signed_in(&["ada"]).await).await;
        let (_, session) = it.open(&it.signed_in(&["ada"]).await).await;
        assert_eq!(session.logout_everywhere().await.unwrap(), 2);
        let again = it.signed_in(&["ada"]).await;
        let handle = it.open(&again).await.1.handle().unwrap();
        let did = match way {
            "devices" => held.devices().await.map(drop),
            "others" => held.others().await.map(drop),
            "destroy_device" => held.destroy_device(handle).await.map(drop),
            "destroy_others" => held.destroy_others().await.map(drop),
            _ => held.logout_everywhere().await.map(drop),
        };
        assert_eq!(kind(did), ErrorKind::Gone, "{way}");
        assert_eq!(it.stored(&again).await, Some(cart(&["ada"])), "{way}");
    }
}

/// It is the owner's other sessions that count, as they are now: the data may have got another owner meanwhile.
#[tokio::test]
async fn the_owner_is_the_one_that_the_session_has_now() {
    let it = owned();
    let mine = it.signed_in(&["ada"]).await;
    let (bobs, adas) = (it.signed_in(&["bob"]).await, it.signed_in(&["ada"]).await);
    let (_request, held) = it.open(&mine).await;
    it.open(&mine).await.1.save(cart(&["bob"])).await.unwrap();
    assert_eq!(held.destroy_others().await.unwrap(), 1);
    assert_eq!(it.stored(&bobs).await, None);
    assert!(it.stored(&mine).await.is_some() && it.stored(&adas).await.is_some());
    // What it read of the data is as old as before.
    assert_eq!(kind(held.save(cart(&["ada"])).await), ErrorKind::Conflict);
}

/// Renewed so long ago that this request may not follow: for it the session is gone.
async fn left_behind() -> (Fixture, LazySession<Cart>, CurrentSession<Cart>, String) {
    let it = renewing();
    let old = it.signed_in(&["ada"]).await;
    it.advance(600);
    let (first, _) = it.open(&old).await;
    let (request, slow) = it.open(&old).await;
    let new = sent(&first).await.unwrap();
    it.advance(31);
    assert_eq!(kind(slow.save(cart(&["late"])).await), ErrorKind::Gone);
    assert_eq!(it.stored(&new).await, Some(cart(&["ada"])));
    (it, request, slow, new)
}

#[tokio::test]
async fn signing_in_or_out_after_gone_ends_what_became_of_the_session() {
    for way in ["logout", "destroy", "resave"] {
        let (it, request, slow, new) = left_behind().await;
        match way {
            "logout" => slow.logout().await.unwrap(),
            "destroy" => slow.destroy().await.unwrap(),
            _ => slow.resave(cart(&["bob"])).await.unwrap(),
        }
        assert_eq!(it.stored(&new).await, None, "{way}");
        let signed_in = sent(&request).await.filter(|sent| sent != "__Host-sid=");
        assert_eq!(signed_in.is_some(), way == "resave");
    }
}

/// A task that outlives the request is at work, and a touch is due: the response does not wait for it.
#[tokio::test(start_paused = true)]
async fn a_response_waits_for_no_other_task() {
    let it = Fixture::with(|builder| builder.track_last_seen(true));
    let cookie = it.signed_in(&["ada"]).await;
    it.advance(120);
    let (request, session) = it.open(&cookie).await;
    let seen_at = session.record().unwrap().times.last_seen_at;
    let turn = request.exchange().try_turn().expect("nobody has it");
    let responded = tokio::time::timeout(Duration::from_secs(5), request.finish()).await;
    assert!(responded.is_ok());
    drop(turn);
    assert_eq!(session.record().unwrap().times.last_seen_at, seen_at);
    // It is noted with the next request.
    let (request, session) = it.open(&cookie).await;
    let _ = request.finish().await;
    assert!(session.record().unwrap().times.last_seen_at > seen_at);
}

/// Both verbs of one request, at once.
#[tokio::test]
async fn a_rotation_beside_a_list_of_devices_is_not_lost() {
    let it = owned();
    it.store.set_slow(true);
    let cookie = it.signed_in(&["ada"]).await;
    let (request, session) = it.open(&cookie).await;
    let (rotated, devices) = tokio::join!(session.rotate(), session.devices());
    rotated.unwrap();
    assert_eq!(devices.unwrap().len(), 1);
    let new = sent(&request).await.expect("the id is fresh");
    assert_eq!(it.stored(&new).await, Some(cart(&["ada"])));
}
