use std::process::Command;

use crate::Result;
use crate::command::capture;
use crate::house::House;
use crate::nightly;

/// Undefined behaviour and data races in the memory store, and in what it stands on.
pub(crate) fn run(house: &House) -> Result<bool> {
    let arguments = ["miri", "test", "--package", "cloakroom", "--lib", "memory"];
    let mut test = nightly::program("cargo", &arguments)?;
    let mut list = Command::new("rustup");
    list.args(["component", "list", "--installed", "--toolchain", "nightly"]);
    if !has_miri(&capture(&mut list)?.stdout) {
        return Err("Miri is not here: rustup +nightly component add miri rust-src".into());
    }
    test.current_dir(house.root())
        .env("CARGO_TARGET_DIR", house.root().join("target/miri"))
        // The thread that purges is told to end and not waited for, which is a leak by Miri's book.
        .env("MIRIFLAGS", "-Zmiri-ignore-leaks");
    super::tests(&mut test)
}

/// Miri builds the standard library anew, so it needs the source too.
fn has_miri(components: &str) -> bool {
    let has = |name: &str| components.lines().any(|line| line.starts_with(name));
    has("miri") && has("rust-src")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_components_are_needed() {
        assert!(has_miri("cargo-x86_64\nmiri-x86_64\nrust-src\n"));
        assert!(!has_miri("cargo-x86_64\nmiri-x86_64\n"));
        assert!(!has_miri("rust-src\n"));
    }
}
