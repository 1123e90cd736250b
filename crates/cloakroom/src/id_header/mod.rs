//! The id in a header instead of a cookie: which header, and how it is read.

mod name;
mod read;

pub use name::IdHeader;

pub(crate) use read::read;
