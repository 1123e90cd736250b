//! Which sessions a full store ends for new ones.

use cloakroom_store::Clock;

use super::*;

const MONTH: u64 = 30 * 86_400;

/// Some in each shard: the keys go round them.
const PLACES: u32 = 256 * 10;

fn evicting(places: u32) -> Fixture {
    Fixture::new(|builder| {
        builder
            .max_sessions(places as usize)
            .when_full(WhenFull::EvictSoonestToExpire)
    })
}

impl Fixture {
    fn live(&self) -> Vec<u32> {
        let entries = block_on(self.enumerate().all()).unwrap();
        let mut numbers: Vec<u32> = entries.iter().map(|entry| *entry.record.data).collect();
        numbers.sort_unstable();
        numbers
    }
}

/// The schedule does not tell them apart for days.
#[test]
#[cfg_attr(miri, ignore = "each looks at all shards")]
fn sessions_that_last_equally_long_end_in_the_order_of_their_beginnings() {
    let it = evicting(PLACES);
    for number in 0..PLACES * 3 {
        it.create(number, Some(MONTH + u64::from(number)), None);
        if number % 100 == 0 {
            let oldest = (number + 1).saturating_sub(PLACES);
            assert_eq!(it.live(), (oldest..=number).collect::<Vec<_>>());
        }
    }
}

/// Where everybody is signed out at night, say.
#[test]
#[cfg_attr(miri, ignore = "each looks at all shards")]
fn of_sessions_that_all_end_at_one_moment_none_goes_that_has_just_begun() {
    let it = evicting(PLACES);
    let mut dice = 1_u32;
    let mut begun = Vec::new();
    // Not in turns: some shards have more of them.
    for _ in 0..PLACES * 3 {
        dice ^= dice << 13;
        dice ^= dice >> 17;
        dice ^= dice << 5;
        it.create(dice, Some(MONTH), None);
        begun.push(dice);
        if begun.len() > PLACES as usize {
            let (_, last) = begun.split_at(begun.len() - PLACES as usize / 10);
            assert!(last.iter().all(|number| it.get(*number).is_some()));
        }
    }
}

/// So nobody keeps a shard from losing any, at the cost of those who sign in to others.
#[test]
#[cfg_attr(miri, ignore = "each looks at all shards")]
fn sessions_that_are_in_use_shield_no_others() {
    let it = evicting(PLACES);
    let half_an_hour = Some(Duration::from_secs(1_800));
    let create = |number| {
        it.clock.advance(Duration::from_millis(1));
        let mut idle = record(number, None, None);
        idle.times = Times::starting(it.clock.now());
        idle.times.idle_timeout = half_an_hour;
        let stored = it.store.set(&key(number), idle, Expect::Absent);
        assert_eq!(block_on(stored).unwrap(), SetOutcome::Stored(1));
    };
    (0..PLACES).for_each(create);
    for number in PLACES..PLACES * 2 {
        create(number);
        // One that is about to go, at the front of its shard.
        let used = number - PLACES + 2;
        let touched = it.store.touch(&key(used), it.clock.now());
        assert!(block_on(touched).unwrap());
    }
    assert_eq!(it.live(), (PLACES..PLACES * 2).collect::<Vec<_>>());
}

#[test]
fn of_sessions_in_different_shards_the_one_goes_that_ends_first() {
    for soonest in 0..3 {
        let it = evicting(3);
        for number in 0..3 {
            let later = u64::from(number != soonest);
            it.create(number, Some(MONTH + later), None);
        }
        it.create(3, Some(MONTH + 1), None);
        assert!(it.get(soonest).is_none(), "{soonest}");
    }
}

#[test]
fn what_ends_much_sooner_goes_though_it_is_the_newest() {
    let it = evicting(3);
    it.create(0, Some(MONTH), None);
    it.create(1, Some(MONTH), None);
    let mut short = record(2, Some(60), None);
    short.times.renewed_at = START.plus(Duration::from_secs(1));
    let stored = it.store.set(&key(2), short, Expect::Absent);
    assert_eq!(block_on(stored).unwrap(), SetOutcome::Stored(1));
    it.create(3, Some(MONTH), None);
    assert_eq!(it.live(), [0, 1, 3]);
}
