use ruts::Id;
use ruts::store::moka::MokaStore;
use ruts::store::{SessionStore, Ttl};

use super::Keep;
use crate::Failure;
use crate::case::User;

pub struct Ruts {
    store: MokaStore,
    ids: Vec<Id>,
}

impl Ruts {
    pub fn new(sessions: u64) -> Self {
        let store = MokaStore::builder().max_capacity(sessions * 2).build();
        Self { store, ids: Vec::new() }
    }
}

fn day() -> Ttl {
    Ttl::new(86_400).expect("a sane lifetime")
}

impl Keep for Ruts {
    async fn add(&mut self) -> Result<(), Failure> {
        let id = Id::default();
        self.store.set(&id, "user", &User::ada(), day(), None).await?;
        self.ids.push(id);
        Ok(())
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.ids.swap(a, b);
    }

    async fn get(&self, session: usize) -> Result<(), Failure> {
        let user: Option<User> = self.store.get(&self.ids[session], "user").await?;
        std::hint::black_box(user).map(drop).ok_or_else(|| "it is gone".into())
    }

    async fn set(&self, session: usize) -> Result<(), Failure> {
        Ok(self.store.set(&self.ids[session], "user", &User::ada(), day(), None).await?)
    }
}
