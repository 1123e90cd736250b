//! The steps of the test command, in the order in which they run: what is quick to fail comes first.

mod browser;
mod deny;
mod docs;
mod features;
mod format;
mod instructions;
mod layers;
mod lengths;
mod lints;
mod locks;
mod manifests;
mod public_api;
mod rust_version;
mod security_page;
mod source_files;
mod tests;
mod trees;

use crate::Result;
use crate::args::Selection;
use crate::house::House;
use crate::install::Need;
use crate::outcome::Outcome;
use crate::report::Line;

/// One named check.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    /// What it checks, for `--help`.
    pub(crate) about: &'static str,
    /// Part of the inner loop.
    pub(crate) quick: bool,
    /// What must be installed.
    needs: &'static [Need],
    run: fn(&House) -> Result<Outcome>,
}

impl Step {
    /// What must be installed for it; `quick` is without servers.
    pub(crate) fn needs_for(&self, quick: bool) -> impl Iterator<Item = Need> {
        let without_servers = move |need: &Need| !(quick && Need::SERVERS.contains(need));
        self.needs.iter().copied().filter(without_servers)
    }
}

/// All of them.
pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "format",
        about: "every file is as rustfmt writes it",
        quick: true,
        needs: &[],
        run: format::run,
    },
    Step {
        name: "manifests",
        about: "published crates say all that a registry shows",
        quick: true,
        needs: &[],
        run: manifests::run,
    },
    Step {
        name: "layers",
        about: "dependencies between the crates only point down",
        quick: true,
        needs: &[],
        run: layers::run,
    },
    Step {
        name: "trees",
        about: "no user of one store or framework pays for another",
        quick: true,
        needs: &[],
        run: trees::run,
    },
    Step {
        name: "locks",
        about: "the lock files of bench and fuzz know what our crates need",
        quick: true,
        needs: &[],
        run: locks::run,
    },
    Step {
        name: "lengths",
        about: "files are short enough to read",
        quick: true,
        needs: &[],
        run: lengths::run,
    },
    Step {
        name: "security",
        about: "every test and file that SECURITY.md names is there",
        quick: true,
        needs: &[],
        run: security_page::run,
    },
    Step {
        name: "lints",
        about: "clippy, all targets, all features, no warning",
        quick: true,
        needs: &[],
        run: lints::run,
    },
    Step {
        name: "tests",
        about: "unit, conformance and scenario tests",
        quick: true,
        needs: Need::SERVERS,
        run: tests::run,
    },
    Step {
        name: "doctests",
        about: "the examples in the documentation",
        quick: false,
        needs: &[],
        run: tests::run_doc,
    },
    Step {
        name: "guard",
        about: "no request costs more instructions or allocations than it did",
        quick: false,
        needs: &[Need::Valgrind],
        run: instructions::run,
    },
    Step {
        name: "browser",
        about: "the demo's page in headless Chromium",
        quick: false,
        needs: &[Need::Node, Need::Npm, Need::Chromium],
        run: browser::run,
    },
    Step {
        name: "docs",
        about: "rustdoc, no warning",
        quick: false,
        needs: &[],
        run: docs::run,
    },
    Step {
        name: "public-api",
        about: "no third-party type where none may be",
        quick: false,
        needs: &[],
        run: public_api::run,
    },
    Step {
        name: "features",
        about: "each published crate with none and with each of its features; the demo",
        quick: false,
        needs: &[],
        run: features::run,
    },
    Step {
        name: "msrv",
        about: "published crates build with the oldest Rust supported",
        quick: false,
        needs: &[],
        run: rust_version::run,
    },
    Step {
        name: "deny",
        about: "licences, bans and sources of all dependencies",
        quick: false,
        needs: &[Need::CargoDeny],
        run: deny::run,
    },
    Step {
        name: "advisories",
        about: "known vulnerabilities of all dependencies; needs the network",
        quick: false,
        needs: &[Need::CargoDeny],
        run: deny::run_advisories,
    },
];

/// The names that `--only` takes.
pub(crate) fn names() -> Vec<&'static str> {
    STEPS.iter().map(|step| step.name).collect()
}

/// The steps of that selection.
pub(crate) fn chosen(selection: &Selection) -> Vec<&'static Step> {
    let wanted = |step: &&Step| match selection {
        Selection::All => true,
        Selection::Quick => step.quick,
        Selection::Only { names, .. } => names.iter().any(|name| name == step.name),
    };
    STEPS.iter().filter(wanted).collect()
}

/// Runs one after the other; a failed one does not stop the rest.
pub(crate) fn run(house: &House, steps: &[&Step]) -> Vec<Line> {
    let numbered = steps.iter().zip(1..);
    let run = |(step, number): (&&Step, usize)| {
        println!("\n[{number}/{}] {}: {}", steps.len(), step.name, step.about);
        Line::of(step.name, || (step.run)(house))
    };
    numbered.map(run).collect()
}
