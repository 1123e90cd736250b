//! The engine without a framework: cookies go in, effects come out. Each test opens "requests" on one set of
//! sessions and looks at what the store was asked.

mod clients;
mod confirmation;
mod csrf;
mod ended;
mod fixture;
mod freshness;
mod held;
mod id_header;
mod lifetimes;
mod limits;
mod operations;
mod pre_sessions;
mod races;
mod renewal;
mod several;
mod trouble;
mod verbs;
