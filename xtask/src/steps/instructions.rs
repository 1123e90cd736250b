use crate::Result;
use crate::guard::{self, Figures};
use crate::house::House;
use crate::outcome::Outcome;

/// Fails when a request costs more than `guard/instructions.toml` says.
pub(crate) fn run(house: &House) -> Result<Outcome> {
    let kept = std::fs::read_to_string(guard::file(house))?;
    let Some(kept) = Figures::parse(&kept) else {
        return Ok(Outcome::failed("guard/instructions.toml cannot be read"));
    };
    let compiler = guard::compiler(house)?;
    if compiler != kept.compiler {
        let (here, there) = (compiler, &kept.compiler);
        println!("  !!! NOTHING IS COMPARED: this is Rust {here}, the figures are of {there}.");
        println!("  !!! `cargo xtask guard --update` counts them anew.");
        return Ok(Outcome::not_run(format!(
            "Rust {here}, the figures are of {there}"
        )));
    }
    let figures = guard::measure(house)?;
    let (faults, better) = figures.since(&kept);
    let note = match better[..] {
        [] => "five requests".to_owned(),
        _ => format!(
            "better: {}; `cargo xtask guard --update` keeps that",
            better.join(", ")
        ),
    };
    Ok(Outcome::of_faults(&faults, note))
}
