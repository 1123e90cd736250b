//! The conformance suite: the fifteen [laws](crate#the-laws) as functions, for any [`Store`](crate::Store).
//!
//! Feature `conformance`, for the `dev-dependencies` of whoever writes a store. It needs no particular async
//! runtime, and its API names standard types only.
//!
//! A test of yours makes a [`Harness`], which says how to get a fresh store, and calls [`run_all`]. The store
//! keeps [`Payload`]s, `BTreeMap<String, Vec<u8>>`, and asks the clock that it is given.
//!
//! ```
//! use cloakroom_store::conformance::{self, Harness, Payload};
//! use cloakroom_store::*;
//! use std::collections::HashMap;
//! use std::sync::Mutex;
//!
//! #[derive(Debug)]
//! struct Shelf {
//!     records: Mutex<HashMap<SessionKey, Record<Payload>>>,
//!     clock: ManualClock,
//! }
//!
//! impl Store<Payload> for Shelf {
//!     // get, set, destroy: as in the example of `Store`.
//! #   fn get(&self, key: &SessionKey) -> StoreFuture<'_, Option<Record<Payload>>> {
//! #       let records = self.records.lock().expect("no panic while locked");
//! #       let live = records.get(key).filter(|record| !record.times.expired_at(self.clock.now()));
//! #       StoreFuture::ready(Ok(live.cloned()))
//! #   }
//! #   fn set(&self, key: &SessionKey, mut record: Record<Payload>, expect: Expect) -> StoreFuture<'_, SetOutcome> {
//! #       let now = self.clock.now();
//! #       let mut records = self.records.lock().expect("no panic while locked");
//! #       let live = records.get(key).filter(|record| !record.times.expired_at(now));
//! #       let outcome = match (expect, live.map(|record| record.version)) {
//! #           (Expect::Absent, Some(_)) => SetOutcome::Exists,
//! #           (Expect::Absent, None) => SetOutcome::Stored(1),
//! #           (_, None) => SetOutcome::Gone,
//! #           (Expect::Version(wanted), Some(found)) if wanted != found => SetOutcome::Conflict(found),
//! #           (_, Some(found)) => SetOutcome::Stored(found + 1),
//! #       };
//! #       if let SetOutcome::Stored(version) = outcome {
//! #           record.version = version;
//! #           records.insert(*key, record);
//! #       }
//! #       StoreFuture::ready(Ok(outcome))
//! #   }
//! #   fn destroy(&self, key: &SessionKey) -> StoreFuture<'_, bool> {
//! #       let removed = self.records.lock().expect("no panic while locked").remove(key);
//! #       StoreFuture::ready(Ok(removed.is_some_and(|record| !record.times.expired_at(self.clock.now()))))
//! #   }
//! }
//!
//! // In a test: with `#[tokio::test]` and `.await` if the store needs tokio, and then
//! // `.spawner(|future| { tokio::spawn(future); })` instead of `.racing_on_threads()`.
//! let harness = Harness::new(|clock| async move { Shelf { records: Mutex::default(), clock } })
//!     .racing_on_threads();
//! let report = conformance::block_on(conformance::run_all(&harness));
//! println!("{report}");
//! report.assert_passed();
//! ```
//!
//! The report has a line per law: passed, broken, or not checked. What the harness does not offer is not
//! checked and never counts as passed: [`Harness::reopen`] for law 7, [`Harness::outage`] for law 10,
//! [`Harness::corrupt`] for law 11, [`Harness::payload_limit`] for law 12, [`Harness::peer`] for services of
//! several processes. A [`Violation`] shows the history of operations that broke the law.
//!
//! # What it cannot see
//!
//! Whether purging scans everything, whether memory is given back, whether a store listens to something in the
//! background: the trait does not tell. Races are found by trying; a pass is evidence, not a proof. Raise
//! [`Harness::rounds`] for more of it.

mod block_on;
mod client;
mod coverage;
mod deadline;
mod dice;
mod harness;
mod history;
mod law;
mod laws;
mod linear;
mod payload;
mod race;
mod report;
mod run_all;
mod stage;
mod violation;

pub use block_on::block_on;
pub use coverage::Coverage;
pub use harness::Harness;
pub use law::Law;
pub use laws::{
    law_01_get_answers_the_last_set, law_02_no_session_is_none_and_no_error,
    law_03_sets_keep_to_what_they_expect, law_04_what_ended_stays_ended,
    law_05_touch_and_rotate_change_no_data, law_06_rotate_leaves_one_live_key,
    law_07_acknowledged_writes_survive, law_08_expired_records_leave,
    law_09_listings_show_exactly_the_live, law_10_trouble_is_unavailable,
    law_11_an_undecodable_record_harms_itself_only, law_12_too_large_writes_nothing,
    law_13_clocks_and_dates_change_nothing, law_14_no_owner_exceeds_the_limit,
    law_15_who_finds_it_dead_finds_the_trail,
};
pub use payload::Payload;
pub use report::Report;
pub use run_all::run_all;
pub use violation::Violation;
