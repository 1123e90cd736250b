use std::fmt;
use std::future::{Ready, ready};

use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use cloakroom::Sessions;

use crate::SessionService;

/// Gives each request its session of type `T`, for `wrap` of an application, a scope or a resource. One for
/// each type; each needs a cookie name, or a [header](cloakroom::IdHeader), of its own.
///
/// It reads nothing, and speaks to no store, unless something asks for the session. Where the same sessions are put
/// around a route twice, the inner middleware steps back. Of different sessions of one type, the innermost serve the
/// handler: an application with a cookie for browsers and a [header](cloakroom::SessionsBuilder::id_in_header) for
/// others has one around the routes of each, and a cookie does not open the routes of the header. Further out the outer
/// ones are found again when the response comes back; where an error comes back instead, a middleware that kept a clone of the
/// request still finds the inner ones in it. Make the [`Sessions`] once, outside of the closure that `HttpServer::new`
/// calls for each of its workers.
pub struct SessionMiddleware<T> {
    sessions: Sessions<T>,
}

impl<T> SessionMiddleware<T> {
    /// A middleware for these sessions.
    #[must_use]
    pub fn new(sessions: Sessions<T>) -> Self {
        Self { sessions }
    }
}

// By hand: deriving would ask for `T: Debug` and `T: Clone`.
impl<T> fmt::Debug for SessionMiddleware<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SessionMiddleware")
            .field(&self.sessions)
            .finish()
    }
}

impl<T> Clone for SessionMiddleware<T> {
    fn clone(&self) -> Self {
        Self::new(self.sessions.clone())
    }
}

impl<S, T, B> Transform<S, ServiceRequest> for SessionMiddleware<T>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error>,
    T: Send + Sync + 'static,
    B: MessageBody,
{
    type Response = ServiceResponse<B>;
    type Error = actix_web::Error;
    type Transform = SessionService<S, T>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(SessionService::new(service, self.sessions.clone())))
    }
}
