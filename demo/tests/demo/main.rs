//! The demo as its users meet it: over a socket, and as a program that is stopped, killed and started again.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod api;
mod client;
mod devices;
mod expiry;
mod live;
mod page;
mod parallel;
mod process;
mod server;
mod servers;
mod stores;
mod sudo;
mod trouble;
