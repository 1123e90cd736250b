//! Password sign-in: argon2 for the passwords, a fresh session id at sign-in, routes for those who are signed
//! in, and remember-me.

mod accounts;
mod routes;

pub use accounts::{Accounts, User};
pub use routes::app;
