use std::fmt;
use std::task::{Context, Poll};

use cloakroom::{LazySession, Sessions};
use http::{Request, Response};
use tower_service::Service;

use crate::ResponseFuture;
use crate::extensions;
use crate::head::{Head, PeerOf, socket_address};

/// What [`SessionLayer`](crate::SessionLayer) makes of a service.
pub struct SessionService<S, T> {
    inner: S,
    sessions: Sessions<T>,
    peer: PeerOf,
}

impl<S, T> SessionService<S, T> {
    /// Sessions for the requests to `inner`.
    #[must_use]
    pub fn new(inner: S, sessions: Sessions<T>) -> Self {
        Self::with_peer(inner, sessions, socket_address)
    }

    pub(crate) fn with_peer(inner: S, sessions: Sessions<T>, peer: PeerOf) -> Self {
        Self {
            inner,
            sessions,
            peer,
        }
    }
}

// By hand: deriving would ask for `T: Debug` and `T: Clone`.
impl<S: fmt::Debug, T> fmt::Debug for SessionService<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionService")
            .field("inner", &self.inner)
            .field("sessions", &self.sessions)
            .finish()
    }
}

impl<S: Clone, T> Clone for SessionService<S, T> {
    fn clone(&self) -> Self {
        Self::with_peer(self.inner.clone(), self.sessions.clone(), self.peer)
    }
}

impl<S, T, RequestBody, ResponseBody> Service<Request<RequestBody>> for SessionService<S, T>
where
    S: Service<Request<RequestBody>, Response = Response<ResponseBody>>,
    T: Send + Sync + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, T, ResponseBody>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<RequestBody>) -> Self::Future {
        // A layer further out has done it already: two would each send a cookie of the same name. If that one is of
        // other sessions, though, its visitors are not to pass for ours.
        let outer = request.extensions().get::<LazySession<T>>();
        let first = outer.is_none_or(|outer| !outer.is_of(&self.sessions));
        let session = first.then(|| {
            let (headers, extensions) = (request.headers(), request.extensions());
            let head = Head::of(headers, extensions, &self.sessions, self.peer);
            let session = self.sessions.for_request(head);
            extensions::insert(request.extensions_mut(), session.clone());
            session
        });
        ResponseFuture::new(self.inner.call(request), session)
    }
}
