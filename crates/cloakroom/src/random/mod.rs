//! Random bytes of the operating system, fetched many at a time.

mod fork;
mod pool;

pub(crate) use pool::fill;
