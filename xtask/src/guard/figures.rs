use std::fmt;

use super::Cost;
use super::cost::Change;

const HEAD: &str = "\
# What a request costs above the same request to the same axum router without sessions, with the memory store:
# instructions outside of SHA-256, calls of SHA-256, heap allocations; counted by callgrind. `cargo xtask test`
# fails when a request takes over a tenth more instructions, or one more of the others. `cargo xtask guard
# --update` rewrites this file: a line that grows is to be explained in the commit.
";

/// The content of `guard/instructions.toml`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Figures {
    /// With which they were counted.
    pub(crate) compiler: String,
    costs: Vec<(String, Cost)>,
}

impl Figures {
    pub(crate) fn new(compiler: String) -> Self {
        Self {
            compiler,
            costs: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, case: &str, cost: Cost) {
        self.costs.push((case.to_owned(), cost));
    }

    /// Reads what [`Display`](fmt::Display) writes. `None` if it is anything else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut lines = text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let compiler = lines.next()?.strip_prefix("compiler = \"")?;
        let mut figures = Self::new(compiler.strip_suffix('"')?.to_owned());
        while let Some(line) = lines.next() {
            let case = line.strip_prefix('[')?.strip_suffix(']')?;
            let instructions = lines.next()?.strip_prefix("instructions = ")?;
            let hashes = lines.next()?.strip_prefix("hashes = ")?;
            let allocations = lines.next()?.strip_prefix("allocations = ")?;
            let cost = Cost {
                instructions: instructions.parse().ok()?,
                hashes: hashes.parse().ok()?,
                allocations: allocations.parse().ok()?,
            };
            figures.add(case, cost);
        }
        Some(figures)
    }

    /// What is worse here than in the file, and the cases that are so much better that the file should say so.
    pub(crate) fn since(&self, kept: &Self) -> (Vec<String>, Vec<&str>) {
        let mut faults = Vec::new();
        let mut better = Vec::new();
        for (case, cost) in &self.costs {
            let known = kept.costs.iter().find(|(name, _)| name == case);
            match known.map(|(_, kept)| cost.since(*kept)) {
                None => faults.push(format!("{case}: not in the file")),
                Some(Change::More(what)) => faults.push(format!("{case}: {what}")),
                Some(Change::Less) => better.push(case.as_str()),
                Some(Change::Same) => {}
            }
        }
        (faults, better)
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEAD}compiler = \"{}\"", self.compiler)?;
        for (case, cost) in &self.costs {
            write!(
                f,
                "\n[{case}]\ninstructions = {}\nhashes = {}\nallocations = {}\n",
                cost.instructions, cost.hashes, cost.allocations
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(read: u64) -> Figures {
        let mut figures = Figures::new("1.95.0 x86_64-unknown-linux-gnu".to_owned());
        for (case, instructions) in [("ignore", 500), ("read", read)] {
            let cost = Cost {
                instructions,
                hashes: 3,
                allocations: 3,
            };
            figures.add(case, cost);
        }
        figures
    }

    #[test]
    fn what_is_written_is_read() {
        let figures = figures(4500);
        assert_eq!(Figures::parse(&figures.to_string()), Some(figures));
        assert_eq!(Figures::parse(""), None);
        assert_eq!(
            Figures::parse("compiler = \"1\"\n[read]\ninstructions = x"),
            None
        );
    }

    #[test]
    fn the_case_that_grew_is_named() {
        let kept = figures(4500);
        assert_eq!(figures(4600).since(&kept), (vec![], vec![]));
        let fault = "read: 5000 instructions, the file says 4500".to_owned();
        assert_eq!(figures(5000).since(&kept), (vec![fault], vec![]));
        assert_eq!(figures(3000).since(&kept), (vec![], vec!["read"]));
    }

    #[test]
    fn a_case_that_the_file_lacks_fails() {
        let empty = Figures::new(String::new());
        assert_eq!(figures(1).since(&empty).0.len(), 2);
    }
}
