use super::Cost;

/// What callgrind counted in all requests of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    instructions: u64,
    allocations: u64,
}

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
        let mut instructions = None;
        let mut allocations = 0;
        let mut called = "";
        for line in profile.lines() {
            if let Some(total) = line.strip_prefix("totals: ") {
                instructions = total.trim().parse().ok();
            } else if let Some(name) = line.strip_prefix("cfn=") {
                called = name;
            } else if let Some(calls) = line.strip_prefix("calls=") {
                if ALLOCATORS.contains(&called) {
                    allocations += calls.split(' ').next()?.parse::<u64>().ok()?;
                }
            }
        }
        let instructions = instructions.filter(|&instructions| instructions > 0)?;
        Some(Self {
            instructions,
            allocations,
        })
    }

    /// What each request costs more than one to the bare application.
    pub(crate) fn above(self, bare: Self, requests: u64) -> Cost {
        let each = |with: u64, bare: u64| (with.saturating_sub(bare) + requests / 2) / requests;
        Cost {
            instructions: each(self.instructions, bare.instructions),
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
            instructions: 25_000,
            allocations: 10,
        };
        assert_eq!(counted, expected);
        assert_eq!(Counted::of("events: Ir\ntotals: 0\n"), None);
        assert_eq!(Counted::of(""), None);
    }

    #[test]
    fn the_bare_request_is_taken_off() {
        let counted = |instructions, allocations| Counted {
            instructions,
            allocations,
        };
        let cost = counted(25_000, 36).above(counted(5_000, 5), 10);
        let expected = Cost {
            instructions: 2_000,
            allocations: 3,
        };
        assert_eq!(cost, expected);
    }
}
