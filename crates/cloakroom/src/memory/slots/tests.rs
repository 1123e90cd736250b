use std::collections::BTreeMap;

use super::*;

#[derive(Clone, Copy, Debug, PartialEq)]
struct Thing {
    number: u64,
    end: Option<i64>,
}

impl Ends for Thing {
    fn ends_at(&self) -> Option<Timestamp> {
        self.end.map(Timestamp::from_millis)
    }
}

/// Ends after as many seconds.
fn thing(number: u64) -> Thing {
    Thing {
        number,
        end: Some(1_000 * number as i64),
    }
}

fn key(number: u64) -> SessionKey {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    SessionKey::from_bytes(bytes)
}

fn roll(dice: &mut u64) -> u64 {
    *dice ^= *dice << 13;
    *dice ^= *dice >> 7;
    *dice ^= *dice << 17;
    *dice
}

/// The number is kept beside, too: both have to be the same key's.
fn whole((thing, beside): (Thing, u64)) -> Thing {
    assert_eq!(thing.number, beside);
    thing
}

/// Random operations, each compared with a plain map.
#[test]
fn it_does_what_a_map_does() {
    let steps = if cfg!(miri) { 300 } else { 200_000 };
    for mut dice in [1, 2, 3] {
        let (mut slots, mut map) = (Slots::default(), BTreeMap::new());
        let mut now = 1_000_000;
        for step in 0..steps {
            let at = Timestamp::from_millis(now);
            // Grows for a while, then shrinks.
            let keys = if step % 40_000 < 20_000 { 3_000 } else { 40 };
            let key = key(roll(&mut dice) % keys);
            let end = match roll(&mut dice) % 4 {
                0 => None,
                1 => Some(now + (roll(&mut dice) % 20) as i64 - 2),
                2 => Some(now + (roll(&mut dice) % 5_000) as i64),
                _ => Some(now + (roll(&mut dice) % 5_000_000) as i64),
            };
            let thing = Thing { number: step, end };
            match roll(&mut dice) % 8 {
                0..=3 => assert_eq!(
                    slots.put(key, (thing, step), at).map(whole),
                    map.insert(key, thing)
                ),
                4 => assert_eq!(slots.take(&key).map(whole), map.remove(&key)),
                5 => {
                    let live = map.get_mut(&key).filter(|thing| !thing.is_over(at));
                    // The number stays, as what is beside it does.
                    let number = live.as_ref().map_or(step, |live| live.number);
                    let thing = Thing { number, end };
                    let changed = slots.change(&key, at, |found| *found = thing);
                    assert_eq!(changed, live.is_some());
                    if let Some(found) = live {
                        *found = thing;
                    }
                }
                6 => {
                    assert_eq!(slots.get(&key), map.get(&key));
                    let both = slots.get_both(&key, |_| {});
                    let both = both.map(|(thing, beside)| whole((*thing, *beside)));
                    assert_eq!(both.as_ref(), map.get(&key));
                }
                _ => now += (roll(&mut dice) % 40) as i64,
            }
            if step % 64 == 0 {
                let at = Timestamp::from_millis(now);
                purge(&mut slots, &mut map, at);
                give_back_memory(&mut slots);
            }
            assert_eq!(slots.len(), map.len());
        }
        for (key, thing) in &map {
            assert_eq!(slots.get(key), Some(thing));
        }
        assert_eq!(slots.iter().count(), map.len());
        for (key, thing, beside) in slots.iter() {
            assert_eq!(map.get(key), Some(&whole((*thing, *beside))));
        }
        purge(&mut slots, &mut map, Timestamp::from_millis(i64::MAX - 1));
        assert!(slots.iter().all(|(_, thing, _)| thing.end.is_none()));
        for key in map.keys() {
            assert!(slots.take(key).is_some());
        }
        give_back_memory(&mut slots);
        assert!(slots.capacity() < 64, "{}", slots.capacity());
        assert!(slots.soonest().is_none());
    }
}

fn give_back_memory<V: Ends, B>(slots: &mut Slots<V, B>) {
    while slots.close_gaps(7, &mut Vec::new()) {}
    if let Some(size) = slots.smaller_size() {
        slots.move_into(&mut Smaller::new(size));
    }
}

/// All that is over goes, and nothing else, whatever the size of the steps.
fn purge(slots: &mut Slots<Thing, u64>, map: &mut BTreeMap<SessionKey, Thing>, at: Timestamp) {
    let mut taken = Vec::new();
    while slots.take_over(at, 7, |one| taken.push(one)) == 7 {}
    for (key, thing, beside) in taken {
        assert!(thing.is_over(at));
        let thing = whole((thing, beside));
        assert_eq!(map.remove(&key), Some(thing));
    }
    assert!(map.values().all(|thing| !thing.is_over(at)));
}

#[test]
fn a_purge_looks_only_at_what_is_due() {
    let mut slots = Slots::default();
    let now = Timestamp::from_millis(0);
    let count = if cfg!(miri) { 300 } else { 10_000 };
    for number in 0..count {
        let end = Some(if number < 10 { 5 } else { 3_600_000 });
        slots.put(key(number), (Thing { number, end }, ()), now);
    }
    let mut taken = Vec::new();
    let looked_at = slots.take_over(Timestamp::from_millis(1_000), usize::MAX, |one| {
        taken.push(one)
    });
    assert_eq!((looked_at, taken.len()), (10, 10));
}

#[test]
fn what_lasts_long_is_looked_at_a_few_times_only() {
    let mut slots = Slots::default();
    const MONTH: i64 = 30 * 86_400_000;
    let end = Some(MONTH);
    slots.put(
        key(1),
        (Thing { number: 1, end }, ()),
        Timestamp::from_millis(0),
    );
    let (mut looks, mut taken) = (0, Vec::new());
    while let Some((due, ..)) = slots.soonest() {
        looks += slots.take_over(due, 1, |one| taken.push(one));
    }
    assert_eq!(taken.len(), 1);
    assert!(looks <= 10, "{looks}");
}

#[test]
fn keys_whose_hashes_are_equal_are_told_apart() {
    // The last word takes back what the first one does to the hash. One of these hashes is among the greatest, so
    // its keys go on beyond the last home.
    for common in 0..if cfg!(miri) { 3 } else { 2_000_u64 } {
        let key = |number: u64| {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&number.to_le_bytes());
            bytes[24..].copy_from_slice(&(number.rotate_left(5) ^ common).to_le_bytes());
            SessionKey::from_bytes(bytes)
        };
        let now = Timestamp::from_millis(0);
        let mut slots = Slots::default();
        for number in 0..40 {
            let thing = Thing { number, end: None };
            assert!(slots.put(key(number), (thing, number), now).is_none());
        }
        for number in (0..40).step_by(3) {
            assert_eq!(slots.take(&key(number)).map(whole).unwrap().number, number);
        }
        for number in 0..50 {
            let found = slots.get(&key(number)).map(|thing| thing.number);
            let there = number < 40 && number % 3 != 0;
            assert_eq!(found, there.then_some(number));
        }
    }
}

#[test]
fn gaps_are_filled_and_closed() {
    let mut slots = Slots::default();
    let now = Timestamp::from_millis(0);
    for number in 0..100 {
        slots.put(key(number), (thing(number), ()), now);
    }
    let places = slots.slots.len();
    for number in 0..50 {
        slots.take(&key(number)).unwrap();
        slots.put(key(number + 100), (thing(number + 100), ()), now);
    }
    assert_eq!(slots.slots.len(), places);
    for number in (50..150).filter(|number| number % 5 != 0) {
        slots.take(&key(number)).unwrap();
    }
    give_back_memory(&mut slots);
    assert_eq!(slots.slots.len(), 20);
    slots.put(key(1), (thing(1), ()), now);
    for number in [1].into_iter().chain((50..150).step_by(5)) {
        assert_eq!(slots.get(&key(number)), Some(&thing(number)));
        let mut taken = Vec::new();
        while taken.is_empty() {
            let (due, ..) = slots.soonest().unwrap();
            slots.take_over(due, 1, |one| taken.push(one));
        }
        assert_eq!(taken[0].1, thing(number), "by their ends");
    }
    assert!(slots.soonest().is_none());
}

/// An allocator may take its time, and others wait for the lock meanwhile.
#[test]
fn taking_out_what_is_over_needs_no_memory() {
    let mut slots = Slots::default();
    let mut dice = 1;
    let count = if cfg!(miri) { 300 } else { 20_000 };
    for number in 0..count {
        // Each ends before the last one did: so those of a bucket are met in the order of falling ends. Some last so
        // long that there are buckets enough without the rest.
        let end = match number % 3 {
            0 => 1 << (roll(&mut dice) % 40),
            _ => 20_000 + (count - number) as i64 / 2,
        };
        let thing = Thing {
            number,
            end: Some(end),
        };
        slots.put(key(number), (thing, ()), Timestamp::from_millis(0));
    }
    let space = |slots: &Slots<Thing>| {
        let places = (slots.slots.capacity(), slots.index.capacity());
        (places, slots.schedule.capacity())
    };
    let before = space(&slots);
    for step in 0..80 {
        let now = Timestamp::from_millis(step * 500);
        while slots.take_over(now, 64, drop) == 64 {}
        assert!(slots.iter().all(|(_, thing, _)| !thing.is_over(now)));
        assert_eq!(space(&slots), before);
    }
    assert!(slots.len() < count as usize / 3);
}

/// All are due at one moment. Any may leave, return or be put elsewhere meanwhile.
#[test]
fn what_came_first_goes_first() {
    let now = Timestamp::from_millis(0);
    let steps = if cfg!(miri) { 500 } else { 50_000 };
    let (mut slots, mut queue, mut dice) = (Slots::default(), Vec::new(), 1);
    for step in 0..steps {
        let number = roll(&mut dice) % 64;
        queue.retain(|queued| *queued != number);
        let was_there = slots.take(&key(number)).is_some();
        // Grows for a while, then shrinks, so that there are gaps to be closed.
        if !was_there && roll(&mut dice) % 64 < if step % 1_000 < 500 { 60 } else { 4 } {
            let end = Some(1 << 40);
            slots.put(key(number), (Thing { number, end }, ()), now);
            queue.push(number);
        }
        if step % 16 == 0 {
            slots.closing = true;
            give_back_memory(&mut slots);
        }
        let first = slots.soonest().map(|(_, key, thing)| (*key, thing.number));
        assert_eq!(first, queue.first().map(|number| (key(*number), *number)));
    }
    let mut taken = Vec::new();
    while let Some((due, ..)) = slots.soonest() {
        slots.take_over(due, 1, |one| taken.push(one.1.number));
    }
    assert_eq!(
        taken, queue,
        "also if they are looked at again before they end"
    );
}

#[test]
fn smaller_memory_is_moved_into_only_if_all_fits() {
    let now = Timestamp::from_millis(0);
    // So many come while the tables are made.
    for (more, fits) in [(0, true), (2, true), (10, false)] {
        let mut slots = Slots::default();
        let put = |slots: &mut Slots<Thing>, number| {
            slots.put(key(number), (thing(number), ()), now);
        };
        (0..1_000).for_each(|number| put(&mut slots, number));
        assert!(slots.smaller_size().is_none());
        for number in 20..1_000 {
            slots.take(&key(number)).unwrap();
        }
        let large = slots.capacity();
        while slots.close_gaps(7, &mut Vec::new()) {}
        let mut smaller = Smaller::new(slots.smaller_size().unwrap());
        (20..20 + more).for_each(|number| put(&mut slots, number));
        slots.move_into(&mut smaller);
        // What was larger is not dropped yet: that is for when nothing is locked.
        assert!(smaller.capacity() > large / 2);
        assert_eq!(slots.capacity() < large / 8, fits, "{more}");
        for number in 0..20 + more {
            assert_eq!(slots.get(&key(number)), Some(&thing(number)));
        }
        assert_eq!(slots.scheduled(), slots.len());

        let left = slots.capacity();
        for number in 0..20 + more {
            slots.take(&key(number)).unwrap();
        }
        let mut nothing = Smaller::new(slots.smaller_size().unwrap());
        assert_eq!(nothing.capacity(), 0);
        slots.move_into(&mut nothing);
        assert_eq!((nothing.capacity(), slots.capacity()), (left, 0));
        assert!(slots.smaller_size().is_none());
    }
}

#[test]
fn whole_segments_go_when_there_are_many_gaps() {
    let mut slots = Slots::default();
    let now = Timestamp::from_millis(0);
    let count = if cfg!(miri) { 3_000 } else { 10_000 };
    for number in 0..count {
        slots.put(key(number), (thing(number), number), now);
    }
    let of_all = slots.slots.len();
    let mut emptied = Vec::new();
    // Those who come would fill as few as these.
    for number in 0..100 {
        slots.take(&key(number)).unwrap();
    }
    assert!(!slots.close_gaps(64, &mut emptied));
    assert_eq!(slots.slots.len(), of_all);

    let stays = |number: u64| number >= 100 && number.is_multiple_of(3);
    for number in (100..count).filter(|number| !stays(*number)) {
        slots.take(&key(number)).unwrap();
    }
    let mut steps = 1;
    while slots.close_gaps(64, &mut emptied) {
        steps += 1;
        // Others go on meanwhile.
        slots.put(key(count + steps), (thing(steps), steps), now);
        slots.take(&key(count + steps)).unwrap();
    }
    assert_eq!(slots.slots.len(), slots.len());
    assert!(
        steps > count / 100 && emptied.len() > 1,
        "{steps} {emptied:?}"
    );
    for number in 0..count {
        let there = slots.get(&key(number));
        assert_eq!(there, stays(number).then(|| thing(number)).as_ref());
    }
    let mut taken = Vec::new();
    while let Some((due, ..)) = slots.soonest() {
        slots.take_over(due, 1, |one| taken.push(one.2));
    }
    assert!(taken.is_sorted() && taken.len() as u64 > count / 4);
}
