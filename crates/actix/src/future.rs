use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::dev::ServiceResponse;
use actix_web::{Error, HttpMessage};
use cloakroom::{LazySession, ResponseEffect};
use pin_project_lite::pin_project;

use crate::error::{ErrorWithSession, Unseen};
use crate::headers::apply;

pin_project! {
    /// The response of a [`SessionService`](crate::SessionService): the inner service's, with the session's
    /// cookie or header.
    pub struct ResponseFuture<F, T, B> {
        #[pin]
        inner: F,
        // `None` where an outer one does it.
        session: Option<LazySession<T>>,
        // That of a middleware further out, of other sessions. A request's extensions are the same for all of them.
        outer: Option<LazySession<T>>,
        // Only while the store is told that an idle session was used.
        finishing: Option<Box<Finishing<B>>>,
    }
}

type Outcome<B> = Result<ServiceResponse<B>, Error>;

struct Finishing<B> {
    outcome: Option<Outcome<B>>,
    effect: Pin<Box<dyn Future<Output = ResponseEffect>>>,
}

impl<F, T, B> ResponseFuture<F, T, B> {
    pub(crate) fn new(
        inner: F,
        session: Option<LazySession<T>>,
        outer: Option<LazySession<T>>,
    ) -> Self {
        Self {
            inner,
            session,
            outer,
            finishing: None,
        }
    }
}

impl<F, T, B> Future for ResponseFuture<F, T, B>
where
    F: Future<Output = Outcome<B>>,
    T: Send + Sync + 'static,
{
    type Output = Outcome<B>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(session) = this.session else {
            return this.inner.poll(context);
        };
        if this.finishing.is_none() {
            let outcome = ready!(this.inner.poll(context)).and_then(refuse_unseen);
            if let (Ok(response), Some(outer)) = (&outcome, this.outer.take()) {
                response.request().extensions_mut().insert(outer);
            }
            if let Some(effect) = session.respond_now() {
                return Poll::Ready(with_effect(outcome, effect, session));
            }
            let session = session.clone();
            *this.finishing = Some(Box::new(Finishing {
                outcome: Some(outcome),
                effect: Box::pin(async move { session.finish().await }),
            }));
        }
        let finishing = this.finishing.as_mut().expect("it was set a moment ago");
        let effect = ready!(finishing.effect.as_mut().poll(context));
        let outcome = finishing
            .outcome
            .take()
            .expect("a future is not polled after it answered");
        Poll::Ready(with_effect(outcome, effect, session))
    }
}

/// Trouble that was taken for "nobody is signed in" is not answered that way: see [`Unseen`].
fn refuse_unseen<B>(response: ServiceResponse<B>) -> Outcome<B> {
    match Unseen::error(response.request()) {
        Some(error) => Err(error.into()),
        None => Ok(response),
    }
}

fn with_effect<T: Send + Sync + 'static, B>(
    outcome: Outcome<B>,
    effect: ResponseEffect,
    session: &LazySession<T>,
) -> Outcome<B> {
    match outcome {
        Ok(mut response) => {
            apply(effect, session.carrier(), response.headers_mut());
            Ok(response)
        }
        Err(error) if !effect.is_nothing() => {
            let carrier = session.carrier().clone();
            Err(ErrorWithSession::new(error, effect, carrier).into())
        }
        Err(error) => Err(error),
    }
}

impl<F, T, B> fmt::Debug for ResponseFuture<F, T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
