//! One request's session: what was presented, what was loaded, what the handler did, what the response needs.

mod csrf;
mod current_session;
mod end;
mod exchange;
mod head;
mod lazy_session;
mod load;
mod mint;
mod owner;
mod queue;
mod resave;
mod response;
mod rotate;
mod spare;
mod state;
mod touch;
mod turns;
mod update;
mod write;

pub use current_session::CurrentSession;
pub use head::RequestHead;
pub use lazy_session::LazySession;
pub use resave::Resave;
pub use response::{ResponseEffect, is_for_some_caches, vary_has};

pub(crate) use exchange::Exchange;
pub(crate) use queue::Queues;
pub(crate) use spare::begin;

#[cfg(test)]
mod tests;
