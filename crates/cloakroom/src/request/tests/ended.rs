use std::time::Duration;

use tokio::time::timeout;

use super::fixture::{Fixture, cart, sent};
use crate::{Ended, RenewIds, WhenReached};

/// Far longer than any look at the store takes, and shorter than the pause between two. The time is Tokio's own, which
/// stands still while anything can run.
const AT_ONCE: Duration = Duration::from_secs(4);
const SOON: Duration = Duration::from_secs(6);

async fn open(it: &Fixture, cookie: &str) -> Ended {
    let (_, session) = it.open(cookie).await;
    let mut ended = session.ended();
    assert!(
        timeout(AT_ONCE, &mut ended).await.is_err(),
        "it is live still"
    );
    ended
}

#[tokio::test(start_paused = true)]
async fn a_connection_learns_at_once_that_its_session_ended_in_this_process() {
    let it = Fixture::with(|builder| {
        builder
            .owned_by(|cart: &Vec<String>| cart.first().cloned())
            .max_sessions_per_owner(3.try_into().unwrap(), WhenReached::EndOldest)
    });
    let owner = cloakroom_store::Owner::new("ada").unwrap();
    for way in 0..8 {
        let cookie = it.signed_in(&["ada"]).await;
        let ended = open(&it, &cookie).await;
        let (_request, session) = it.open(&cookie).await;
        match way {
            0 => session.logout().await.unwrap(),
            1 => session.destroy().await.unwrap(),
            2 => session.resave(cart(&["ada"])).await.unwrap(),
            3 => session.rotate().await.unwrap(),
            4 => assert_eq!(it.sessions.destroy_by_owner(&owner).await.unwrap(), 3),
            5 => assert_eq!(session.logout_everywhere().await.unwrap(), 1),
            6 => {
                for _ in 0..3 {
                    it.advance(1);
                    let _ = it.signed_in(&["ada"]).await;
                }
            }
            _ => drop(it.sessions.clear().await.unwrap()),
        }
        timeout(AT_ONCE, ended)
            .await
            .unwrap_or_else(|_| panic!("way {way}: nobody told it"));
    }
}

#[tokio::test(start_paused = true)]
async fn what_ends_elsewhere_is_noticed_with_the_next_look_at_the_store() {
    let it = Fixture::new();
    let cookie = it.signed_in(&["ada"]).await;
    let (_, session) = it.open(&cookie).await;
    let ended = open(&it, &cookie).await;
    // Behind the back of this process.
    let key = session.id().unwrap().key();
    cloakroom_store::Store::destroy(&it.store, &key)
        .await
        .unwrap();
    timeout(SOON, ended).await.expect("it was looked for");
}

#[tokio::test(start_paused = true)]
async fn expiry_is_an_end_and_trouble_at_the_store_is_not() {
    let it = Fixture::with(|builder| builder.max_age(Duration::from_secs(100)));
    let cookie = it.signed_in(&["ada"]).await;
    let mut ended = open(&it, &cookie).await;
    it.store.set_down(true);
    it.advance(100);
    assert!(
        timeout(10 * SOON, &mut ended).await.is_err(),
        "nobody can tell"
    );
    it.store.set_down(false);
    timeout(SOON, ended).await.expect("it has expired");
}

#[tokio::test(start_paused = true)]
async fn a_renewal_is_not_an_end_but_the_end_is_heard_after_it() {
    let it = Fixture::with(|builder| builder.renew_ids(RenewIds::every(Duration::from_secs(60))));
    let cookie = it.signed_in(&["ada"]).await;
    let mut ended = open(&it, &cookie).await;
    it.advance(60);
    let (request, _) = it.open(&cookie).await;
    let renewed = sent(&request).await.expect("the id was renewed");
    assert!(timeout(10 * SOON, &mut ended).await.is_err());

    let (_, session) = it.open(&renewed).await;
    session.logout().await.unwrap();
    timeout(AT_ONCE, ended).await.expect("it was told");
}

#[tokio::test(start_paused = true)]
async fn without_a_session_there_is_nothing_to_wait_for() {
    let it = Fixture::new();
    let (_, nobody) = it.open("").await;
    timeout(AT_ONCE, nobody.ended()).await.unwrap();

    let cookie = it.signed_in(&["ada"]).await;
    let (_, session) = it.open(&cookie).await;
    session.logout().await.unwrap();
    timeout(AT_ONCE, session.ended()).await.unwrap();
}
