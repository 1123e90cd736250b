use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use cloakroom_store::{Clock, SystemClock};

use super::MemoryStore;

/// Configures a [`MemoryStore`].
///
/// ```
/// use cloakroom::{MemoryStore, WhenFull};
///
/// let store: MemoryStore<String> = MemoryStore::builder()
///     .max_sessions(10_000)
///     .when_full(WhenFull::EvictSoonestToExpire)
///     .build();
/// ```
#[derive(Debug)]
#[must_use = "nothing is made until `build` is called"]
pub struct MemoryStoreBuilder<T> {
    settings: Settings,
    data: PhantomData<fn() -> T>,
}

/// What a full [`MemoryStore`] does with one session more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenFull {
    /// Refuses it with [`Full`](cloakroom_store::StoreErrorKind::Full). Those who are signed in stay so.
    Refuse,
    /// Ends another session, one that would end soon by itself. Approximate: about the one that ends soonest, or
    /// was to before it was last used. Ends that are apart by less than an eighth of what was left may count as one: of
    /// those sessions about the one goes that began first, or got its id first, so not the one that has just signed in.
    /// Sessions without any limit are never ended.
    EvictSoonestToExpire,
}

#[derive(Debug)]
pub(super) struct Settings {
    pub(super) max_sessions: usize,
    pub(super) when_full: WhenFull,
    pub(super) purge_interval: Option<Duration>,
    pub(super) clock: Arc<dyn Clock>,
}

impl<T: Send + Sync + 'static> MemoryStoreBuilder<T> {
    pub(super) fn new() -> Self {
        Self {
            settings: Settings {
                max_sessions: 1_000_000,
                when_full: WhenFull::Refuse,
                purge_interval: Some(Duration::from_secs(1)),
                clock: Arc::new(SystemClock),
            },
            data: PhantomData,
        }
    }

    /// How many sessions there may be at once. Default: one million. About as many trails of renewed sessions are
    /// kept beside them; beyond that, those go first that would go soonest, and of those the oldest.
    pub fn max_sessions(mut self, max_sessions: usize) -> Self {
        self.settings.max_sessions = max_sessions;
        self
    }

    /// What happens beyond that. Default: [`WhenFull::Refuse`].
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.settings.when_full = when_full;
        self
    }

    /// How often the store's thread looks for what has expired. Zero for no thread: then call
    /// [`purge_expired`](cloakroom_store::Enumerate::purge_expired). Default: one second.
    pub fn purge_interval(mut self, interval: Duration) -> Self {
        self.settings.purge_interval = (!interval.is_zero()).then_some(interval);
        self
    }

    /// Where the time comes from. Default: [`SystemClock`].
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.settings.clock = Arc::new(clock);
        self
    }

    /// Makes the store and starts its thread.
    #[must_use]
    pub fn build(self) -> MemoryStore<T> {
        MemoryStore::with_settings(self.settings)
    }
}
