use super::Cost;

/// What callgrind counted in all requests of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    instructions: u64,
    hashes: u64,
    allocations: u64,
}

/// SHA-256 of some blocks. Callgrind shows programs a processor that cannot do it in hardware, where it takes ten
/// times as many instructions and would hide the rest: it is counted by its calls.
const HASH: &str = "sha2::sha256::compress256";

/// The functions of the C library that hand out memory. Those behind them are never called from outside.
const ALLOCATORS: [&str; 5] = [
    "malloc",
    "calloc",
    "realloc",
    "posix_memalign",
    "aligned_alloc",
];

impl Counted {
    /// Reads a profile whose names are not abbreviated. `None` if it has no instruction in it.
    pub(crate) fn of(profile: &str) -> Option<Self> {
        let mut total: Option<u64> = None;
        let (mut hashing, mut hashes, mut allocations) = (0, 0, 0);
        let mut called = "";
        let mut lines = profile.lines();
        while let Some(line) = lines.next() {
            if let Some(count) = line.strip_prefix("totals: ") {
                total = count.trim().parse().ok();
            } else if let Some(name) = line.strip_prefix("cfn=") {
                called = name;
            } else if let Some(calls) = line.strip_prefix("calls=") {
                let calls: u64 = calls.split(' ').next()?.parse().ok()?;
                // The next line says from where, and what they ran, with all that they called.
                let ran: u64 = lines.next()?.split(' ').next_back()?.parse().ok()?;
                if called == HASH {
                    hashes += calls;
                    hashing += ran;
                } else if ALLOCATORS.contains(&called) {
                    allocations += calls;
                }
            }
        }
        let total = total.filter(|&total| total > 0)?;
        Some(Self {
            instructions: total - hashing,
            hashes,
            allocations,
        })
    }

    /// What was counted after the first part of a run.
    pub(crate) fn after(self, first: Self) -> Self {
        Self {
            instructions: self.instructions.saturating_sub(first.instructions),
            hashes: self.hashes.saturating_sub(first.hashes),
            allocations: self.allocations.saturating_sub(first.allocations),
        }
    }

    /// What each request costs more than one to the bare application.
    pub(crate) fn above(self, bare: Self, requests: u64) -> Cost {
        let each = |with: u64, bare: u64| (with.saturating_sub(bare) + requests / 2) / requests;
        Cost {
            instructions: each(self.instructions, bare.instructions),
            hashes: each(self.hashes, bare.hashes),
            allocations: each(self.allocations, bare.allocations),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: &str = "\
version: 1
events: Ir
fn=serve
1 5
cfn=malloc
calls=7 0
1 900
cfn=free
calls=9 0
1 90
cfn=sha2::sha256::compress256
calls=4 0
1 11000
fn=other
cfn=realloc
calls=3 0
2 30

totals: 25000
";

    #[test]
    fn instructions_and_allocations_are_found() {
        let counted = Counted::of(PROFILE).unwrap();
        let expected = Counted {
            instructions: 14_000,
            hashes: 4,
            allocations: 10,
        };
        assert_eq!(counted, expected);
        assert_eq!(Counted::of("events: Ir\ntotals: 0\n"), None);
        assert_eq!(Counted::of(""), None);
    }

    #[test]
    fn what_was_called_before_counting_began_is_taken_off() {
        let counted = |instructions, hashes, allocations| Counted {
            instructions,
            hashes,
            allocations,
        };
        let all = counted(25_000, 1_306, 3_003);
        let expected = counted(20_000, 1_000, 2_000);
        assert_eq!(all.after(counted(5_000, 306, 1_003)), expected);
    }

    #[test]
    fn the_bare_request_is_taken_off() {
        let counted = |instructions, allocations| Counted {
            instructions,
            hashes: 20,
            allocations,
        };
        let cost = counted(25_000, 36).above(counted(5_000, 5), 10);
        let expected = Cost {
            instructions: 2_000,
            hashes: 0,
            allocations: 3,
        };
        assert_eq!(cost, expected);
    }
}
