//! Private, throw-away database servers for Cloakroom's own tests: each on a free port, with its data under
//! `target/`, gone when the value is dropped or the test process ends, however it ends.
//!
//! ```no_run
//! use cloakroom_testservers::{Postgres, or_skip};
//!
//! let Some(server) = or_skip(Postgres::start()) else {
//!     return;
//! };
//! println!("{}", server.url());
//! ```

mod binary;
mod error;
mod mariadb;
mod place;
mod port;
mod postgres;
mod redis;
mod redis_cluster;
mod server;

pub use error::{StartError, or_skip};
pub use mariadb::MariaDb;
pub use port::Port;
pub use postgres::Postgres;
pub use redis::Redis;
pub use redis_cluster::RedisCluster;
pub use server::Server;
