//! [Cloakroom](cloakroom) sessions for [tower](https://docs.rs/tower) services, with extractors for
//! [axum](https://docs.rs/axum).
//!
//! [`SessionLayer`] goes around the application; [`CurrentSession`] is the session in a handler,
//! [`SessionData`] its data or a 401, [`FreshSession`] the session of somebody who signed in a moment ago or a 403,
//! [`LazySession`] the session without loading it.
//!
//! ```
//! use axum::{Router, routing::{get, post}};
//! use cloakroom::{MemoryStore, Secret, Sessions};
//! use cloakroom_tower::{CurrentSession, SessionData, SessionError, SessionLayer};
//!
//! #[derive(Clone)]
//! struct User {
//!     name: String,
//! }
//!
//! async fn sign_in(session: CurrentSession<User>) -> Result<&'static str, SessionError> {
//!     session.resave(User { name: "ada".to_owned() }).await?;
//!     Ok("welcome")
//! }
//!
//! async fn whoami(SessionData(user): SessionData<User>) -> String {
//!     user.name.clone()
//! }
//!
//! let sessions: Sessions<User> = Sessions::builder(MemoryStore::new(), Secret::generate()?).build()?;
//! let app: Router = Router::new()
//!     .route("/sign-in", post(sign_in))
//!     .route("/whoami", get(whoami))
//!     .layer(SessionLayer::new(sessions));
//! # Ok::<(), cloakroom::Error>(())
//! ```
//!
//! Without axum, a service finds the session among the request's extensions:
//! `request.extensions().get::<cloakroom::LazySession<User>>()`.

#[cfg(feature = "axum")]
mod error;
mod extensions;
#[cfg(feature = "axum")]
mod extract;
#[cfg(feature = "axum")]
mod fresh;
mod future;
mod head;
mod headers;
mod layer;
mod service;

#[cfg(feature = "axum")]
pub use error::SessionError;
#[cfg(feature = "axum")]
pub use extract::{CurrentSession, LazySession, SessionData};
#[cfg(feature = "axum")]
pub use fresh::FreshSession;
pub use future::ResponseFuture;
pub use layer::SessionLayer;
pub use service::SessionService;
