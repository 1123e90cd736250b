use std::fmt;
use std::future::Future;
use std::mem::replace;
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
        session: Session<T, B>,
    }

    impl<F, T, B> PinnedDrop for ResponseFuture<F, T, B> {
        fn drop(this: Pin<&mut Self>) {
            // As a rule it is answered by then, and nothing is called.
            if !matches!(this.session, Session::None) {
                this.project().session.abandon();
            }
        }
    }
}

enum Session<T, B> {
    /// An outer layer sees to it, or it is done.
    None,
    InUse(LazySession<T>),
    /// The store is told that an idle session was used.
    Finishing(Box<Finishing<T, B>>),
}

struct Finishing<T, B> {
    session: LazySession<T>,
    response: Option<Response<B>>,
    effect: Pin<Box<dyn Future<Output = ResponseEffect> + Send>>,
}

impl<F, T, B> ResponseFuture<F, T, B> {
    pub(crate) fn new(inner: F, session: Option<LazySession<T>>) -> Self {
        Self {
            inner,
            session: session.map_or(Session::None, Session::InUse),
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
        if let Session::Finishing(finishing) = this.session {
            return finishing.poll(context).map(Ok);
        }
        let mut response = match ready!(this.inner.poll(context)) {
            Ok(response) => response,
            Err(error) => {
                this.session.abandon();
                return Poll::Ready(Err(error));
            }
        };
        let Session::InUse(session) = replace(this.session, Session::None) else {
            return Poll::Ready(Ok(response));
        };
        if let Some(effect) = session.respond_now() {
            apply(effect, session.carrier(), response.headers_mut());
            session.done();
            return Poll::Ready(Ok(response));
        }
        let told = session.clone();
        let mut finishing = Box::new(Finishing {
            session,
            response: Some(response),
            effect: Box::pin(async move { told.finish().await }),
        });
        let polled = finishing.poll(context);
        *this.session = Session::Finishing(finishing);
        polled.map(Ok)
    }
}

impl<T, B> Session<T, B> {
    /// No response carries an id any more, but whoever kept the session may still ask for one.
    #[cold]
    fn abandon(&self) {
        match self {
            Self::None => {}
            Self::InUse(session) => session.abandon(),
            // Perhaps it is over.
            Self::Finishing(finishing) => finishing.session.abandon(),
        }
    }
}

impl<T: Send + Sync + 'static, B> Finishing<T, B> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Response<B>> {
        let effect = ready!(self.effect.as_mut().poll(context));
        let mut response = self
            .response
            .take()
            .expect("a future is not polled after it answered");
        apply(effect, self.session.carrier(), response.headers_mut());
        Poll::Ready(response)
    }
}

impl<F, T, B> fmt::Debug for ResponseFuture<F, T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
