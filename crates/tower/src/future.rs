use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use cloakroom::{LazySession, ResponseEffect};
use http::Response;
use pin_project_lite::pin_project;

use crate::headers::apply;

pin_project! {
    /// The response of a [`SessionService`](crate::SessionService): the inner service's, with the session's
    /// cookie or header.
    pub struct ResponseFuture<F, T, B> {
        #[pin]
        inner: F,
        // `None` where an outer layer does it.
        session: Option<LazySession<T>>,
        // Only while the store is told that an idle session was used.
        finishing: Option<Box<Finishing<B>>>,
    }
}

struct Finishing<B> {
    response: Option<Response<B>>,
    effect: Pin<Box<dyn Future<Output = ResponseEffect> + Send>>,
}

impl<F, T, B> ResponseFuture<F, T, B> {
    pub(crate) fn new(inner: F, session: Option<LazySession<T>>) -> Self {
        Self {
            inner,
            session,
            finishing: None,
        }
    }
}

impl<F, T, B, E> Future for ResponseFuture<F, T, B>
where
    F: Future<Output = Result<Response<B>, E>>,
    T: Send + Sync + 'static,
{
    type Output = Result<Response<B>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(session) = this.session else {
            return this.inner.poll(context);
        };
        if this.finishing.is_none() {
            let mut response = ready!(this.inner.poll(context))?;
            if let Some(effect) = session.respond_now() {
                apply(effect, session.carrier(), response.headers_mut());
                if let Some(session) = this.session.take() {
                    session.done();
                }
                return Poll::Ready(Ok(response));
            }
            let session = session.clone();
            *this.finishing = Some(Box::new(Finishing {
                response: Some(response),
                effect: Box::pin(async move { session.finish().await }),
            }));
        }
        let finishing = this.finishing.as_mut().expect("it was set a moment ago");
        let effect = ready!(finishing.effect.as_mut().poll(context));
        let mut response = finishing
            .response
            .take()
            .expect("a future is not polled after it answered");
        apply(effect, session.carrier(), response.headers_mut());
        Poll::Ready(Ok(response))
    }
}

impl<F, T, B> fmt::Debug for ResponseFuture<F, T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
