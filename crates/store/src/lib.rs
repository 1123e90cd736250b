//! The store contract of [Cloakroom](https://docs.rs/cloakroom), the session library.
//!
//! A store keeps [`Record`]s under [`SessionKey`]s. Whoever writes one needs this crate only, and nothing
//! in its public API comes from a third party: standard types in, standard types out.
//!
//! - [`Store`] has three required methods: [`get`](Store::get), [`set`](Store::set) and
//!   [`destroy`](Store::destroy). Three more are provided, correct but slower than what an engine can do
//!   itself: [`touch`](Store::touch), [`rotate`](Store::rotate), [`replace`](Store::replace).
//! - A store may offer more: [`Enumerate`] to list, count, clear, purge and find by owner; [`OwnerLimits`] to
//!   limit how many sessions an owner has; [`Renewal`] to find a session whose id was renewed a moment ago;
//!   [`Announcements`] to tell other processes that a session ended.
//! - [`AtRest`] and [`Seal`] are for stores that encrypt the data that they write.
//! - There is no "write whatever is there": every write says what it [expects](Expect), because an upsert
//!   brings sessions back to life that ended while a slow request was still running.
//! - The module `conformance`, behind the feature of that name, checks the laws on any store.
//!
//! # The laws
//!
//! 1. [`get`](Store::get) answers the last acknowledged [`set`](Store::set) of that key (linearizable per key).
//! 2. Absent, expired and destroyed are all `None`; none of them is an error.
//! 3. [`Expect::Absent`] succeeds only where no live record is, [`Expect::Present`] only where one is,
//!    [`Expect::Version`] only on that version. Of two concurrent sets with one expectation exactly one wins.
//! 4. After [`destroy`](Store::destroy) returned, no `touch`, `rotate` or `set` with `Present` or `Version`
//!    succeeds on that key, ever.
//! 5. [`touch`](Store::touch) and [`rotate`](Store::rotate) never create and never change data.
//! 6. [`rotate`](Store::rotate) is atomic: at every moment one of the two keys is live, not both; where an
//!    engine cannot do that, the old key dies first.
//! 7. An acknowledged write survives `kill -9` of the application and, on a durable store, of the server.
//! 8. Expired records leave: never returned, purged in batches without a full scan, their index entries too,
//!    their memory given back. [`purge_expired`](Enumerate::purge_expired) never removes a session that was
//!    refreshed meanwhile.
//! 9. Listing by owner never misses a live session and never shows a dead one, without any background listener.
//! 10. A store that cannot answer returns [`Unavailable`](StoreErrorKind::Unavailable) within its time-out. It
//!     never returns `None` for that.
//! 11. One undecodable record harms that session only.
//! 12. A payload over the limit is refused before anything is written.
//! 13. Time zones, a clock that steps back, years past 2038: nothing changes.
//! 14. [`admit`](OwnerLimits::admit) never lets an owner have more live sessions than the limit, however many sign
//!     in at once; who is refused changes nothing; nobody is refused while there is room.
//! 15. [`renew`](Renewal::renew) is a `rotate` with a trail: whoever finds the old key dead finds the trail. The
//!     trail makes nothing live, and goes with its time.

mod announcements;
mod at_rest;
mod client_info;
mod clock;
mod enumerate;
mod error;
mod fallback;
mod future;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod handle;
mod key;
mod limits;
mod outcome;
mod owner;
mod record;
mod renewal;
mod seal;
mod store;
mod times;
mod timestamp;

#[cfg(feature = "conformance")]
pub mod conformance;

pub use announcements::{Announcements, Ending, Listening};
pub use at_rest::{AtRest, Sealed};
pub use client_info::ClientInfo;
pub use clock::{Clock, ManualClock, SystemClock};
pub use enumerate::{Entry, Enumerate};
pub use error::{StoreError, StoreErrorKind};
pub use future::StoreFuture;
pub use handle::{Handle, InvalidHandle};
pub use key::SessionKey;
pub use limits::{AdmitOutcome, OwnerLimit, OwnerLimits, WhenReached};
pub use outcome::{Expect, RotateOutcome, SetOutcome};
pub use owner::{InvalidOwner, Owner};
pub use record::Record;
pub use renewal::{Renewal, Trail};
pub use seal::Seal;
pub use store::Store;
pub use times::Times;
pub use timestamp::Timestamp;
