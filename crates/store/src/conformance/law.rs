use std::fmt;

/// One of the fifteen laws of the [store contract](crate#the-laws).
///
/// ```
/// use cloakroom_store::conformance::Law;
///
/// let law = Law::ALL[3];
/// assert_eq!(law.number(), 4);
/// assert!(law.to_string().starts_with("law 4: After `destroy` returned"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Law(u8);

impl Law {
    /// All of them, in order.
    pub const ALL: [Self; 15] = {
        let mut all = [Self(1); 15];
        let mut at = 1;
        while at < all.len() {
            all[at] = Self(at as u8 + 1);
            at += 1;
        }
        all
    };

    /// Its number, from 1.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// What it says.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        SENTENCES[self.0 as usize - 1]
    }

    /// Only for the suite's own numbers.
    pub(crate) const fn of(number: u8) -> Self {
        Self::ALL[number as usize - 1]
    }
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "law {}: {}", self.0, self.sentence())
    }
}

const SENTENCES: [&str; 15] = [
    "`get` answers the last acknowledged `set` of that key.",
    "Absent, expired and destroyed are all `None`; none of them is an error.",
    "`Absent` succeeds only where no live record is, `Present` only where one is, `Version` only on that \
     version; of two concurrent sets with one expectation exactly one wins.",
    "After `destroy` returned, no `touch`, `rotate` or `set` with `Present` or `Version` succeeds on that key.",
    "`touch` and `rotate` never create and never change data.",
    "`rotate` is atomic: never two live keys; where an engine cannot do it in one step, the old key dies first.",
    "An acknowledged write survives the end of the application.",
    "Expired records leave, their index entries too; purging never removes a session that was refreshed.",
    "Listing never misses a live session and never shows a dead one.",
    "A store that cannot answer says `Unavailable` within its time-out, never `None`.",
    "One undecodable record harms that session only.",
    "A payload over the limit is refused before anything is written.",
    "Time zones, a clock that steps back, years past 2038: nothing changes.",
    "`admit` never lets an owner have more live sessions than the limit; who is refused changes nothing; nobody \
     is refused while there is room.",
    "`renew` is a `rotate` with a trail: whoever finds the old key dead finds the trail, which makes nothing \
     live and goes with its time.",
];
