use crate::Result;
use crate::command::capture;
use crate::house::House;
use crate::nightly;

/// Undefined behaviour, data races and leaks in the memory store, and in what it stands on.
pub(crate) fn run(house: &House) -> Result<bool> {
    if !capture(&mut nightly::program("cargo", &["miri", "--version"])?)?.success {
        return Err("Miri is not here: rustup +nightly component add miri rust-src".into());
    }
    let arguments = ["miri", "test", "--package", "cloakroom", "--lib", "memory"];
    let mut test = nightly::program("cargo", &arguments)?;
    test.current_dir(house.root())
        .env("CARGO_TARGET_DIR", house.root().join("target/miri"));
    super::tests(&mut test)
}
