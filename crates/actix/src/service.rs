use std::fmt;
use std::task::{Context, Poll};

use actix_web::HttpMessage;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use cloakroom::{LazySession, Sessions};

use crate::ResponseFuture;
use crate::future::InUse;
use crate::head::Head;
use crate::unseen::Unseen;

/// What [`SessionMiddleware`](crate::SessionMiddleware) makes of a service.
pub struct SessionService<S, T> {
    inner: S,
    sessions: Sessions<T>,
}

impl<S, T> SessionService<S, T> {
    pub(crate) fn new(inner: S, sessions: Sessions<T>) -> Self {
        Self { inner, sessions }
    }
}

// By hand: deriving would ask for `T: Debug`.
impl<S: fmt::Debug, T> fmt::Debug for SessionService<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionService")
            .field("inner", &self.inner)
            .field("sessions", &self.sessions)
            .finish()
    }
}

impl<S, T, B> Service<ServiceRequest> for SessionService<S, T>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error>,
    T: Send + Sync + 'static,
    B: MessageBody,
{
    type Response = ServiceResponse<B>;
    type Error = actix_web::Error;
    type Future = ResponseFuture<S::Future, T, B>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        // A middleware further out has done it already: two would each send a cookie of the same name. If that one is
        // of other sessions, though, its visitors are not to pass for ours.
        let outer = request.extensions().get::<LazySession<T>>().cloned();
        if outer.as_ref().is_some_and(|it| it.is_of(&self.sessions)) {
            return ResponseFuture::new(self.inner.call(request), None);
        }
        let unseen = Unseen::of(&request);
        let head = Head::of(&request, &self.sessions);
        let session = self.sessions.for_request(head);
        request.extensions_mut().insert(session.clone());
        let session = InUse {
            session,
            outer,
            unseen,
        };
        ResponseFuture::new(self.inner.call(request), Some(session))
    }
}
