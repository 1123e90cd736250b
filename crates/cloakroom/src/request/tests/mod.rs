//! The engine without a framework: cookies go in, effects come out. Each test opens "requests" on one set of
//! sessions and looks at what the store was asked.

mod fixture;
mod lifetimes;
mod operations;
mod pre_sessions;
mod races;
mod trouble;
mod verbs;
