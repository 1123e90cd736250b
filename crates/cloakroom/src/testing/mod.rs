//! For the tests of applications: a request that is signed in, in one line, and what a response did to the session.
//! With the feature `testing`, which belongs into `[dev-dependencies]`.
//!
//! The time is moved with a [`ManualClock`](crate::ManualClock), given to the store and to the
//! [builder](crate::SessionsBuilder::clock).
//!
//! ```
//! use cloakroom::testing::{Visitor, sign_in};
//! use cloakroom::{ManualClock, MemoryStore, Secret, Sessions, Timestamp};
//! use std::time::Duration;
//!
//! # futures_lite::future::block_on(async {
//! let clock = ManualClock::at(Timestamp::from_millis(0));
//! let store = MemoryStore::builder().clock(clock.clone()).build();
//! let sessions = Sessions::builder(store, Secret::generate()?).clock(clock.clone()).build()?;
//!
//! // The value of a `Cookie` field for any test client.
//! let cookie = sign_in(&sessions, "ada".to_owned()).await?;
//! let field: &str = cookie.as_str();
//!
//! // Or somebody who keeps the cookie from response to response.
//! let mut ada = Visitor::with(cookie);
//! let request = sessions.for_request([ada.cookie_field()]);
//! request.logout().await?;
//! let response = request.finish().await;
//! ada.receive(&sessions, response.set_cookie()).expect_removed();
//! assert_eq!(ada.cookie_field(), "");
//!
//! clock.advance(Duration::from_secs(3600));
//! # Ok::<(), cloakroom::Error>(())
//! # }).unwrap();
//! ```
//!
//! Where a header carries the id it is the same line:
//!
//! ```
//! use cloakroom::testing::sign_in;
//! use cloakroom::{IdHeader, MemoryStore, Secret, Sessions};
//!
//! # futures_lite::future::block_on(async {
//! let sessions = Sessions::builder(MemoryStore::new(), Secret::generate()?)
//!     .id_in_header(IdHeader::bearer())
//!     .build()?;
//! let header = sign_in(&sessions, "ada".to_owned()).await?;
//! assert_eq!(header.field_name(), "authorization");
//! assert!(header.as_str().starts_with("Bearer "));
//! # Ok::<(), cloakroom::Error>(())
//! # }).unwrap();
//! ```

mod cookie;
mod effect;
mod visitor;

pub use cookie::{SessionCookie, sign_in, stored};
pub use effect::CookieEffect;
pub use visitor::Visitor;
