//! Connections that outlive the request that opened them, and not their session.

use std::time::Duration;

use cloakroom::{RenewIds, SessionsBuilder};

use super::devices::owned;
use crate::http1::Connection;
use crate::{Data, Kit, Op, Request, Site, Visitor};

/// However it ends, in this process: nothing here waits for a look at the store, which is an hour away.
pub async fn a_stream_ends_with_its_session(kit: &Kit) {
    let site = kit
        .plan()
        .configure(|it| looking(it, Duration::from_secs(3_600)));
    let site = site.start().await;
    for end in [
        "logout",
        "destroy",
        "resave",
        "rotate",
        "logout-everywhere",
        "reauthenticate",
    ] {
        let ada = site.signed_in("ada").await;
        let mut stream = open(&site, &ada).await;
        ada.post(&format!("/current/{end}"), "ada")
            .await
            .expect(200);
        ended(&mut stream).await;
    }
    let (ada, phone) = (site.signed_in("ada").await, site.signed_in("ada").await);
    let mut stream = open(&site, &phone).await;
    ada.post("/current/logout-others", "").await.expect(200);
    ended(&mut stream).await;
}

/// A fresh id is no end, and nor is a store that does not answer. The time that is over is.
pub async fn a_stream_outlives_renewals_and_outages(kit: &Kit) {
    let renewal = RenewIds::every(Duration::from_secs(600));
    let site = kit.plan().configure(move |it| {
        looking(it, Duration::from_millis(20))
            .renew_ids(renewal)
            .max_age(Duration::from_secs(3_600))
    });
    let site = site.start().await;
    let ada = site.signed_in("ada").await;
    let mut stream = open(&site, &ada).await;
    site.clock.advance(Duration::from_secs(600));
    let before = ada.value();
    assert_eq!(ada.whoami().await, "ada:0");
    assert_ne!(ada.value(), before, "it was renewed");
    site.store.fail(&[Op::Get]);
    looked(&site).await;
    site.clock.advance(Duration::from_secs(3_000));
    looked(&site).await;
    assert!(stream.nothing_came(), "nobody can tell");
    site.store.recover();
    ended(&mut stream).await;
}

/// By a look at the store, or because the store said so.
pub async fn a_stream_ends_with_a_session_that_another_instance_ended(kit: &Kit) {
    let secret = kit.secret();
    let plan = kit.plan().secrets([secret.clone()]);
    let site = plan
        .configure(|it| looking(it, Duration::from_millis(50)))
        .start()
        .await;
    let plan = kit.plan().beside(&site).secrets([secret]);
    let elsewhere = plan.configure(owned).start().await;
    let ada = site.signed_in("ada").await;
    let mut stream = open(&site, &ada).await;
    let same = elsewhere.visitor_with(&ada.cookie());
    same.post("/current/logout", "").await.expect(200);
    ended(&mut stream).await;
}

fn looking(builder: SessionsBuilder<Data>, every: Duration) -> SessionsBuilder<Data> {
    owned(builder).check_ended_every(every)
}

/// A stream that has begun.
async fn open(site: &Site, visitor: &Visitor) -> Connection {
    let mut connection = site.connect().await;
    let request = Request::get("/current/live").cookie(visitor.cookie());
    assert!(connection.send(&request.into_bytes()).await);
    connection.head().await.expect("the server answers");
    assert_eq!(connection.chunk().await.as_deref(), Some(&b"live"[..]));
    connection
}

async fn ended(stream: &mut Connection) {
    assert_eq!(stream.chunk().await.as_deref(), Some(&b"ended"[..]));
}

/// Waits until the store was asked three times more.
async fn looked(site: &Site) {
    drop(site.store.take_asked());
    let mut asked = 0;
    while asked < 3 {
        asked += site.store.take_asked().len();
        tokio::task::yield_now().await;
    }
}
