//! Counts the statements that the SQL driver reports to `tracing`: for SQLite, which has no wire.

use std::sync::atomic::{AtomicU64, Ordering};

use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

static COUNT: AtomicU64 = AtomicU64::new(0);

struct Counter;

impl<S: Subscriber> Layer<S> for Counter {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "sqlx::query" {
            COUNT.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// From now on, in this process.
pub fn listen() {
    let subscriber = tracing_subscriber::registry().with(Counter);
    tracing::subscriber::set_global_default(subscriber).expect("it is set once");
}

pub fn count() -> u64 {
    COUNT.load(Ordering::SeqCst)
}
