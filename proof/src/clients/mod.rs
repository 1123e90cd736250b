//! Browsers that share cookie jars, and the requests that they send.

mod client;
mod jar;
mod plan;
mod visit;

pub(crate) use client::Client;
pub(crate) use jar::Jar;
