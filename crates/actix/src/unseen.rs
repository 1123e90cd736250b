use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::{Error, HttpMessage, HttpRequest};
use cloakroom::ErrorKind;

use crate::SessionError;

/// Trouble that extractors of this request answered, until somebody looks at it.
///
/// actix-web makes `None` of any error where a handler takes `Option` of an extractor, so a store that is down, or a
/// middleware that was forgotten, would look like nobody being signed in. What is answered then is not sent; this is how
/// that is noticed.
///
/// Among the request's extensions, for the extractors, and in the future of each session middleware around it: an error
/// comes back without the request, and whoever kept a clone of the request would be in the way of the routing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unseen(Rc<RefCell<Vec<Trouble>>>);

/// What an error said, to say it again: the error itself is the handler's.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    pub(crate) kind: ErrorKind,
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<Duration>,
    seen: Arc<AtomicBool>,
}

impl Unseen {
    /// That of the request: all its session middleware share one.
    pub(crate) fn of(request: &ServiceRequest) -> Self {
        let mut extensions = request.extensions_mut();
        match extensions.get::<Self>() {
            Some(unseen) => unseen.clone(),
            None => {
                let unseen = Self::default();
                extensions.insert(unseen.clone());
                unseen
            }
        }
    }

    /// Makes an extractor's error one that has to be looked at.
    pub(crate) fn watch(request: &HttpRequest, error: impl Into<SessionError>) -> SessionError {
        let error = error.into();
        let seen = Arc::new(AtomicBool::new(false));
        if let Some(Self(troubles)) = request.extensions().get() {
            troubles.borrow_mut().push(Trouble {
                kind: error.kind(),
                status: error.status(),
                retry_after: error.retry_after(),
                seen: Arc::clone(&seen),
            });
        }
        error.when_seen(seen)
    }

    /// What goes out instead of an answer that was given without looking at the trouble.
    pub(crate) fn refuse<B>(
        &self,
        outcome: Result<ServiceResponse<B>, Error>,
    ) -> Result<ServiceResponse<B>, Error> {
        if self.0.borrow().is_empty() {
            return outcome;
        }
        if let Err(error) = &outcome {
            // Asking is looking: an extractor's own error, returned as it is or wrapped, says what it has to say.
            let status = error.as_response_error().status_code();
            if status.is_server_error() {
                return outcome;
            }
        }
        // Said once: an outer middleware is not to say it again over what this one adds to the response.
        let mut troubles = self.0.take().into_iter();
        match troubles.find(|trouble| !trouble.seen.load(Ordering::Relaxed)) {
            Some(unseen) => Err(SessionError::unseen(unseen).into()),
            None => outcome,
        }
    }
}
