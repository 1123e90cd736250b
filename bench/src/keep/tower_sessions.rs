use std::collections::HashMap;

use serde_json::Value;
use tower_sessions::SessionStore;
use tower_sessions::session::{Id, Record};

use super::{Keep, READY};
use crate::Failure;

/// Any store of tower-sessions' for that version.
pub struct TowerSessions<S> {
    store: S,
    data: HashMap<String, Value>,
    ids: Vec<Id>,
    ready: Vec<Record>,
}

impl<S: SessionStore> TowerSessions<S> {
    pub fn new(store: S, data: Value) -> Self {
        let data = HashMap::from([("user".to_owned(), data)]);
        Self { store, data, ids: Vec::new(), ready: Vec::new() }
    }

    fn record(&self) -> Record {
        let expiry_date = time::OffsetDateTime::now_utc() + time::Duration::days(1);
        Record { id: Id::default(), data: self.data.clone(), expiry_date }
    }
}

impl<S: SessionStore> Keep for TowerSessions<S> {
    async fn add(&mut self) -> Result<(), Failure> {
        let mut record = self.record();
        self.store.create(&mut record).await?;
        self.ids.push(record.id);
        if self.ready.len() < READY {
            self.ready.push(record);
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
        let record = &self.ready[session % self.ready.len()];
        Ok(self.store.save(record).await?)
    }
}
