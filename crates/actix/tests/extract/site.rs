//! What these tests have in common.

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::ServiceResponse;
use actix_web::test::{self, TestRequest};
use cloakroom::{CookieOptions, ManualClock, MemoryStore, Secret, Sessions};
use cloakroom_actix::SessionData;
use cloakroom_testkit::FaultyStore;

/// Sessions, their store, and the cookie of one that lives.
pub(crate) async fn sessions() -> (Sessions<String>, FaultyStore<String>, String) {
    let store = FaultyStore::new(ManualClock::starting_now());
    let sessions = Sessions::builder(store.clone(), Secret::generate().unwrap());
    let sessions = sessions.build().unwrap();
    let request = sessions.for_request([""]);
    request.resave("ada".to_owned()).await.unwrap();
    let effect = request.respond();
    let cookie = effect.set_cookie().unwrap().split(';').next().unwrap();
    (sessions, store, cookie.to_owned())
}

/// Sessions of another type.
pub(crate) fn others() -> Sessions<u64> {
    Sessions::builder(MemoryStore::new(), Secret::generate().unwrap())
        .cookie(CookieOptions::new().name("__Host-other"))
        .build()
        .unwrap()
}

pub(crate) async fn with_data(data: Option<SessionData<String>>) -> String {
    data.map_or("nobody".to_owned(), |data| data.to_string())
}

/// An error becomes a response, as the server does it.
pub(crate) fn answered(
    outcome: Result<ServiceResponse<impl MessageBody + 'static>, Error>,
) -> ServiceResponse {
    match outcome {
        Ok(response) => response.map_into_boxed_body(),
        Err(error) => {
            let request = TestRequest::default().to_http_request();
            ServiceResponse::new(request, error.error_response())
        }
    }
}

pub(crate) async fn text(response: ServiceResponse) -> String {
    String::from_utf8(test::read_body(response).await.to_vec()).unwrap()
}
