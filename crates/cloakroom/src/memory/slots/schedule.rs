use cloakroom_store::Timestamp;

use super::Slot;
use super::links::{Links, link, relink, unlink};
use super::segments::Segments;

/// When to look at which slots: buckets of slots that are due at one moment. The slots of a bucket are a list,
/// linked through the slots themselves, so that adding and removing costs the same however many there are.
///
/// A bucket's moment is never later than the ends of its slots. It is the coarser the farther away they are, to
/// an eighth of what is left, so that the buckets stay few; whoever is looked at too early is put into a later one.
///
/// Of a bucket's slots the one comes first that joined it first. Where all last equally long that is the one that ends
/// first. So what goes when there are too many is not what has just come.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    /// Those that are due first come first. A vector, since they are few: nothing is allocated when one comes or goes.
    buckets: Vec<Bucket>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    due: Timestamp,
    /// The first slot of its list.
    newest: u32,
    /// The last one.
    oldest: u32,
}

/// With as many buckets, a slot is put into one that is due sooner than it need be. So the vector hardly ever grows
/// beyond its first size, and a purge does not call the allocator, which may take milliseconds, while others wait for
/// the shard.
const ENOUGH: usize = 32;
const SPACE: usize = 64;

impl Schedule {
    /// What is due first, and of that what came first.
    pub(super) fn first(&self) -> Option<(Timestamp, u32)> {
        let bucket = self.buckets.first()?;
        Some((bucket.due, bucket.oldest))
    }

    /// Plans a slot that is in no bucket.
    #[inline]
    pub(super) fn add<V>(
        &mut self,
        slots: &mut Segments<Slot<V>>,
        at: u32,
        end: Timestamp,
        now: Timestamp,
    ) {
        let due = due(end, now);
        if due == Timestamp::MAX {
            // Whatever ends then never ends.
            return;
        }
        match self.find(due) {
            Ok(bucket) => self.join(slots, at, bucket),
            Err(place) if self.buckets.len() < ENOUGH => self.begin(slots, at, place, due),
            Err(place) => self.add_sooner(slots, at, place, due, now),
        }
    }

    /// Takes a slot out of its bucket, if it is in one.
    #[inline]
    pub(super) fn remove<V>(&mut self, slots: &mut Segments<Slot<V>>, at: u32) {
        let Some(due) = slots[at].links.due() else {
            return;
        };
        let links = unlink(slots, at);
        let (newer, older) = (links.before(), links.after());
        if newer.is_some() && older.is_some() {
            return;
        }
        let bucket = self.find(due).expect("a slot's bucket is there");
        match (newer, older) {
            (None, None) => drop(self.buckets.remove(bucket)),
            (None, Some(older)) => self.buckets[bucket].newest = older,
            (Some(newer), _) => self.buckets[bucket].oldest = newer,
        }
    }

    /// A slot that was taken away will be elsewhere.
    pub(super) fn renumber<V>(&mut self, slots: &mut Segments<Slot<V>>, links: Links, to: u32) {
        let Some(due) = links.due() else {
            return;
        };
        relink(slots, links, to);
        let (is_newest, is_oldest) = (links.before().is_none(), links.after().is_none());
        if is_newest || is_oldest {
            let bucket = self.find(due).expect("a slot's bucket is there");
            let bucket = &mut self.buckets[bucket];
            if is_newest {
                bucket.newest = to;
            }
            if is_oldest {
                bucket.oldest = to;
            }
        }
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.buckets.capacity()
    }

    #[inline]
    fn join<V>(&mut self, slots: &mut Segments<Slot<V>>, at: u32, bucket: usize) {
        let bucket = &mut self.buckets[bucket];
        link(slots, at, Some(bucket.newest), Some(bucket.due));
        bucket.newest = at;
    }

    #[inline]
    fn begin<V>(&mut self, slots: &mut Segments<Slot<V>>, at: u32, place: usize, due: Timestamp) {
        if self.buckets.len() == self.buckets.capacity() {
            self.buckets
                .reserve_exact(SPACE.max(self.buckets.len() / 2));
        }
        link(slots, at, None, Some(due));
        let bucket = Bucket {
            due,
            newest: at,
            oldest: at,
        };
        self.buckets.insert(place, bucket);
    }

    /// When there are buckets enough: in the one before that place, or else in one of a few.
    #[cold]
    fn add_sooner<V>(
        &mut self,
        slots: &mut Segments<Slot<V>>,
        at: u32,
        place: usize,
        due: Timestamp,
        now: Timestamp,
    ) {
        if let Some(sooner) = place.checked_sub(1)
            && self.buckets[sooner].due > now
        {
            return self.join(slots, at, sooner);
        }
        let due = roundest(due, now);
        match self.find(due) {
            Ok(bucket) => self.join(slots, at, bucket),
            Err(place) => self.begin(slots, at, place, due),
        }
    }

    /// The bucket that is due then, or where it belongs.
    #[inline]
    fn find(&self, due: Timestamp) -> Result<usize, usize> {
        // Most sessions last equally long, so most that begin end last.
        match self.buckets.last() {
            Some(last) if last.due < due => Err(self.buckets.len()),
            Some(last) if last.due == due => Ok(self.buckets.len() - 1),
            _ => self.buckets.binary_search_by_key(&due, |bucket| bucket.due),
        }
    }
}

/// When to look at what ends then: later than now, unless it is over.
fn due(end: Timestamp, now: Timestamp) -> Timestamp {
    let left = end.as_millis().saturating_sub(now.as_millis());
    // The largest power of two up to an eighth of what is left.
    let grain = match left / 8 {
        eighth @ 1.. => 1_i64 << eighth.ilog2(),
        _ => 1,
    };
    Timestamp::from_millis(end.as_millis() & !(grain - 1))
}

/// A moment until then, but later than now, if that is possible: the one that the largest power of two divides. There
/// are as many such moments as there are powers of two, whatever ends when.
fn roundest(due: Timestamp, now: Timestamp) -> Timestamp {
    let (due, now) = (due.as_millis(), now.as_millis());
    let differ = due ^ now;
    if due <= now {
        return Timestamp::from_millis(due);
    }
    let grain = 1_u64 << (63 - differ.leading_zeros());
    Timestamp::from_millis(due & !(grain - 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_due_in_time_and_not_much_earlier() {
        let now = 1_700_000_000_123;
        for left in [
            0,
            1,
            15,
            16,
            17,
            999,
            30_000,
            86_400_000,
            2_592_000_000,
            i64::MAX / 2,
        ] {
            let due = due(
                Timestamp::from_millis(now + left),
                Timestamp::from_millis(now),
            );
            let early = now + left - due.as_millis();
            assert!((0..=left / 8).contains(&early), "{left} {early}");
        }
        let past = Timestamp::from_millis(now - 5);
        assert_eq!(due(past, Timestamp::from_millis(now)), past);
        assert_eq!(due(Timestamp::MIN, Timestamp::MAX), Timestamp::MIN);
    }

    #[test]
    fn the_roundest_moment_is_later_than_now_and_one_of_a_few() {
        let rounded = |due, now| {
            roundest(Timestamp::from_millis(due), Timestamp::from_millis(now)).as_millis()
        };
        for now in [1_700_000_000_123, 0, -1, -77_777, 1 << 40] {
            let mut moments: Vec<_> = (1..5_000)
                .chain([1 << 30, (1 << 38) + 12_345])
                .map(|left| (left, rounded(now + left, now)))
                .inspect(|(left, moment)| assert!((1..=*left).contains(&(moment - now))))
                .map(|(_, moment)| moment)
                .collect();
            moments.dedup();
            assert!(moments.len() <= 16, "{moments:?}");
            for overdue in [0, 1, 5_000] {
                assert_eq!(rounded(now - overdue, now), now - overdue);
            }
        }
        assert_eq!(rounded(i64::MAX - 1, i64::MIN), 0);
    }
}
