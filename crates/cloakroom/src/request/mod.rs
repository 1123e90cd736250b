//! One request's session: what was presented, what was loaded, what the handler did, what the response needs.

mod current_session;
mod exchange;
mod lazy_session;
mod others;
mod queue;
mod resave;
mod response;
mod state;
mod update;
mod verbs;

pub use current_session::CurrentSession;
pub use lazy_session::LazySession;
pub use resave::Resave;
pub use response::{ResponseEffect, vary_has_cookie};

pub(crate) use exchange::Exchange;
pub(crate) use queue::Queues;

#[cfg(test)]
mod tests;
