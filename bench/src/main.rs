//! What a session costs, beside other libraries, in one run: `cargo xtask bench`.
//!
//! The parts are [`parts`]; the applications that they measure, [`app`]. Each measurement runs in a process of its
//! own, so that none inherits another's heap; this program starts itself for that.

mod allocations;
mod app;
mod callgrind;
mod case;
mod chart;
mod figure;
mod keep;
mod load;
mod page;
mod part;
mod parts;
mod processors;
mod results;
mod run;
mod statements;
#[cfg(target_arch = "x86_64")]
mod steps;
#[cfg(not(target_arch = "x86_64"))]
#[path = "no_steps.rs"]
mod steps;
mod visitors;
mod wire;

/// Every error ends the run and is only ever shown.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["measure", part, ref rest @ ..] => parts::measure(part, rest),
        ["run", ref rest @ ..] => parts::run(&run::Run::parse(rest)?),
        _ => Err("run `cargo xtask bench`".into()),
    }
}
