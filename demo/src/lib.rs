//! A small shop that shows what [Cloakroom](cloakroom) does: sign in, fill a cart from many requests at once,
//! sign out while a slow request is still running; see your devices, and sign them out from afar.
//!
//! `cargo demo` starts it; `cargo demo --help` lists its options. Everything that the page does goes through a
//! JSON interface, so that it can be tried with `curl` as well:
//!
//! | request | does | answers |
//! |---|---|---|
//! | `GET /`, `GET /devices` | the pages | 200 |
//! | `GET /api/ping` | never touches the session | 200 `{"ok":true}` |
//! | `POST /api/login` `{"name":"ada"}` | [`resave`](cloakroom::CurrentSession::resave), with a cookie that goes with the browser; with `"remember":true` it stays, and the session lasts longer | 200 `{"name":"ada","cart":[]}`, 400 on an empty name or bad JSON |
//! | `GET /api/me` | reads the session | 200 with the same shape, 401 `{"error":"not signed in"}` |
//! | `POST /api/cart` `{"item":"tea","work_ms":5}` | [`update_async`](cloakroom::CurrentSession::update_async) with that much work in the middle | 200 with the new cart, 401 |
//! | `POST /api/cart/save` `{"item":"tea","work_ms":5}` | reads, works, then [`save`](cloakroom::CurrentSession::save) | 200 with the new cart, 409 if another request was faster, 401 |
//! | `POST /api/visit` | [`update_or_default`](cloakroom::CurrentSession::update_or_default), signed in or not | 200 `{"visits":n}` |
//! | `POST /api/destroy` | [`destroy`](cloakroom::LazySession::destroy): the data goes, the cookie stays | 204 |
//! | `POST /api/logout` | [`logout`](cloakroom::LazySession::logout): both go | 204 |
//! | `GET /api/sessions` | [`devices`](cloakroom::CurrentSession::devices): the shopper's sessions, the oldest first | 200 `[{"handle":"…","created_at":ms,"last_seen_at":ms,"expires_at":ms,"user_agent":"…","address":"…","current":true}]`, 401 |
//! | `DELETE /api/sessions/{handle}` | [`destroy_device`](cloakroom::CurrentSession::destroy_device) | 204, 404 if it is none of the shopper's, 401 |
//! | `POST /api/logout-others` | [`destroy_others`](cloakroom::CurrentSession::destroy_others) | 200 `{"ended":n}`, 401 |
//! | `POST /api/logout-everywhere` | [`logout_everywhere`](cloakroom::CurrentSession::logout_everywhere) | 200 `{"ended":n}`, 401 |
//! | `GET /api/live` | [`ended`](cloakroom::CurrentSession::ended) | 200, server-sent events: `live` at once, `ended` with the session, then the end; 401 |
//! | `POST /api/sudo` | [`require_fresh`](cloakroom::CurrentSession::require_fresh): something for which one must have signed in less than 60 seconds ago | 200 `{"ok":true}`, 403 `{"error":"not_fresh"}`, 401 |
//! | `POST /api/reauthenticate` `{"name":"ada"}` | [`reauthenticate`](cloakroom::CurrentSession::reauthenticate): then it is allowed again | 200 as `/api/me`, 403 if it is another name, 401 |
//!
//! Every error is `{"error":"…"}`; 503 with `Retry-After` where the session store does not answer. A request
//! with a body needs `Content-Type: application/json`.
//!
//! [`app()`] is the whole application as an [`axum::Router`], without a socket: what the tests use.

mod api;
mod app;
mod error;
mod headers;
mod json;
mod options;
mod page;
mod secret_file;
mod serve;
mod settings;
mod shopper;
mod start_error;
mod stop;
mod store;

pub use app::app;
pub use options::Options;
pub use secret_file::secret_from_file;
pub use serve::run;
pub use settings::Settings;
pub use shopper::{InvalidText, Item, Name, Shopper};
pub use start_error::StartError;
pub use stop::{Stop, StopSwitch};
pub use store::{InvalidStoreUrl, StoreUrl};

/// The program in the README: it compiles, with the crates that it names.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

/// What the guide shows.
#[cfg(doctest)]
#[doc = include_str!("../../docs/sign-in.md")]
struct SignIn;
