use std::fmt;
use std::future::Future;
use std::mem::replace;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::dev::ServiceResponse;
use actix_web::{Error, HttpMessage};
use cloakroom::{LazySession, ResponseEffect};
use pin_project_lite::pin_project;

use crate::error::ErrorWithSession;
use crate::headers::apply;
use crate::unseen::Unseen;

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

type Outcome<B> = Result<ServiceResponse<B>, Error>;

enum Session<T, B> {
    /// An outer middleware sees to it, or it is done.
    None,
    InUse(InUse<T>),
    /// The store is told that an idle session was used.
    Finishing(Box<Finishing<T, B>>),
}

/// What is kept of a request until it is answered.
pub(crate) struct InUse<T> {
    pub(crate) session: LazySession<T>,
    /// That of a middleware further out, of other sessions. A request's extensions are the same for all of them.
    pub(crate) outer: Option<LazySession<T>>,
    pub(crate) unseen: Unseen,
}

struct Finishing<T, B> {
    session: LazySession<T>,
    outcome: Option<Outcome<B>>,
    effect: Pin<Box<dyn Future<Output = ResponseEffect>>>,
}

impl<F, T, B> ResponseFuture<F, T, B> {
    pub(crate) fn new(inner: F, session: Option<InUse<T>>) -> Self {
        Self {
            inner,
            session: session.map_or(Session::None, Session::InUse),
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
        if let Session::Finishing(finishing) = this.session {
            return finishing.poll(context);
        }
        let outcome = ready!(this.inner.poll(context));
        let Session::InUse(in_use) = replace(this.session, Session::None) else {
            return Poll::Ready(outcome);
        };
        let InUse {
            session,
            outer,
            unseen,
        } = in_use;
        // With an error no request comes back: that this one's extensions keep the inner sessions is a limit, see
        // `SessionMiddleware`.
        if let (Ok(response), Some(outer)) = (&outcome, outer) {
            response.request().extensions_mut().insert(outer);
        }
        let outcome = unseen.refuse(outcome);
        if let Some(effect) = session.respond_now() {
            return Poll::Ready(with_effect(outcome, effect, &session));
        }
        let told = session.clone();
        let mut finishing = Box::new(Finishing {
            session,
            outcome: Some(outcome),
            effect: Box::pin(async move { told.finish().await }),
        });
        let polled = finishing.poll(context);
        *this.session = Session::Finishing(finishing);
        polled
    }
}

impl<T, B> Session<T, B> {
    /// No response carries an id any more, but whoever kept the session may still ask for one.
    #[cold]
    fn abandon(&self) {
        match self {
            Self::None => {}
            Self::InUse(in_use) => in_use.session.abandon(),
            // Perhaps it is over.
            Self::Finishing(finishing) => finishing.session.abandon(),
        }
    }
}

impl<T: Send + Sync + 'static, B> Finishing<T, B> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Outcome<B>> {
        let effect = ready!(self.effect.as_mut().poll(context));
        let outcome = self
            .outcome
            .take()
            .expect("a future is not polled after it answered");
        Poll::Ready(with_effect(outcome, effect, &self.session))
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
