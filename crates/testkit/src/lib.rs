//! Every HTTP scenario of [Cloakroom](cloakroom), written once, run against each adapter over a real socket.
//!
//! - [`Framework`]: the small application that a framework brings. [`scenarios!`] makes its tests.
//! - [`TestApp`]: the application's logic, in the engine's types; its answers are [`Answer`]s and [`Failure`]s.
//! - [`scenarios`](mod@scenarios): what is tested, a file for each thing that is protected.
//! - For scenarios: a [`Kit`] starts [`Site`]s; a [`Visitor`] has a cookie jar; a [`Connection`] sends any bytes;
//!   a [`Gate`] holds requests up; a [`FaultyStore`] counts, fails and waits.
//!
//! Besides what each scenario asserts, every response must follow the rules that hold for all of them: the
//! grammar of `Set-Cookie`, one cookie of a name, `no-store` and `Vary` with a session's cookie. And when a
//! scenario is over, everything that was logged at TRACE and everything that was sent, apart from
//! `Set-Cookie`, is searched for ids, tags, keys, secrets and tokens.
//!
//! Run them with `cargo test -p cloakroom-tower -p cloakroom-actix`, or one of them by its name: `cargo test -p
//! cloakroom-tower --test axum fixation`.

mod answer;
mod app;
mod framework;
mod gate;
mod http1;
mod http2;
mod kit;
mod logs;
mod notebook;
mod request;
mod response;
pub mod scenarios;
mod set_cookie;
mod site;
mod store;
mod visitor;

pub use answer::{Answer, Body, Chunks, Failure};
pub use app::{Admin, Data, TestApp};
pub use framework::{Framework, Stop, Unlayered};
pub use gate::Gate;
pub use http1::Connection;
pub use kit::{InMemory, Kit, Plan, Stock, run, run_on};
pub use notebook::Notebook;
pub use request::Request;
pub use response::Response;
pub use set_cookie::SetCookie;
pub use site::Site;
pub use store::{FaultyStore, Op, STORE_FAILURE};
pub use visitor::{Meanwhile, Visitor};
