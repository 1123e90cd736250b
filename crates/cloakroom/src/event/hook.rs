use std::fmt;
use std::sync::Arc;

use super::log::log;
use crate::Event;

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
        let unheard =
            self.hook.is_none() && !tracing::enabled!(target: "cloakroom", tracing::Level::ERROR);
        // Counted whether or not anybody else listens.
        if unheard && cfg!(not(feature = "metrics")) {
            return;
        }
        let event = event();
        #[cfg(feature = "metrics")]
        super::metrics::count(&event);
        log(&event);
        if let Some(hook) = &self.hook {
            hook(&event);
        }
    }
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
    use crate::Error;
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
