use std::collections::HashMap;

use serde_json::Value;
use tokio::sync::Mutex;
use tower_sessions_14::SessionStore;
use tower_sessions_14::session::{Id, Record};

use super::{Keep, READY};
use crate::Failure;

/// Any store of tower-sessions' for that version.
pub struct TowerSessions14<S> {
    store: S,
    data: HashMap<String, Value>,
    ids: Vec<Id>,
    ready: Vec<Mutex<Record>>,
}

impl<S: SessionStore> TowerSessions14<S> {
    pub fn new(store: S, data: Value) -> Self {
        let data = HashMap::from([("user".to_owned(), data)]);
        Self { store, data, ids: Vec::new(), ready: Vec::new() }
    }

    fn record(&self) -> Record {
        Record { id: Id::default(), data: self.data.clone(), expiry_date: in_a_day() }
    }
}

fn in_a_day() -> time::OffsetDateTime {
    time::OffsetDateTime::now_utc() + time::Duration::days(1)
}

impl<S: SessionStore> Keep for TowerSessions14<S> {
    async fn add(&mut self) -> Result<(), Failure> {
        let mut record = self.record();
        self.store.create(&mut record).await?;
        self.ids.push(record.id);
        if self.ready.len() < READY {
            self.ready.push(Mutex::new(record));
        }
        Ok(())
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.ids.swap(a, b);
    }

    async fn get(&self, session: usize) -> Result<(), Failure> {
        let record = self.store.load(&self.ids[session]).await?;
        std::hint::black_box(record).map(drop).ok_or_else(|| "it is gone".into())
    }

    async fn set(&self, session: usize) -> Result<(), Failure> {
        // As its `Session` does it: locked while it is saved, with a new end. Without one nothing would change, and
        // MariaDB and SQLite write nothing where nothing changes.
        let mut record = self.ready[session % self.ready.len()].lock().await;
        record.expiry_date = in_a_day();
        Ok(self.store.save(&record).await?)
    }
}
