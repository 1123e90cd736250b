use std::fmt;
use std::sync::Arc;

use cloakroom_store::Handle;

use crate::Error;

/// Something that happened to a session, for audit logs, alarms and figures.
///
/// Sessions are named by their [`Handle`]: no event carries an id, a key or the application's data. The same
/// events go to `tracing` under the target `cloakroom`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A session was stored for the first time.
    Created {
        /// The session.
        handle: Handle,
    },
    /// A cookie with a good signature named a session that is not there: signed out, expired, never saved.
    NotFound {
        /// The name that it would have.
        handle: Handle,
    },
    /// A session was found to have expired.
    Expired {
        /// The session.
        handle: Handle,
    },
    /// A cookie of the session's name carried nothing that one of the keys signed. Many of these are somebody
    /// guessing, or a secret that was changed without keeping the old one.
    InvalidCookie,
    /// A request carried two valid ids, more cookies of the name than are looked at, or more bytes of cookies
    /// than are looked through (16 KiB). It was treated as having no session. Somebody may be planting cookies.
    AmbiguousCookies,
    /// A session moved to a fresh id.
    Rotated {
        /// Its name before.
        from: Handle,
        /// Its name now.
        to: Handle,
    },
    /// A session's idle time-out began anew.
    Touched {
        /// The session.
        handle: Handle,
    },
    /// A session was ended.
    Destroyed {
        /// The session.
        handle: Handle,
    },
    /// A write found that the session had ended meanwhile. Nothing was written.
    Gone {
        /// The session.
        handle: Handle,
    },
    /// A write found that another request had been faster. Nothing was written.
    Conflict {
        /// The session.
        handle: Handle,
    },
    /// A stored session does not decode: it counts as absent and is left as it is.
    Undecodable {
        /// The session.
        handle: Handle,
        /// Why, for the log.
        error: &'a Error,
    },
    /// The store failed.
    StoreFailed {
        /// Why, for the log.
        error: &'a Error,
    },
}

type Hook = Arc<dyn Fn(&Event<'_>) + Send + Sync>;

/// Where events go.
#[derive(Clone, Default)]
pub(crate) struct Events {
    hook: Option<Hook>,
}

impl Events {
    pub(crate) fn to(hook: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        Self {
            hook: Some(Arc::new(hook)),
        }
    }

    /// The event is put together only if somebody listens: a handle costs a hash.
    pub(crate) fn emit<'a>(&self, event: impl FnOnce() -> Event<'a>) {
        if self.hook.is_none() && !tracing::enabled!(target: "cloakroom", tracing::Level::ERROR) {
            return;
        }
        let event = event();
        log(&event);
        if let Some(hook) = &self.hook {
            hook(&event);
        }
    }
}

fn log(event: &Event<'_>) {
    match event {
        Event::Created { handle } => {
            tracing::debug!(target: "cloakroom", session = %handle, "session created");
        }
        Event::NotFound { handle } => {
            tracing::debug!(target: "cloakroom", session = %handle, "no such session");
        }
        Event::Expired { handle } => {
            tracing::debug!(target: "cloakroom", session = %handle, "session expired");
        }
        Event::InvalidCookie => {
            tracing::debug!(target: "cloakroom", "session cookie without a valid signature");
        }
        Event::AmbiguousCookies => {
            tracing::warn!(target: "cloakroom", "several session cookies, or too many cookies: none used");
        }
        Event::Rotated { from, to } => {
            tracing::debug!(target: "cloakroom", session = %to, %from, "session rotated");
        }
        Event::Touched { handle } => {
            tracing::trace!(target: "cloakroom", session = %handle, "session touched");
        }
        Event::Destroyed { handle } => {
            tracing::debug!(target: "cloakroom", session = %handle, "session destroyed");
        }
        Event::Gone { handle } => {
            tracing::debug!(target: "cloakroom", session = %handle, "session ended before it was written");
        }
        Event::Conflict { handle } => {
            tracing::debug!(target: "cloakroom", session = %handle, "another request wrote the session first");
        }
        Event::Undecodable { handle, error } => {
            tracing::warn!(target: "cloakroom", session = %handle, error = %causes(error), "stored session does not decode");
        }
        Event::StoreFailed { error } => {
            tracing::error!(target: "cloakroom", error = %causes(error), "session store failed");
        }
    }
}

/// An error with all its causes in one line.
pub(crate) fn causes(error: &dyn std::error::Error) -> impl fmt::Display {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events")
            .field("hook", &self.hook.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    use cloakroom_store::{StoreError, StoreErrorKind};
    use tracing::{Level, Metadata, Subscriber, span};

    /// A log that takes errors only.
    struct Errors(Arc<AtomicU32>);

    impl Subscriber for Errors {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            *metadata.level() == Level::ERROR
        }

        fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
            span::Id::from_u64(1)
        }

        fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

        fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

        fn event(&self, _: &tracing::Event<'_>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }

        fn enter(&self, _: &span::Id) {}

        fn exit(&self, _: &span::Id) {}
    }

    #[test]
    fn a_log_that_takes_errors_only_gets_them() {
        let errors = Arc::new(AtomicU32::new(0));
        let down = StoreError::new(StoreErrorKind::Unavailable, "no answer");
        let error = Error::store(down);
        tracing::subscriber::with_default(Errors(Arc::clone(&errors)), || {
            let events = Events::default();
            events.emit(|| Event::StoreFailed { error: &error });
            events.emit(|| Event::AmbiguousCookies);
        });
        assert_eq!(errors.load(Ordering::Relaxed), 1);
    }
}
