//! Requests that end without a response, and what still has their session: nobody would learn a new id.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::Duration;

use actix_web::dev::Service;
use actix_web::test::{self, TestRequest};
use actix_web::web::{self, ThinData};
use actix_web::{App, HttpResponse};
use cloakroom::{ErrorKind, ManualClock, Secret, Sessions};
use cloakroom_actix::{CurrentSession, SessionMiddleware};
use cloakroom_testkit::{FaultyStore, Op};

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

/// Where a handler leaves the session of its request, as one does that hands it to a task of its own.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Option<CurrentSession<String>>>>);

impl Kept {
    /// That no verb mints an id, and that the session of the request is as it was.
    async fn mints_no_id(&self, sessions: &Sessions<String>, cookie: &str) {
        let session = self.0.lock().unwrap().take().unwrap();
        let late = session.resave("late".to_owned()).await;
        assert_eq!(late.unwrap_err().kind(), ErrorKind::ResponseStarted);
        let late = session.rotate().await;
        assert_eq!(late.unwrap_err().kind(), ErrorKind::ResponseStarted);
        let data = sessions.for_request([cookie.to_owned()]).data().await;
        assert_eq!(**data.unwrap().unwrap(), *"ada");
        assert_eq!(sessions.count().await.unwrap(), 1);
    }
}

async fn for_ever(kept: ThinData<Kept>, session: CurrentSession<String>) -> HttpResponse {
    *kept.0.0.lock().unwrap() = Some(session);
    std::future::pending().await
}

async fn at_once(kept: ThinData<Kept>, session: CurrentSession<String>) -> HttpResponse {
    *kept.0.0.lock().unwrap() = Some(session);
    HttpResponse::Ok().finish()
}

/// Lets a request begin, and drops it.
async fn give_up(sessions: &Sessions<String>, kept: &Kept, path: &str, cookie: &str) {
    let app = App::new()
        .app_data(ThinData(kept.clone()))
        .route("/for-ever", web::get().to(for_ever))
        .route("/at-once", web::get().to(at_once))
        .wrap(SessionMiddleware::new(sessions.clone()));
    let app = test::init_service(app).await;
    let request = TestRequest::get()
        .uri(path)
        .insert_header(("cookie", cookie));
    let future = pin!(app.call(request.to_request()));
    let mut context = Context::from_waker(Waker::noop());
    assert!(future.poll(&mut context).is_pending());
}

#[actix_web::test]
async fn a_request_that_is_given_up_mints_no_id() {
    let (sessions, _, _, cookie) = sessions().await;
    let kept = Kept::default();
    give_up(&sessions, &kept, "/for-ever", &cookie).await;
    kept.mints_no_id(&sessions, &cookie).await;
}

#[actix_web::test]
async fn a_request_that_is_given_up_while_its_use_is_noted_mints_no_id() {
    let (sessions, store, clock, cookie) = sessions().await;
    clock.advance(Duration::from_secs(600));
    store.before(Op::Touch).hold(1);
    let kept = Kept::default();
    give_up(&sessions, &kept, "/at-once", &cookie).await;
    kept.mints_no_id(&sessions, &cookie).await;
}
