//! Requests that end without a response, and what still has their session: nobody would learn a new id.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::Duration;

use cloakroom::{ErrorKind, LazySession, ManualClock, Secret, Sessions};
use cloakroom_testkit::{FaultyStore, Op};
use cloakroom_tower::SessionLayer;
use http::{Request, Response};
use tower::{Layer, Service, ServiceExt, service_fn};

/// Sessions that are touched after a minute, their store and clock, and the cookie of one that lives.
async fn sessions() -> (Sessions<String>, FaultyStore<String>, ManualClock, String) {
    let clock = ManualClock::starting_now();
    let store = FaultyStore::new(clock.clone());
    let sessions = Sessions::builder(store.clone(), Secret::generate().unwrap())
        .clock(clock.clone())
        .idle_timeout(Duration::from_secs(3600))
        .build()
        .unwrap();
    let request = sessions.for_request([""]);
    request.resave("ada".to_owned()).await.unwrap();
    let effect = request.respond();
    let cookie = effect.set_cookie().unwrap().split(';').next().unwrap();
    (sessions, store, clock, cookie.to_owned())
}

fn request(cookie: &str) -> Request<()> {
    Request::builder()
        .header("cookie", cookie)
        .body(())
        .unwrap()
}

/// Where a service leaves the session of its request, as one does that hands it to a task of its own.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Option<LazySession<String>>>>);

impl Kept {
    fn keep(&self, request: &Request<()>) -> LazySession<String> {
        let session = request.extensions().get::<LazySession<String>>().unwrap();
        *self.0.lock().unwrap() = Some(session.clone());
        session.clone()
    }

    /// That no verb mints an id, and that the session of the request is as it was.
    async fn mints_no_id(&self, sessions: &Sessions<String>, cookie: &str) {
        let session = self.0.lock().unwrap().take().unwrap();
        let late = session.resave("late".to_owned()).await;
        assert_eq!(late.unwrap_err().kind(), ErrorKind::ResponseStarted);
        let late = session.load().await.unwrap().rotate().await;
        assert_eq!(late.unwrap_err().kind(), ErrorKind::ResponseStarted);
        let data = sessions.for_request([cookie.to_owned()]).data().await;
        assert_eq!(**data.unwrap().unwrap(), *"ada");
        assert_eq!(sessions.count().await.unwrap(), 1);
    }
}

/// Lets it begin, and drops it.
fn give_up(future: impl Future) {
    let mut context = Context::from_waker(Waker::noop());
    assert!(pin!(future).poll(&mut context).is_pending());
}

#[tokio::test]
async fn a_request_that_is_given_up_mints_no_id() {
    let (sessions, _, _, cookie) = sessions().await;
    let kept = Kept::default();
    let keep = kept.clone();
    let mut service = SessionLayer::new(sessions.clone()).layer(service_fn(move |request| {
        keep.keep(&request);
        std::future::pending::<Result<Response<()>, &str>>()
    }));
    give_up(service.call(request(&cookie)));
    kept.mints_no_id(&sessions, &cookie).await;
}

#[tokio::test]
async fn a_request_that_is_given_up_while_its_use_is_noted_mints_no_id() {
    let (sessions, store, clock, cookie) = sessions().await;
    clock.advance(Duration::from_secs(600));
    let kept = Kept::default();
    let keep = kept.clone();
    let mut service = SessionLayer::new(sessions.clone()).layer(service_fn(move |request| {
        let session = keep.keep(&request);
        async move {
            session.load().await.unwrap();
            Ok::<_, &str>(Response::new(()))
        }
    }));
    store.before(Op::Touch).hold(1);
    give_up(service.call(request(&cookie)));
    kept.mints_no_id(&sessions, &cookie).await;
}

#[tokio::test]
async fn a_request_whose_service_failed_mints_no_id() {
    let (sessions, _, _, cookie) = sessions().await;
    let kept = Kept::default();
    let keep = kept.clone();
    let mut service = SessionLayer::new(sessions.clone()).layer(service_fn(async |request| {
        keep.keep(&request);
        Err::<Response<()>, _>("elapsed")
    }));
    // It is not dropped yet: whoever awaits it may hold it for as long as they like.
    let mut future = pin!(service.ready().await.unwrap().call(request(&cookie)));
    assert_eq!(future.as_mut().await.unwrap_err(), "elapsed");
    kept.mints_no_id(&sessions, &cookie).await;
}
