//! Sessions in this process.

mod builder;
mod capacity;
mod enumerate;
mod facts;
mod limits;
mod locked;
mod owned_keys;
mod owner_index;
mod purger;
mod renewal;
mod shard;
mod slots;
mod store;
mod sync;

pub use builder::{MemoryStoreBuilder, WhenFull};
pub use store::MemoryStore;

#[cfg(test)]
#[cfg(cloakroom_shuttle)]
mod interleavings;
#[cfg(test)]
#[cfg(not(cloakroom_shuttle))]
mod tests;
