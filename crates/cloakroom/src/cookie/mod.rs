//! The cookie: its name, its attributes, how it is read and how it is written.

mod name;
mod options;
mod read;
mod write;

pub use name::CookieName;
pub use options::{CookieOptions, SameSite};

pub(crate) use read::read;
pub(crate) use write::CookieWriter;
