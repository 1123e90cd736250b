//! Stores that do not keep all of a record.

use cloakroom_store::conformance::Payload;
use cloakroom_store::{Expect, Record, SessionKey, SetOutcome, Store, StoreFuture, Timestamp};

use crate::bent::Flaw;
use crate::shelf::Shelf;

/// Law 13: keeps the end in seconds of 32 bits.
#[derive(Debug, Default)]
pub(crate) struct ThirtyTwoBits;

impl Flaw for ThirtyTwoBits {
    fn set<'a>(
        &'a self,
        shelf: &'a Shelf,
        key: SessionKey,
        mut record: Record<Payload>,
        expect: Expect,
    ) -> StoreFuture<'a, SetOutcome> {
        let latest = i64::from(i32::MAX) * 1_000;
        record.times.ends_at = record
            .times
            .ends_at
            .map(|end| end.min(Timestamp::from_millis(latest)));
        shelf.set(&key, record, expect)
    }
}

/// Law 1: has no column for something.
macro_rules! forgets {
    ($name:ident, $record:ident => $forget:expr) => {
        #[derive(Debug, Default)]
        pub(crate) struct $name;

        impl Flaw for $name {
            fn set<'a>(
                &'a self,
                shelf: &'a Shelf,
                key: SessionKey,
                mut $record: Record<Payload>,
                expect: Expect,
            ) -> StoreFuture<'a, SetOutcome> {
                $forget;
                shelf.set(&key, $record, expect)
            }
        }
    };
}

forgets!(ForgetsEnd, record => record.times.ends_at = None);
forgets!(ForgetsIdle, record => record.times.idle_timeout = None);
forgets!(ForgetsOwner, record => record.owner = None);
forgets!(ForgetsClient, record => record.client = None);
forgets!(ForgetsBrowserSession, record => record.browser_session = false);
forgets!(ForgetsSignIn, record => record.times.authenticated_at = None);
forgets!(CutsAt64Kib, record => {
    let mut data = Payload::clone(&record.data);
    data.values_mut().for_each(|bytes| bytes.truncate(65_535));
    record.data = data.into();
});
forgets!(CutsStringsAtNul, record => {
    let data = Payload::clone(&record.data).into_iter();
    record.data = std::sync::Arc::new(data.map(|(text, bytes)| (text.replace('\0', ""), bytes)).collect());
});
forgets!(KeepsSeconds, record => {
    let seconds = |at: Timestamp| Timestamp::from_millis(at.as_millis() / 1_000 * 1_000);
    record.times.ends_at = record.times.ends_at.map(seconds);
    record.times.last_seen_at = seconds(record.times.last_seen_at);
});
