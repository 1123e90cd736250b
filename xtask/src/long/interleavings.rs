use crate::Result;
use crate::house::House;

/// The scenes in `crates/cloakroom/src/memory/interleavings`. With another lock in the store everything is compiled
/// anew, so not where everything else is.
pub(crate) fn run(house: &House) -> Result<bool> {
    let mut test = house.cargo(&["test", "--package", "cloakroom", "--lib", "interleavings"]);
    test.env("RUSTFLAGS", "--cfg cloakroom_shuttle")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env("CARGO_TARGET_DIR", house.root().join("target/shuttle"));
    super::tests(&mut test)
}
