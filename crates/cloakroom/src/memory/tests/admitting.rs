use std::num::NonZeroU32;

use cloakroom_store::{AdmitOutcome, OwnerLimit, WhenReached};

use super::*;

impl Fixture {
    fn admit(
        &self,
        ending: Option<u32>,
        number: u32,
        when_reached: WhenReached,
    ) -> Result<AdmitOutcome, StoreErrorKind> {
        let limit = OwnerLimit::new(NonZeroU32::new(2).unwrap(), when_reached);
        let ending = ending.map(key);
        let record = record(number, Some(100), Some("ada"));
        let limits = self.store.owner_limits().unwrap();
        let admitted = limits.admit(ending.as_ref(), &key(number), record, limit);
        block_on(admitted).map_err(|error| error.kind())
    }
}

fn stored(ended: &[u32]) -> Result<AdmitOutcome, StoreErrorKind> {
    let ended = ended.iter().copied().map(key).collect();
    Ok(AdmitOutcome::Stored { version: 1, ended })
}

#[test]
fn a_full_store_admits_whoever_brings_a_place() {
    let it = Fixture::new(|builder| builder.max_sessions(3));
    it.create(0, Some(10), None);
    it.create(1, Some(10), None);
    it.create(2, Some(10), None);
    assert_eq!(it.admit(Some(0), 10, WhenReached::Refuse), stored(&[]));
    assert_eq!(it.admit(Some(1), 11, WhenReached::Refuse), stored(&[]));
    // The owner's own oldest makes room, in the store too.
    let older = it.admit(None, 12, WhenReached::EndOldest);
    let Ok(AdmitOutcome::Stored { ended, .. }) = older else {
        panic!("{older:?}");
    };
    assert_eq!(ended.len(), 1);
    assert_eq!(it.listed("ada").len(), 2);
    assert!(it.held().contains("held: 3"), "{}", it.held());
}

#[test]
fn a_full_store_without_a_place_changes_nothing() {
    let it = Fixture::new(|builder| builder.max_sessions(1));
    it.create(0, Some(10), None);
    let admitted = it.admit(None, 1, WhenReached::EndOldest);
    assert_eq!(admitted, Err(StoreErrorKind::Full));
    let admitted = it.admit(Some(7), 1, WhenReached::EndOldest);
    assert_eq!(admitted, Err(StoreErrorKind::Full));
    assert!(it.get(0).is_some());
    assert!(it.held().contains("held: 1"), "{}", it.held());
}

#[test]
fn who_is_refused_evicts_nobody() {
    let it = Fixture::new(|builder| {
        builder
            .max_sessions(3)
            .when_full(WhenFull::EvictSoonestToExpire)
    });
    it.create(0, Some(5), None);
    assert_eq!(it.admit(None, 1, WhenReached::Refuse), stored(&[]));
    assert_eq!(it.admit(None, 2, WhenReached::Refuse), stored(&[]));
    let admitted = it.admit(None, 3, WhenReached::Refuse);
    assert_eq!(admitted, Ok(AdmitOutcome::Refused));
    assert!(it.get(0).is_some());
    it.create(4, Some(100), None);
    assert!(it.get(0).is_none(), "the store was full");
    assert!(it.held().contains("held: 3"), "{}", it.held());
}
