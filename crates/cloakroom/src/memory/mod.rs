//! Sessions in this process.

mod builder;
mod capacity;
mod enumerate;
mod key_hasher;
mod limits;
mod locked;
mod owner_index;
mod purger;
mod renewal;
mod shard;
mod store;

pub use builder::{MemoryStoreBuilder, WhenFull};
pub use store::MemoryStore;

#[cfg(test)]
mod tests;
