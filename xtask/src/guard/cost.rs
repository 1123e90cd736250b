use std::fmt;

/// What one request costs above the same request without sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cost {
    /// Outside of the hash function.
    pub(crate) instructions: u64,
    /// Calls of the hash function.
    pub(crate) hashes: u64,
    pub(crate) allocations: u64,
}

/// How two costs compare.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Same,
    /// So much less that the file should say so.
    Less,
    /// More than is let pass.
    More(String),
}

impl Cost {
    /// From the kept figure to this one. A tenth more instructions is let pass; not one more hash, nor allocation.
    pub(crate) fn since(self, kept: Self) -> Change {
        if self.instructions * 10 > kept.instructions * 11 {
            return Change::More(format!(
                "{} instructions, the file says {}",
                self.instructions, kept.instructions
            ));
        }
        for (what, now, before) in [
            ("hashes", self.hashes, kept.hashes),
            ("allocations", self.allocations, kept.allocations),
        ] {
            if now > before {
                return Change::More(format!("{now} {what}, the file says {before}"));
            }
        }
        let fewer = self.hashes < kept.hashes || self.allocations < kept.allocations;
        if fewer || self.instructions * 10 < kept.instructions * 9 {
            return Change::Less;
        }
        Change::Same
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} instructions, {} hashes, {} allocations",
            self.instructions, self.hashes, self.allocations
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEPT: Cost = Cost {
        instructions: 1000,
        hashes: 2,
        allocations: 3,
    };

    fn cost(instructions: u64, allocations: u64) -> Cost {
        Cost {
            instructions,
            hashes: 2,
            allocations,
        }
    }

    #[test]
    fn a_tenth_more_instructions_passes_and_no_more() {
        assert_eq!(cost(1100, 3).since(KEPT), Change::Same);
        assert!(matches!(cost(1101, 3).since(KEPT), Change::More(_)));
        assert_eq!(cost(900, 3).since(KEPT), Change::Same);
        assert_eq!(cost(899, 3).since(KEPT), Change::Less);
    }

    #[test]
    fn one_allocation_more_is_too_many() {
        let more = cost(500, 4).since(KEPT);
        let said = Change::More("4 allocations, the file says 3".to_owned());
        assert_eq!(more, said);
        assert_eq!(cost(1000, 2).since(KEPT), Change::Less);
    }

    #[test]
    fn one_hash_more_is_too_many() {
        let mut more = KEPT;
        more.hashes += 1;
        assert!(matches!(more.since(KEPT), Change::More(_)));
        assert_eq!(KEPT.since(more), Change::Less);
    }
}
