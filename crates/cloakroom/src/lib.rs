//! Typed sessions, kept on the server, found again by a signed id in a cookie, or in a header.
//!
//! This crate is the engine: ids and signatures, the key ring, cookies, expiry, [`Sessions`],
//! [`CurrentSession`] and [`MemoryStore`]. It knows no web framework and no database; web applications use it
//! through an adapter (`cloakroom-tower` with axum extractors) and stores such as `cloakroom-sqlx`.
//!
//! Six promises:
//!
//! 1. A session that ended stays ended, even when a slow request saves after the logout.
//! 2. No update is lost silently.
//! 3. An id is never adopted: data is stored only under an id that this server minted for it.
//! 4. Trouble is not a logout: a store that is down is an error, not an anonymous visitor.
//! 5. A request pays only for what it uses.
//! 6. `Ok` means stored.
//!
//! # Where to find what
//!
//! - Configure: [`Sessions::builder`], [`SessionsBuilder`], [`Secret`], [`CookieOptions`].
//! - Clients that are no browsers: [`IdHeader`], [`SessionsBuilder::id_in_header`].
//! - During a request: [`CurrentSession`], or [`LazySession`] where nothing needs loading.
//! - Ids on their own: [`new_session_id`], [`verify_session_id`], [`SigningKey`], [`KeyRing`].
//! - Stores: [`MemoryStore`]; the contract, [`Store`], is re-exported from `cloakroom-store`.
//! - What happened: [`Event`]; what went wrong: [`Error`].
//! - What surrounds a sign-in (remember-me, devices, limits, forms), and how to come from another library: the guides
//!   [`docs/sign-in.md`](https://github.com/cloakroom-rs/cloakroom/blob/main/docs/sign-in.md) and
//!   [`docs/coming-from.md`](https://github.com/cloakroom-rs/cloakroom/blob/main/docs/coming-from.md).
//! - Features: `encryption` adds `EncryptionKeys`, for stores that encrypt; `metrics` counts events and times store operations through the `metrics` facade; `testing` has
//!   helpers for the tests of applications.
//! - Writing an adapter: [`Sessions::for_request`], [`RequestHead`], [`Carrier`], [`LazySession::finish`],
//!   [`ResponseEffect`].

mod base64url;
mod builder;
mod carrier;
mod client_address;
mod cookie;
mod csrf;
#[cfg(feature = "encryption")]
mod encryption_keys;
mod ended;
mod error;
mod event;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod id_header;
mod key_ring;
mod keyed_hash;
mod lifetimes;
mod memory;
mod owner;
mod presented;
mod random;
mod renew_ids;
mod request;
mod secret;
mod session_id;
mod session_info;
mod sessions;
mod storage;
mod successors;
#[cfg(feature = "testing")]
pub mod testing;

pub use builder::SessionsBuilder;
pub use carrier::Carrier;
pub use client_address::ClientAddress;
pub use cloakroom_store::{
    AdmitOutcome, Announcements, AtRest, ClientInfo, Clock, Ending, Entry, Enumerate, Expect,
    Handle, InvalidHandle, InvalidOwner, Listening, ManualClock, Owner, OwnerLimit, OwnerLimits,
    Record, Renewal, RotateOutcome, Seal, Sealed, SessionKey, SetOutcome, Store, StoreError,
    StoreErrorKind, StoreFuture, SystemClock, Times, Timestamp, Trail, WhenReached,
};
pub use cookie::{CookieName, CookieOptions, SameSite};
pub use csrf::CsrfToken;
#[cfg(feature = "encryption")]
pub use encryption_keys::EncryptionKeys;
pub use ended::Ended;
pub use error::{Error, ErrorKind};
pub use event::Event;
pub use id_header::IdHeader;
pub use key_ring::{KeyRing, SigningKey};
pub use memory::{MemoryStore, MemoryStoreBuilder, WhenFull};
pub use owner::IntoOwner;
pub use renew_ids::RenewIds;
pub use request::{
    CurrentSession, LazySession, RequestHead, Resave, ResponseEffect, is_for_some_caches, vary_has,
};
pub use secret::Secret;
pub use session_id::{
    InvalidSessionId, SessionId, SignedSessionId, new_session_id, verify_session_id,
};
pub use session_info::SessionInfo;
pub use sessions::Sessions;
