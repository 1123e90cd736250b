//! [Cloakroom](cloakroom) sessions for [actix-web](https://docs.rs/actix-web).
//!
//! [`SessionMiddleware`] goes around the application, a scope or a resource; [`CurrentSession`] is the session
//! in a handler, [`SessionData`] its data or a 401, [`FreshSession`] the session of somebody who signed in a moment
//! ago or a 403, [`LazySession`] the session without loading it.
//!
//! ```
//! use actix_web::{App, HttpServer, web};
//! use cloakroom::{MemoryStore, Secret, Sessions};
//! use cloakroom_actix::{CurrentSession, SessionData, SessionError, SessionMiddleware};
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
//! // Once, for all workers.
//! let sessions: Sessions<User> = Sessions::builder(MemoryStore::new(), Secret::generate()?).build()?;
//! let server = HttpServer::new(move || {
//!     App::new()
//!         .wrap(SessionMiddleware::new(sessions.clone()))
//!         .route("/sign-in", web::post().to(sign_in))
//!         .route("/whoami", web::get().to(whoami))
//! });
//! # drop(server);
//! # Ok::<(), cloakroom::Error>(())
//! ```
//!
//! # In other middleware
//!
//! A guard in front of handlers is a function with the same extractors. What it loads and changes, the
//! handlers behind it see; the response carries one cookie for all of them, also if the guard refuses.
//!
//! ```
//! use actix_web::body::MessageBody;
//! use actix_web::dev::{ServiceRequest, ServiceResponse};
//! use actix_web::middleware::{Next, from_fn};
//! use actix_web::{App, Error, test, web};
//! use cloakroom::{MemoryStore, Secret, Sessions};
//! use cloakroom_actix::{SessionData, SessionMiddleware};
//!
//! async fn signed_in(
//!     _: SessionData<String>,
//!     request: ServiceRequest,
//!     next: Next<impl MessageBody>,
//! ) -> Result<ServiceResponse<impl MessageBody>, Error> {
//!     next.call(request).await
//! }
//!
//! # actix_web::rt::System::new().block_on(async {
//! let sessions: Sessions<String> = Sessions::builder(MemoryStore::new(), Secret::generate()?).build()?;
//! let app = App::new()
//!     .service(
//!         web::scope("/account")
//!             .wrap(from_fn(signed_in))
//!             .route("", web::get().to(async || "your account")),
//!     )
//!     // What is wrapped last comes first.
//!     .wrap(SessionMiddleware::new(sessions));
//!
//! let app = test::init_service(app).await;
//! let request = test::TestRequest::get().uri("/account").to_request();
//! let refused = test::try_call_service(&app, request).await.expect_err("nobody is signed in");
//! assert_eq!(refused.error_response().status(), 401);
//! # Ok::<(), cloakroom::Error>(())
//! # }).unwrap();
//! ```
//!
//! A middleware written by hand finds the session among the request's extensions:
//! `request.extensions().get::<cloakroom::LazySession<User>>()`.
//!
//! # Several types of session
//!
//! One middleware for each type, each with a cookie name, or a header, of its own. An error that an inner
//! middleware returns is wrapped on its way out, so that its response carries the session's cookie or header; look
//! for your own error type inside of [`SessionMiddleware`], not outside.

mod error;
mod extract;
mod fresh;
mod future;
mod head;
mod headers;
mod layer;
mod service;
mod unseen;

pub use error::SessionError;
pub use extract::{CurrentSession, LazySession, SessionData};
pub use fresh::FreshSession;
pub use future::ResponseFuture;
pub use layer::SessionMiddleware;
pub use service::SessionService;
