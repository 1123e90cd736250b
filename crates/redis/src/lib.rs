//! [Cloakroom](https://docs.rs/cloakroom) sessions in Redis 7 or Valkey: one server, or a cluster.
//!
//! [`RedisStore`] keeps the whole [store contract](cloakroom_store): compare-and-set in a script on the server,
//! one round trip for each operation on one server, an index of each owner's sessions that needs neither
//! notifications nor `SCAN` to be right, and `Unavailable`, never "not signed in", when Redis is in trouble.
//!
//! ```no_run
//! use cloakroom_redis::RedisStore;
//!
//! # async fn example() -> Result<(), cloakroom_store::StoreError> {
//! // One server ...
//! let store = RedisStore::<Vec<String>>::connect("redis://127.0.0.1").await?;
//!
//! // ... or a cluster, by some of its servers.
//! let store = RedisStore::<Vec<String>>::connect("redis+cluster://a:6379,b:6379").await?;
//! # Ok(())
//! # }
//! ```
//!
//! The [guide] has the layout of the keys, the commands of each operation, what each durability setting risks,
//! sizing, and running many instances.
//!
//! | feature | what it adds |
//! |---|---|
//! | `tls` | `rediss://` and `rediss+cluster://`, with the certificates of the operating system |
//! | `messagepack` | `Codec::MessagePack` beside JSON |
//!
//! Everything runs on tokio, with its timer enabled.
//!
//! # The client
//!
//! The connections are those of the crate [`redis`](https://docs.rs/redis), the one with a release about every
//! month. `fred`, the other complete client, had none for more than a year when this was written, and brings a
//! third more crates along. Of `redis` only the plain multiplexed connection is used: it sends what it is given,
//! once, and says when it ends. Its connection manager keeps a connection that no longer answers. Its cluster
//! connection sends a command again whose connection broke, which is wrong for a write that may have
//! happened, and with that switched off follows no redirection either. So this crate
//! finds the server of a slot itself, follows `MOVED` and `ASK` itself, and gives up a connection that does not
//! answer in time, as those to a frozen or vanished machine do.

mod announcements;
mod builder;
mod cluster;
mod codec;
mod enumerate;
mod error;
#[cfg(all(any(test, fuzzing), feature = "messagepack"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod guide;
mod head;
mod home;
mod key_prefix;
mod layout;
mod limits;
mod link;
mod moment;
mod renewal;
mod reply;
mod script;
mod server;
mod session;
mod single;
mod spread;
mod store;

pub use builder::RedisStoreBuilder;
pub use codec::Codec;
pub use error::{RedisStoreError, RedisStoreErrorKind};
pub use key_prefix::{InvalidKeyPrefix, KeyPrefix};
pub use session::RedisStoreSession;
pub use store::RedisStore;
